import { expect, it } from 'vitest';
import { parseJoinUrl } from '../../shared/protocol/join-url.js';
import { run, start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';

it('has a run joined over TLS, by who trusts its certificate, for the same weights', async () => {
  const root = temporaryFolder();
  const data = writeFiles(`${root}/data`, smallData());
  const same = ['train', '--batch', 64, '--leaf', 8, '--steps', 8, '--json', '--data', data];
  const coordinator = start([...same, '--listen', '127.0.0.1:0', '--tls', '--workers', 0]);
  const url = await coordinator.joinUrl();
  const { fingerprint = '' } = parseJoinUrl(url);
  expect(fingerprint).not.toBe('');

  const stranger = await run('worker', url.replace(fingerprint, 'F'.repeat(43)));
  expect(stranger.status).toBe(1);
  expect(stranger.stderr).toMatch(
    /\nunisum: [^\n]*its certificate is not the one of the join line[^\n]*copy the line again\n$/,
  );

  const worker = await run('worker', url);
  expect(worker.status, worker.stderr).toBe(0);
  const { status, stdout, stderr } = await coordinator.ended;
  expect(status, stderr).toBe(0);
  expect(JSON.parse(stdout).weightsSha256).toBe(JSON.parse((await run(...same)).stdout).weightsSha256);
});
