import { describe, expect, it } from 'vitest';
import { stepPlace, stepsPerEpoch } from '../../shared/data/order.js';
import {
  endsEpoch,
  epochsAfter,
  firstInnerStep,
  leavesOf,
  ordersInUse,
  type StepShape,
  samplesIn,
  samplesOf,
  stepsOfEpochs,
} from '../../shared/data/step-shape.js';
import { rowsOf } from '../../shared/reduction/tree.js';

const BATCHES: StepShape = { samples: 103, batch: 20, leafSize: 8 };
/** 21 optimizer steps an epoch, the last of 3 samples; a round takes 4 x 3 of them. */
const ROUNDS: StepShape = { ...BATCHES, leafSize: 5, local: { replicas: 4, steps: 3 } };

/** Samples of each optimizer step of a replica, by the definition. */
function innerSizes({ samples, batch, local }: StepShape, round: number, replica: number): number[] {
  const { replicas, steps } = local as NonNullable<typeof local>;
  return Array.from(
    { length: steps },
    (_, j) => stepPlace((round * replicas + replica) * steps + j, samples, batch / replicas).size,
  );
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe('a step', () => {
  it('takes a batch, in leaves', () => {
    for (let step = 0; step < 14; step++) {
      const { size } = stepPlace(step, 103, 20);
      expect(samplesOf(BATCHES, step)).toBe(size);
      expect(leavesOf(BATCHES, step)).toBe(Math.ceil(size / 8));
      expect(samplesIn(BATCHES, step, { from: 0, to: 1 })).toBe(rowsOf({ from: 0, to: 1 }, size, 8).rows);
      expect(endsEpoch(BATCHES, step + 1)).toBe((step + 1) % stepsPerEpoch(103, 20) === 0);
    }
    expect(stepsOfEpochs(BATCHES, 3)).toBe(18);
    expect(ordersInUse(BATCHES)).toBe(2);
  });

  it('of local updates takes the batches of all replicas', () => {
    for (let round = 0; round < 12; round++) {
      expect(leavesOf(ROUNDS, round)).toBe(4);
      const each = [0, 1, 2, 3].map((replica) => sum(innerSizes(ROUNDS, round, replica)));
      for (const [replica, samples] of each.entries())
        expect(samplesIn(ROUNDS, round, { from: replica, to: replica + 1 })).toBe(samples);
      expect(samplesOf(ROUNDS, round)).toBe(sum(each));
    }
  });

  it('of local updates visits every sample once in an epoch, in the order of replicas', () => {
    const first = Array.from({ length: 28 }, (_, i) =>
      firstInnerStep({ replicas: 4, steps: 3 }, i >> 2, i & 3),
    );
    expect(first).toEqual(Array.from({ length: 28 }, (_, i) => 3 * i));
    // 84 optimizer steps are four epochs of 21.
    expect(sum(Array.from({ length: 7 }, (_, round) => samplesOf(ROUNDS, round)))).toBe(4 * 103);
  });

  it('of local updates ends an epoch where the optimizer steps of all replicas reach one', () => {
    expect([1, 2, 3, 4, 5, 6, 7].map((done) => endsEpoch(ROUNDS, done))).toEqual([
      false,
      true,
      false,
      true,
      false,
      true,
      true,
    ]);
    expect(epochsAfter(ROUNDS, 7)).toBe(4);
    expect(stepsOfEpochs(ROUNDS, 4)).toBe(7);
    expect(stepsOfEpochs(ROUNDS, 1)).toBe(2);
    expect(ordersInUse({ ...ROUNDS, local: { replicas: 4, steps: 30 } })).toBe(7);
  });
});
