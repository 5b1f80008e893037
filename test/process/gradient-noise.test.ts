import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { philox, type Words } from '../../shared/data/philox.js';
import { loadSafetensors } from '../../shared/files/safetensors.js';
import type { Tensor } from '../../shared/files/tensors.js';
import { keyOf } from '../../shared/graph/keys.js';
import type { TrainResult } from '../../trainer/result.js';
import { trainHere } from '../support/in-process.js';
import { start } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';

const ROOT = mkdtempSync(join(tmpdir(), 'unisum-gradient-noise-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = ['train', '--batch', 64, '--leaf', 8, '--lr', 1, '--json', '--data', DATA];
afterAll(() => rmSync(ROOT, { recursive: true }));

let runs = 0;

async function train(...options: (string | number)[]): Promise<TrainResult> {
  const folder = options.includes('--run-dir') ? [] : ['--run-dir', join(ROOT, `run ${++runs}`)];
  const { problem, result } = await trainHere([...RUN.slice(1), ...folder, ...options]);
  expect(problem).toBeUndefined();
  return result as unknown as TrainResult;
}

async function weightsOf(name: string, ...options: (string | number)[]): Promise<readonly Tensor[]> {
  const folder = join(ROOT, name);
  await train('--optimizer', 'sgd', '--workers', 1, '--run-dir', folder, ...options);
  return (await loadSafetensors(join(folder, 'weights.safetensors'))).tensors;
}

/** Element i of a parameter's noise in a step, by the method of Box and Muller. */
function noiseOf(name: string, seed: number, step: number, i: number): number {
  const words: Words = [i >> 2, step, 0, 0];
  const { key0, key1 } = keyOf('gradientNoise', seed, name);
  philox(words, key0, key1);
  const [one, other] = i % 4 < 2 ? [words[0], words[1]] : [words[2], words[3]];
  const radius = Math.sqrt(-2 * Math.log(((one >>> 8) + 1) / 2 ** 24));
  const angle = (2 * Math.PI * (other >>> 8)) / 2 ** 24;
  return radius * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
}

it('gradient noise depends on the name of the parameter, the seed and the step, and is added after clipping', async () => {
  // The gradient is clipped to almost nothing, so that a step of rate 1 is the noise.
  const options = ['--seed', 3, '--clip-value', 1e-30, '--gradient-noise', '0.25:gamma=2'];
  const [none, one, two] = [
    await weightsOf('none', '--seed', 3, '--clip-value', 1e-30, '--steps', 2),
    await weightsOf('one', ...options, '--steps', 1),
    await weightsOf('two', ...options, '--steps', 2),
  ];
  expect(none.length).toBe(4);
  none.forEach(({ name, values }, p) => {
    const [first, second] = [one[p]!.values, two[p]!.values];
    const some = [0, 1, 2, 3, 5, 9, values.length - 1].filter((i) => i < values.length);
    // Across the boundaries of blocks and of threads' slices.
    for (const i of [...some, 1023, 1024, 4099].filter((i) => i < values.length)) {
      expect(values[i]! - first[i]!, `${name} ${i}`).toBeCloseTo(0.5 * noiseOf(name, 3, 0, i), 5);
      // sigma = sqrt(0.25 / (1 + 1)^2)
      expect(first[i]! - second[i]!, `${name} ${i}`).toBeCloseTo(0.25 * noiseOf(name, 3, 1, i), 5);
    }
  });
});

it.each(['adam', 'muon'])(
  'gives the same weights for any number of workers, near and far, with %s',
  async (optimizer) => {
    const options = ['--steps', 12, '--optimizer', optimizer, '--lr', 0.01, '--gradient-noise', 0.01];
    const one = await train(...options, '--workers', 1);
    const quiet = await train('--steps', 12, '--optimizer', optimizer, '--lr', 0.01, '--workers', 1);
    expect(quiet.weightsSha256).not.toBe(one.weightsSha256);
    for (const [workers, threads] of [
      [2, 1],
      [3, 1],
      [1, 2],
    ] as const) {
      const { weightsSha256 } = await train(...options, '--workers', workers, '--threads', threads);
      expect(weightsSha256, `${workers} workers of ${threads} threads`).toBe(one.weightsSha256);
    }
    const far = [
      ...RUN,
      ...options,
      '--workers',
      1,
      '--min-workers',
      2,
      '--placement',
      'all',
      '--listen',
      '127.0.0.1:0',
    ];
    const coordinator = start(far);
    start(['worker', await coordinator.joinUrl()]);
    const { status, stdout, stderr } = await coordinator.ended;
    expect(status, stderr).toBe(0);
    expect((JSON.parse(stdout) as TrainResult).weightsSha256).toBe(one.weightsSha256);
  },
);
