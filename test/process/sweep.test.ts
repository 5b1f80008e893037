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

it('halved runs have the hashes of runs of their own, and an interrupted one resumes in its middle', async () => {
  const folder = join(temporaryFolder(), 's');
  const size = ['iris', '--workers', 1];
  const halving = ['--method', 'halving', '--trials', 4, '--factor', 2, '--vary', 'lr=0.0001..0.1'];
  const sweep = [...size, '--epochs', 16, ...halving, '--sweep-dir', folder];
  let isSecondRung = false;
  const first = await sweepHere(sweep, {
    onLine: (line, interrupt) => {
      isSecondRung ||= line.startsWith('rung 2 of 2: 2 trials of 16 epochs');
      if (isSecondRung && line.startsWith('epoch 2: ')) interrupt();
    },
  });
  expect(first.result).toBeUndefined();
  const { text, result, problem } = await sweepHere(sweep);
  expect(problem).toBeUndefined();
  expect(text.match(/epochs 8: finished before/g)).toHaveLength(4);
  const [, step] = text.match(/resumes from step (\d+)/) ?? [];
  expect(Number(step)).toBeGreaterThanOrEqual(16);

  const { results, best } = result as unknown as { results: TrialResult[]; best: TrialResult };
  expect(results.map(({ state }) => state)).toEqual(Array(6).fill('finished'));
  const [half, whole] = [results.slice(0, 4), results.slice(4)];
  const lossOf = ({ metrics }: TrialResult): number => metrics.testLoss ?? Number.NaN;
  const better = [...half].sort((a, b) => lossOf(a) - lossOf(b)).slice(0, 2);
  expect(whole.map(({ options }) => options.lr).sort()).toEqual(
    better.map(({ options }) => options.lr).sort(),
  );
  expect(lossOf(best)).toBe(Math.min(...whole.map(lossOf)));
  for (const { name, options, weightsSha256 } of results) {
    expect(name).toMatch(new RegExp(`-epochs-${options.epochs}$`));
    const words = ['--lr', options.lr as string, '--epochs', options.epochs as string];
    const alone = await trainHere([...size, ...words, '--run-dir', join(folder, `alone-${name}`)]);
    expect(weightsSha256).toBe((alone.result as unknown as TrainResult).weightsSha256);
  }
}, 60_000);
