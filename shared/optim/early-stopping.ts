/*
 * Early stopping: a run ends when its loss on the evaluation data stops improving, with the weights that were best there. As
 * in Keras (EarlyStopping): an evaluation is an improvement if its loss is below that of the latest improvement by more than
 * `minDelta`; `patience` evaluations in a row without an improvement end the run. The decision is a pure function of the
 * losses of evaluations, like reduceOnPlateau.
 */
import * as v from 'valibot';
import { optionsOf } from '../nearest.js';
import { checkSettings } from './check-settings.js';

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const SCHEMA = v.strictObject({
  /** Evaluations. */
  patience: v.pipe(Count, v.minValue(1)),
  minDelta: v.pipe(v.number(), v.finite(), v.minValue(0)),
  /** Whether the run ends with the weights of its best evaluation, also at its regular end; else with its last weights. */
  restoreBest: v.boolean(),
});
export type EarlyStopping = v.InferOutput<typeof SCHEMA>;

export const StoppingStateSchema = v.strictObject({
  /** Loss of the latest improvement; null before the first evaluation. */
  loss: v.nullable(v.number()),
  /** Evaluations since then. */
  wait: Count,
});
/** The state between evaluations: plain data. */
export type StoppingState = v.InferOutput<typeof StoppingStateSchema>;

/** Settings; default: a patience of 5 evaluations, every improvement counts, the best weights are restored. */
export function earlyStopping(options: Partial<EarlyStopping> = {}): EarlyStopping {
  return { patience: 5, minDelta: 0, restoreBest: true, ...optionsOf('earlyStopping()', options) };
}

/**
 * Checks the settings of early stopping.
 * @param exitStatus 2 for settings from the command line
 * @throws UserError that names the wrong setting
 */
export function checkEarlyStopping(settings: EarlyStopping, exitStatus: 1 | 2 = 1): EarlyStopping {
  return checkSettings(SCHEMA, settings, { what: 'early stopping', key: 'patience', exitStatus });
}

/** The state before the first evaluation. */
export function initialStopping(): StoppingState {
  return { loss: null, wait: 0 };
}

/** The state after one more evaluation. */
export function updateStopping(
  { minDelta }: EarlyStopping,
  before: StoppingState,
  loss: number,
): StoppingState {
  const isBetter = before.loss === null || loss < before.loss - minDelta;
  return isBetter ? { loss, wait: 0 } : { ...before, wait: before.wait + 1 };
}

/** Whether the run ends. A run that is resumed with more patience continues. */
export function isOutOfPatience({ patience }: EarlyStopping, { wait }: StoppingState): boolean {
  return wait >= patience;
}
