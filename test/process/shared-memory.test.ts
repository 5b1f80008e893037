import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sharedMemory } from '../../shared/kernels/native-kernels.js';
import type { TrainResult } from '../../trainer/result.js';
import { type Program, start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { runHere } from '../support/program-here.js';

/** Whether a process has the memory of a member of the same machine. */
function hasMemory({ pid }: Program): boolean {
  return readFileSync(`/proc/${pid}/maps`, 'utf8').includes('memfd:unisum');
}

it.skipIf(sharedMemory() === undefined)(
  'members of the same machine exchange vectors through memory, one is killed, another joins, and no bit differs',
  async () => {
    const data = writeFiles(join(temporaryFolder(), 'data'), smallData());
    const run = ['train', '--batch', 64, '--leaf', 8, '--json', '--data', data];
    const open = ['--listen', '127.0.0.1:0', '--placement', 'all', '--workers', 1, '--min-workers', 2];
    const coordinator = start([...run, ...open, '--steps', 10_000_000, '--evaluate-every', 50]);
    const url = await coordinator.joinUrl();
    const victim = start(['worker', url, '--name', 'victim', '--threads', 1]);
    await coordinator.prints(/testAccuracy/);
    expect([coordinator, victim].map(hasMemory)).toEqual([true, true]);
    victim.signal('SIGKILL');
    await coordinator.prints(/victim left/);
    const next = start(['worker', url, '--name', 'next', '--threads', 1]);
    await coordinator.prints(/next joined[\s\S]*testAccuracy/);
    coordinator.signal('SIGINT');
    const { status, stdout, stderr } = await coordinator.ended;
    expect(status, stderr).toBe(130);
    const { steps, weightsSha256 } = JSON.parse(stdout) as TrainResult;
    expect((await next.ended).status).toBe(0);
    const alone = await runHere(...run, '--steps', steps, '--workers', 1);
    expect((JSON.parse(alone.stdout) as TrainResult).weightsSha256).toBe(weightsSha256);
  },
);
