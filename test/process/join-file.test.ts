import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../shared/actor/virtual-clock.js';
import { awaitJoinFile } from '../../trainer/join-file.js';
import type { TrainResult } from '../../trainer/result.js';
import { start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { programHere } from '../support/program-here.js';

/* Workers that find their run by a file, in whatever order the processes start. */
describe('a run with --join-file', () => {
  it('is found by a worker that was started first, and by one that stays for the next run', async () => {
    const folder = temporaryFolder();
    writeFiles(join(folder, 'digits'), smallData());
    const file = join(folder, 'join');
    const run = ['train', '--data', 'digits', '--batch', 16, '--leaf', 8, '--steps', 6];
    const first = start(['worker', '--join-file', 'join', '--name', 'first', '--stay'], folder);
    await first.prints(/waiting for join, which train --join-file writes/);
    const open = ['--listen', '127.0.0.1:0', '--workers', 0, '--join-file', 'join', '--json'];
    const coordinator = start([...run, ...open, '--min-workers', 2], folder);
    await coordinator.prints(/first joined/);
    expect(readFileSync(file, 'utf8')).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/#[\w-]+\n$/);
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
    const second = start(['worker', '--join-file', 'join', '--name', 'second'], folder);
    const { stdout, stderr, status } = await coordinator.ended;
    expect(status, stderr).toBe(0);
    expect((await second.ended).status).toBe(0);
    await first.prints(/waiting for the next run/);
    expect(existsSync(file)).toBe(false);
    const next = start([...run, ...open], folder);
    const result = JSON.parse((await next.ended).stdout) as TrainResult;
    expect(result.weightsSha256).toBe((JSON.parse(stdout) as TrainResult).weightsSha256);
    const alone = await programHere(folder, ...run, '--workers', 1, '--json');
    expect(result.weightsSha256).toBe((JSON.parse(alone.stdout) as TrainResult).weightsSha256);
    first.signal('SIGTERM');
    expect((await first.ended).status).toBe(143);
  });

  it('that is interrupted, and that nobody resumes, is not done for a worker that stays: it fails', async () => {
    const folder = temporaryFolder();
    writeFiles(join(folder, 'digits'), smallData());
    const worker = start(['worker', '--join-file', 'join', '--stay'], folder);
    const coordinator = start(
      [
        ...['train', '--data', 'digits', '--epochs', 100_000],
        ...['--listen', '127.0.0.1:0', '--workers', 0, '--join-file', 'join'],
      ],
      folder,
    );
    await coordinator.prints(/joined/);
    coordinator.signal('SIGTERM');
    expect((await coordinator.ended).status).toBe(143);
    await worker.prints(/waiting for the next run/);
    // What comes next is no run.
    writeFileSync(join(folder, 'join'), 'nothing');
    const { status, stderr } = await worker.ended;
    expect([status, stderr.trim().split('\n').at(-1)]).toEqual([
      1,
      'unisum: the run was interrupted, and nobody has resumed it; start this worker again when it goes on',
    ]);
  });

  it('cannot be given together with a join line', async () => {
    const folder = temporaryFolder();
    const words = [`ws://127.0.0.1:1/#${'a'.repeat(22)}`, '--join-file', 'join'];
    expect(await programHere(folder, 'worker', ...words)).toMatchObject({
      status: 2,
      stderr: 'unisum: worker takes a join line or --join-file FILE; give one of them\n',
    });
    expect(await programHere(folder, 'worker', '--join-file', 'join', '--threads', '0')).toMatchObject({
      status: 2,
    });
  });

  it('is waited for ten minutes at most', async () => {
    const clock = new VirtualClock();
    const path = join(temporaryFolder(), 'join');
    const host = { say: () => undefined, interrupted: new AbortController().signal };
    let problem = '';
    const waiting = awaitJoinFile(path, clock, host).catch((error: Error) => {
      problem = error.message;
    });
    while (problem === '') {
      clock.runNext();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await waiting;
    expect(problem).toBe(
      `${path} did not appear within 10 minutes; start the run: train --join-file ${path}`,
    );
    expect(clock.nowMs()).toBe(600_000);
  });
});
