import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadSafetensors } from '../../shared/files/safetensors.js';
import type { TrainResult } from '../../trainer/result.js';
import { trainHere } from '../support/in-process.js';
import { start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { runHere } from '../support/program-here.js';

const RUN = ['train', '--batch', 64, '--leaf', 8, '--optimizer', 'sgd', '--lr', 1, '--json'];

async function train(...options: (string | number)[]): Promise<TrainResult> {
  const data = writeFiles(temporaryFolder(), smallData());
  const folder = options.includes('--run-dir') ? [] : ['--run-dir', join(temporaryFolder(), 'run')];
  const { problem, result } = await trainHere([...RUN.slice(1), '--data', data, ...folder, ...options]);
  expect(problem).toBeUndefined();
  return result as unknown as TrainResult;
}

/** All parameters after a run of one step. */
async function weightsAfterOneStep(...options: (string | number)[]): Promise<Float32Array[]> {
  const directory = join(temporaryFolder(), 'run');
  await train('--steps', 1, '--workers', 1, '--run-dir', directory, ...options);
  const { tensors } = await loadSafetensors(join(directory, 'weights.safetensors'));
  return tensors.map(({ values }) => values);
}

/** The change of each weight in one step: with a learning rate of 1, minus the gradient. */
async function steps(...options: (string | number)[]): Promise<number[]> {
  // A rate too small to change any weight.
  const before = await weightsAfterOneStep('--lr', 1e-30);
  const after = await weightsAfterOneStep(...options);
  return after.flatMap((values, i) => [...values].map((w, j) => w - (before[i]?.[j] as number)));
}

const norm = (values: readonly number[]): number => Math.hypot(...values);

describe('a run that diverges', () => {
  it('ends with one line that says where it diverged, why, and what to do', async () => {
    const data = writeFiles(temporaryFolder(), smallData());
    const ended = await runHere(...RUN, '--data', data, '--lr', 1e30, '--steps', 24);
    expect(ended).toMatchObject({ status: 1, stdout: '' });
    const last = await runHere(...RUN, '--data', data, '--lr', 1e38, '--steps', 1);
    expect(last, 'after its only step').toMatchObject({ status: 1, stdout: '' });
    expect(last.stderr).toMatch(/unisum: the evaluation after step 1 is not finite[;:]/);
    expect(last.stderr).not.toContain('was not applied');
    expect(ended.stderr).toMatch(
      /unisum: step \d+ was not applied: .* not finite; .*--lr 1e\+29.*--clip-norm 1.*\n$/,
    );
  });

  it('keeps the weights from before the step that was not applied', async () => {
    const data = writeFiles(temporaryFolder(), smallData());
    const directory = join(temporaryFolder(), 'run');
    const options = ['--data', data, '--lr', 3e19, '--steps', 24, '--run-dir', directory];
    const { status, stderr } = await runHere(...RUN, ...options);
    expect(status).toBe(1);
    const done = Number(/step (\d+) was not applied/.exec(stderr)?.[1]) - 1;
    expect(stderr).toContain(`the weights of step ${done} are in ${directory}`);
    const { tensors } = await loadSafetensors(join(directory, 'weights.safetensors'));
    expect(tensors.every(({ values }) => values.every(Number.isFinite))).toBe(true);
    const again = join(temporaryFolder(), 'again');
    // Its only evaluation is not finite either.
    await runHere(...RUN, '--data', data, '--lr', 3e19, '--steps', done, '--run-dir', again);
    expect((await loadSafetensors(join(again, 'weights.safetensors'))).tensors).toEqual(tensors);
  });
});

describe('clipping', () => {
  it('by the global norm keeps the direction of the gradient and limits its norm', async () => {
    const free = await steps();
    const clipped = await steps('--clip-norm', 0.125);
    expect(norm(free)).toBeGreaterThan(0.25);
    expect(norm(clipped)).toBeCloseTo(0.125, 5);
    const along = free.reduce((sum, g, i) => sum + g * (clipped[i] as number), 0);
    expect(along / (norm(free) * norm(clipped))).toBeCloseTo(1, 5);
  });

  it('does not change a gradient with a smaller norm', async () => {
    const free = await train('--steps', 8, '--workers', 1);
    const clipped = await train('--steps', 8, '--workers', 1, '--clip-norm', 1e6);
    expect(clipped.weightsSha256).toBe(free.weightsSha256);
  });

  it('by value limits every element', async () => {
    const free = await steps();
    const clipped = await steps('--clip-value', 0.01);
    expect(Math.max(...free.map(Math.abs))).toBeGreaterThan(0.02);
    expect(Math.max(...clipped.map(Math.abs))).toBeCloseTo(0.01, 6);
    clipped.forEach((g, i) => {
      expect(g).toBeCloseTo(Math.max(-0.01, Math.min(0.01, free[i] as number)), 6);
    });
  });

  it('by the norm of each tensor limits each norm and keeps each direction', async () => {
    const free = await weightsAfterOneStep();
    const clipped = await weightsAfterOneStep('--clip-tensor-norm', 0.0625);
    const before = await weightsAfterOneStep('--lr', 1e-30);
    const stepOf = (after: readonly Float32Array[], i: number): number[] =>
      [...after[i]!].map((w, j) => w - before[i]![j]!);
    for (const i of before.keys()) {
      const [long, short] = [stepOf(free, i), stepOf(clipped, i)];
      expect(norm(short)).toBeCloseTo(Math.min(0.0625, norm(long)), 5);
      const along = long.reduce((sum, g, j) => sum + g * short[j]!, 0);
      expect(along / (norm(long) * norm(short))).toBeCloseTo(1, 4);
    }
  });

  it('by the global norm gives the same weights for any number of local and remote workers and threads', async () => {
    const options = ['--steps', 24, '--clip-norm', 0.125];
    const one = await train(...options, '--workers', 1);
    expect((await train('--steps', 24, '--workers', 1)).weightsSha256).not.toBe(one.weightsSha256);
    for (const [workers, threads] of [
      [2, 1],
      [3, 1],
      [1, 2],
    ] as const) {
      const result = await train(...options, '--workers', workers, '--threads', threads);
      expect(result.weightsSha256, `${workers} workers of ${threads} threads`).toBe(one.weightsSha256);
    }
    const data = writeFiles(temporaryFolder(), smallData());
    const far = [
      ...RUN,
      ...options,
      '--data',
      data,
      '--workers',
      1,
      '--min-workers',
      2,
      '--placement',
      'all',
    ];
    const coordinator = start([...far, '--listen', '127.0.0.1:0']);
    start(['worker', await coordinator.joinUrl()]);
    const { status, stdout, stderr } = await coordinator.ended;
    expect(status, stderr).toBe(0);
    expect((JSON.parse(stdout) as TrainResult).weightsSha256).toBe(one.weightsSha256);
  });
});
