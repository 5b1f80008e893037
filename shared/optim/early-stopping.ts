/*
 * Early stopping: a run ends when it has stopped getting better on data that it does not learn from, with the weights that
 * were best there. As Keras defines it (EarlyStopping): an evaluation is an improvement when its loss is below that of the
 * latest improvement by more than `minDelta`; `patience` evaluations in a row without one end the run. A pure function of
 * what evaluations came to, as reduceOnPlateau is.
 */
import * as v from 'valibot';
import { checkSettings } from './check-settings.js';

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const SCHEMA = v.strictObject({
  /** Evaluations. */
  patience: v.pipe(Count, v.minValue(1)),
  minDelta: v.pipe(v.number(), v.finite(), v.minValue(0)),
  /** The run ends with the weights of its best evaluation, also where it ends by itself; else with its last. */
  restoreBest: v.boolean(),
});
export type EarlyStopping = v.InferOutput<typeof SCHEMA>;

export const StoppingStateSchema = v.strictObject({
  /** Loss of the latest improvement; null before the first evaluation. */
  loss: v.nullable(v.number()),
  /** Evaluations since then. */
  wait: Count,
});
/** What is remembered from evaluation to evaluation: plain data. */
export type StoppingState = v.InferOutput<typeof StoppingStateSchema>;

/** Settings; default: 5 evaluations, any improvement counts, the best weights are kept. */
export function earlyStopping(options: Partial<EarlyStopping> = {}): EarlyStopping {
  return { patience: 5, minDelta: 0, restoreBest: true, ...options };
}

/**
 * Settings of early stopping, wherever they come from.
 * @param exitStatus 2 where they were typed
 * @throws UserError that names the setting that is wrong
 */
export function checkEarlyStopping(settings: EarlyStopping, exitStatus: 1 | 2 = 1): EarlyStopping {
  return checkSettings(SCHEMA, settings, { what: 'early stopping', key: 'patience', exitStatus });
}

/** Before the first evaluation. */
export function initialStopping(): StoppingState {
  return { loss: null, wait: 0 };
}

/** After one more evaluation. */
export function waited({ minDelta }: EarlyStopping, before: StoppingState, loss: number): StoppingState {
  const isBetter = before.loss === null || loss < before.loss - minDelta;
  return isBetter ? { loss, wait: 0 } : { ...before, wait: before.wait + 1 };
}

/** Whether the run is to end. A run that goes on with more patience goes on. */
export function isOutOfPatience({ patience }: EarlyStopping, { wait }: StoppingState): boolean {
  return wait >= patience;
}
