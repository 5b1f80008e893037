/*
 * Reduce on plateau: the learning rate is reduced when the loss on the evaluation data stops improving. As in Keras
 * (ReduceLROnPlateau): an evaluation is an improvement if its loss is below the best one by more than `minDelta`; after
 * `patience` evaluations without an improvement
 *
 *     rate = max(rate * factor, minLr)
 *
 * and the next `cooldown` evaluations are not counted. The rate is a pure function of the losses of evaluations, which are
 * canonical sums, so it is the same on every machine.
 */
import * as v from 'valibot';
import { optionsOf } from '../nearest.js';

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const NotNegative = v.pipe(v.number(), v.finite(), v.minValue(0));

export const ReduceOnPlateauSchema = v.strictObject({
  name: v.literal('reduceOnPlateau'),
  /** Steps of the warm-up, in which the rate rises linearly to its full size; 0: none. */
  warmup: Count,
  factor: v.pipe(v.number(), v.gtValue(0), v.ltValue(1)),
  /** Evaluations. */
  patience: v.pipe(Count, v.minValue(1)),
  minDelta: NotNegative,
  /** Evaluations. */
  cooldown: Count,
  /** A learning rate. */
  minLr: NotNegative,
});
export type ReduceOnPlateau = v.InferOutput<typeof ReduceOnPlateauSchema>;

export const PlateauStateSchema = v.strictObject({
  /** The rate, as a multiple of the base rate. */
  multiple: v.number(),
  /** Loss of the latest improvement; null before the first evaluation. */
  loss: v.nullable(v.number()),
  /** Evaluations since then, or since the latest reduction. */
  wait: Count,
  /** Evaluations that are not counted yet. */
  cooldown: Count,
});
/** The state between evaluations: plain data. */
export type PlateauState = v.InferOutput<typeof PlateauStateSchema>;

/** Settings; default (as in Keras except patience): a tenth after 5 evaluations without an improvement of 0.0001, down to 0. */
export function reduceOnPlateau(options: Partial<Omit<ReduceOnPlateau, 'name'>> = {}): ReduceOnPlateau {
  const rest = { minDelta: 1e-4, cooldown: 0, minLr: 0 };
  return {
    name: 'reduceOnPlateau',
    warmup: 0,
    factor: 0.1,
    patience: 5,
    ...rest,
    ...optionsOf('reduceOnPlateau()', options),
  };
}

/** The state before the first evaluation. */
export function initialPlateau(): PlateauState {
  return { multiple: 1, loss: null, wait: 0, cooldown: 0 };
}

/**
 * The state after one more evaluation.
 * @param baseRate the learning rate at which `multiple` is 1
 */
export function updatePlateau(
  { factor, patience, minDelta, cooldown: rest, minLr }: ReduceOnPlateau,
  baseRate: number,
  before: PlateauState,
  loss: number,
): PlateauState {
  const cooldown = Math.max(0, before.cooldown - 1);
  if (before.loss === null || loss < before.loss - minDelta) return { ...before, loss, wait: 0, cooldown };
  // As in Keras: the last evaluation of a cooldown counts.
  if (cooldown > 0) return { ...before, wait: 0, cooldown };
  const wait = (before.cooldown > 0 ? 0 : before.wait) + 1;
  const least = minLr / baseRate;
  if (wait < patience || before.multiple <= least) return { ...before, wait, cooldown };
  return { ...before, multiple: Math.max(before.multiple * factor, least), wait: 0, cooldown: rest };
}
