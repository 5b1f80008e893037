import { expect, it } from 'vitest';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { criticalBatch, type GradientSpread, spreadOf } from '../../shared/metrics/critical-batch.js';

/** Draws a number with mean 0 and variance 1. */
function normal(random: SeededRandom): number {
  const uniform = (): number => (random.below(2 ** 30) + 1) / 2 ** 30;
  return Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Gradients with this mean, and a deviation for each parameter. */
function batch(
  random: SeededRandom,
  mean: readonly number[],
  deviations: readonly number[],
  sizes: readonly number[],
) {
  const samples = sizes.reduce((sum, size) => sum + size);
  return sizes.map((size) => {
    const sum = new Float32Array(mean.length);
    for (let i = 0; i < size; i++)
      for (const [j, value] of mean.entries())
        (sum[j] as number) += (value + deviations[j]! * normal(random)) / samples;
    return { parameters: [sum.subarray(0, 2), sum.subarray(2)], samples: size };
  });
}

it.each([
  ['halves', [8, 8]],
  ['parts of different size', [8, 3]],
])('finds the noise scale that the gradients were drawn with, from %s', (_what, sizes) => {
  const random = new SeededRandom(5);
  const [mean, deviations] = [
    [0.3, -0.1, 0.2, 0],
    [1, 2, 0.5, 1],
  ];
  const [signal, noise] = [0.14, 6.25];
  const spreads: GradientSpread[] = [];
  for (let i = 0; i < 20_000; i++) {
    const [a, b] = batch(random, mean, deviations, sizes);
    spreads.push(spreadOf(a!, b!));
  }
  const meanOf = (of: (spread: GradientSpread) => number): number =>
    spreads.reduce((sum, one) => sum + of(one), 0) / spreads.length;
  expect(meanOf((one) => one.noise) / noise).toBeCloseTo(1, 1);
  expect(meanOf((one) => one.signal) / signal).toBeCloseTo(1, 1);
  expect(criticalBatch(spreads)! / (noise / signal)).toBeCloseTo(1, 1);
});

it('is unknown where the noise hides the mean gradient', () => {
  expect(criticalBatch([{ signal: -1, noise: 4 }])).toBeUndefined();
  expect(criticalBatch([])).toBeUndefined();
  expect(
    criticalBatch([
      { signal: -1, noise: 4 },
      { signal: 3, noise: 2 },
    ]),
  ).toBe(3);
});
