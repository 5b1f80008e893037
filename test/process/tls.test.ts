import { expect, it } from 'vitest';
import { epochMs, systemClock } from '../../shared/actor/clock.js';
import { createCertificate, fingerprintOf } from '../../shared/link/certificate.js';
import { listen } from '../../shared/link/listen.js';
import { formatJoinUrl, parseJoinUrl } from '../../shared/protocol/join-url.js';
import { run, start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';

it('a worker refuses an expired certificate, even with the right fingerprint', async () => {
  const certificate = await createCertificate(epochMs() - 2 * 365 * 24 * 3600 * 1000);
  const { server, port, close } = await listen(
    { host: '127.0.0.1', port: 0 },
    { clock: systemClock, certificate },
  );
  let requests = 0;
  server.on('upgrade', () => requests++);
  const token = 'x'.repeat(22);
  const fingerprint = fingerprintOf(certificate.certificate);
  const url = formatJoinUrl({ host: '127.0.0.1', port, token, fingerprint });
  const [works, watches] = await Promise.all([run('worker', url), run('watch', url)]);
  await close();
  for (const { status, stdout, stderr } of [works, watches]) {
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(
      /(^|\n)unisum: [^\n]*its certificate has expired \(.* GMT\); start the run again[^\n]*\n$/,
    );
  }
  expect(requests).toBe(0);
});

it('workers that trust its certificate join a run over TLS, which ends with the same weights', async () => {
  const root = temporaryFolder();
  const data = writeFiles(`${root}/data`, smallData());
  const same = ['train', '--batch', 64, '--leaf', 8, '--steps', 8, '--json', '--data', data];
  const coordinator = start([...same, '--listen', '127.0.0.1:0', '--tls', '--workers', 0]);
  const url = await coordinator.joinUrl();
  const { fingerprint = '' } = parseJoinUrl(url);
  expect(fingerprint).not.toBe('');

  const unauthenticatedPeer = await run('worker', url.replace(fingerprint, 'F'.repeat(43)));
  expect(unauthenticatedPeer.status).toBe(1);
  expect(unauthenticatedPeer.stderr).toMatch(
    /\nunisum: [^\n]*its certificate is not the one of the join line[^\n]*copy the line again\n$/,
  );

  const worker = await run('worker', url);
  expect(worker.status, worker.stderr).toBe(0);
  const { status, stdout, stderr } = await coordinator.ended;
  expect(status, stderr).toBe(0);
  expect(JSON.parse(stdout).weightsSha256).toBe(JSON.parse((await run(...same)).stdout).weightsSha256);
});
