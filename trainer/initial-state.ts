import type { CheckpointWriter } from '../coordinator/compute/checkpoint-writer.js';
import { Snapshots } from '../coordinator/compute/snapshots.js';
import type { RunProgress } from '../coordinator/storage/checkpoint.js';
import { type TakenTensors, takeTensors } from '../shared/engine/run-memory.js';
import { differences } from './learning-settings.js';
import type { RunPlan } from './run-plan.js';
import type { TrainingMemory } from './training-memory.js';

/* The state that a run begins with or resumes from, and those that it can go back to. */

/** Room for copies of all vectors that steps change. */
export function snapshotsOf({ train, state, residual, best }: TrainingMemory): Snapshots {
  const others = [best?.at, residual].filter((at) => at !== undefined);
  return new Snapshots(train, [...state, ...others]);
}

/**
 * Puts the weights in place that the run begins with, or the state that it resumes from.
 * @returns `taken`: which of the weights that were given fit; `kept`: the states that a resumed run can go back to, a snapshot of
 * each is kept
 * @throws UserError when no initial weight fits the network
 */
export function loadInitialState(
  { request: { parameters, from, memory }, updateRule: { optimizer }, settings }: RunPlan,
  { train }: TrainingMemory,
  checkpointWriter: CheckpointWriter,
  snapshots: Snapshots,
): { readonly taken?: TakenTensors | undefined; readonly kept: readonly RunProgress[] } {
  if (from === undefined)
    return { taken: parameters && takeTensors(train, train.weights, parameters), kept: [] };
  const kept: RunProgress[] = [];
  const keep = (progress: RunProgress): void => {
    snapshots.keep(progress.step);
    kept.push(progress);
  };
  // With other settings than before, the run would not come to the same weights again.
  if (memory !== undefined && differences(settings, from.settings).length === 0) {
    if (memory.isInitialDrawn && memory.bases[0]?.progress.step !== 0)
      keep({ step: 0, optimizer: optimizer.init(), best: null });
    for (const base of memory.bases) {
      checkpointWriter.restore(base);
      keep(base.progress);
    }
  }
  checkpointWriter.restore(from);
  return { kept };
}

/** The progress to resume from. A best evaluation whose weights were not saved is forgotten. */
export function progressOf({ request: { from }, earlyStopping }: RunPlan): RunProgress | undefined {
  if (from === undefined) return undefined;
  const lacksBest = earlyStopping?.restoreBest === true && from.best === undefined;
  return lacksBest ? { ...from.progress, best: null } : from.progress;
}
