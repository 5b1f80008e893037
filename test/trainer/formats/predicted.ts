import { expect } from 'vitest';
import type { Tensor } from '../../../shared/files/tensors.js';
import type { Model } from '../../../shared/graph/model.js';
import { TrainedModel } from '../../../trainer/trained-model.js';

/** What predict computes. */
export async function predicted(
  network: Model,
  weights: readonly Tensor[],
  inputs: Readonly<Record<string, Float32Array>>,
): Promise<Float32Array> {
  const model = await TrainedModel.load({ network, leafSize: 4, threads: 1, backend: 'auto' }, weights);
  try {
    return await model.predictor.predict(inputs);
  } finally {
    await model.stop();
  }
}

/** The largest difference, relative to numbers above 1. */
export function furthest(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual).toHaveLength(expected.length);
  return Array.from(actual).reduce((most, value, i) => {
    const wanted = expected[i] as number;
    return Math.max(most, Math.abs(value - wanted) / Math.max(1, Math.abs(wanted)));
  }, 0);
}
