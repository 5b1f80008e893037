import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Program, run } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';

const ROOT = mkdtempSync(join(tmpdir(), 'unisum-few-files-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = ['train', '--batch', 64, '--steps', 12, '--json', '--data', DATA];

afterAll(() => rmSync(ROOT, { recursive: true }));

it('a run that may open few files says so, and connections leave enough of them for the run', async () => {
  const listen = ['--listen', '127.0.0.1:0', '--workers', 0];
  const coordinator = new Program([...RUN, ...listen], ROOT, { openFilesMax: 192 });
  await coordinator.prints(
    /this process may open 192 files, so at most 64 workers and watchers can connect; raise the limit \(ulimit -n\) for more/,
  );
  const url = await coordinator.joinUrl();
  const port = Number(new URL(url).port);
  const sockets: Socket[] = [];
  await Promise.all(
    Array.from({ length: 300 }, () => {
      const socket = connect(port, '127.0.0.1');
      sockets.push(socket);
      socket.on('error', () => {});
      return new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
    }),
  );
  // Half of the connections are left for those that have the token.
  const worker = new Program(['worker', url], ROOT);
  const { status, stdout, stderr } = await coordinator.ended;
  expect(status, stderr).toBe(0);
  await worker.ended;
  for (const socket of sockets) socket.destroy();
  expect(JSON.parse(stdout).weightsSha256).toBe(JSON.parse((await run(...RUN)).stdout).weightsSha256);
});
