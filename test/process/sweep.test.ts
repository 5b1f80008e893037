import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { TrialResult } from '../../scripts/sweep/trials.js';
import type { TrainResult } from '../../trainer/result.js';
import { sweepHere, trainHere } from '../support/in-process.js';
import { temporaryFolder } from '../support/process.js';

it('a sweep that was interrupted goes on, every run has the hash of train, and a trial that fails ends nothing', async () => {
  const folder = join(temporaryFolder(), 's');
  const size = ['iris', '--epochs', 2, '--workers', 1];
  const sweep = [...size, '--vary', 'lr=0.1,0,0.01', '--sweep-dir', folder];
  const first = await sweepHere(sweep, {
    onLine: (line, interrupt) => {
      if (line.startsWith('trial-003: ')) interrupt();
    },
  });
  expect(first.result).toBeUndefined();
  const { text, result, problem } = await sweepHere(sweep);
  expect(problem).toBeUndefined();
  expect(text).toContain('trial-001: --lr 0.1: finished before');
  const { results, best } = result as unknown as { results: TrialResult[]; best: TrialResult };
  expect(results.map(({ state }) => state)).toEqual(['finished', 'failed', 'finished']);
  expect(results[1]?.error).toMatch(/^--lr takes a number above 0, .*not "0"$/);
  expect(best.name).toBe('trial-001');
  const alone = await trainHere([...size, '--lr', 0.01, '--run-dir', join(folder, 'alone')]);
  expect(results[2]?.weightsSha256).toBe((alone.result as unknown as TrainResult).weightsSha256);
}, 60_000);
