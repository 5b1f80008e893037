import { endsEpoch } from '../../shared/data/step-shape.js';
import {
  initialStopping,
  isOutOfPatience,
  type StoppingState,
  updateStopping,
} from '../../shared/optim/early-stopping.js';
import { initialPlateau, type PlateauState, updatePlateau } from '../../shared/optim/plateau.js';
import type { CoordinatorEffect } from '../state/messages.js';
import type { RunSettings } from '../state/run-settings.js';
import type { RunProgress } from '../storage/checkpoint.js';

/*
 * What evaluations decide: which weights are the best, the learning rate after a plateau, and when the run stops early. All
 * of it follows from the losses of evaluations, and is part of what a run saves.
 */

/** The evaluation policy's part of the state. */
export interface EvaluationState {
  readonly settings: Pick<
    RunSettings,
    | 'plateau'
    | 'earlyStopping'
    | 'evaluateEvery'
    | 'isEvaluated'
    | 'learningRate'
    | 'samples'
    | 'batch'
    | 'leafSize'
    | 'local'
    | 'steps'
  >;
  /** The evaluation with the lowest loss so far. */
  best: RunProgress['best'];
  /** The learning rate's multiple after plateaus, and for how long no evaluation was better; where settings ask for it. */
  plateau: PlateauState | undefined;
  stopping: StoppingState | undefined;
  /** The step whose weights the run has ended with, where it has put the best in place. */
  restored: number | undefined;
}

/** Before the first evaluation; or, in a run that goes on, what it had come to. */
export function initialEvaluation(
  settings: EvaluationState['settings'],
  from: RunProgress | undefined,
): EvaluationState {
  const part: EvaluationState = {
    settings,
    best: null,
    plateau: undefined,
    stopping: undefined,
    restored: undefined,
  };
  resetEvaluation(part, from);
  return part;
}

/** Goes back to what evaluations had come to at an earlier state. */
export function resetEvaluation(part: EvaluationState, to: RunProgress | undefined): void {
  const { plateau, earlyStopping } = part.settings;
  part.best = to?.best ?? null;
  part.plateau = plateau && (to?.plateau ?? initialPlateau());
  part.stopping = earlyStopping && (to?.stopping ?? initialStopping());
}

/** What a run has to remember of its evaluations. */
export function evaluationProgress({
  best,
  plateau,
  stopping,
}: EvaluationState): Pick<RunProgress, 'best' | 'plateau' | 'stopping'> {
  return { best, ...(plateau && { plateau }), ...(stopping && { stopping }) };
}

/** The learning rate of the optimizer step after this many. */
export function learningRateAfter({ settings, plateau }: EvaluationState, stepsDone: number): number {
  return settings.learningRate(stepsDone) * (plateau?.multiple ?? 1);
}

/** Whether the state after this many steps is to be evaluated: every so many steps, and after the last. */
export function evaluationIsDue({ settings }: EvaluationState, step: number): boolean {
  const { evaluateEvery, isEvaluated = true, steps } = settings;
  if (!isEvaluated) return false;
  if (step === steps) return true;
  return evaluateEvery === undefined ? endsEpoch(settings, step) : step % evaluateEvery === 0;
}

/** Steps until the rate may change; at least 1. Executions end with epochs in any case. */
export function stepsToEvaluation({ settings: { evaluateEvery } }: EvaluationState, step: number): number {
  return evaluateEvery === undefined ? Number.POSITIVE_INFINITY : evaluateEvery - (step % evaluateEvery);
}

/** An evaluation has ended with this mean loss, which is finite. */
export function onEvaluated(part: EvaluationState, step: number, loss: number): CoordinatorEffect[] {
  const { settings } = part;
  const effects: CoordinatorEffect[] = [];
  if (loss < (part.best?.loss ?? Number.POSITIVE_INFINITY)) {
    part.best = { step, loss };
    if (keepsBest(part)) effects.push({ kind: 'keep-best' });
  }
  if (settings.plateau !== undefined && part.plateau !== undefined) {
    const { settings: plateau, baseRate } = settings.plateau;
    const before = part.plateau.multiple;
    part.plateau = updatePlateau(plateau, baseRate, part.plateau, loss);
    if (part.plateau.multiple < before) {
      const innerSteps = step * (settings.local?.steps ?? 1);
      const rate = Number(learningRateAfter(part, innerSteps).toPrecision(6));
      const text = `step ${step}: evaluations have stopped improving, the learning rate falls to ${rate}`;
      effects.push({ kind: 'notice', text });
    }
  }
  if (settings.earlyStopping !== undefined && part.stopping !== undefined)
    part.stopping = updateStopping(settings.earlyStopping, part.stopping, loss);
  return effects;
}

/** Whether evaluations have stopped improving for so long that the run ends. */
export function isStoppedEarly({ settings: { earlyStopping }, stopping }: EvaluationState): boolean {
  return earlyStopping !== undefined && stopping !== undefined && isOutOfPatience(earlyStopping, stopping);
}

/** The run has ended: puts the best weights in place, after everything is saved. @param step steps done */
export function restoreBest(part: EvaluationState, step: number): CoordinatorEffect[] {
  const { best } = part;
  if (!keepsBest(part) || best === null) return [];
  part.restored = best.step;
  return best.step < step ? [{ kind: 'restore-best' }] : [];
}

/** Whether the run keeps the weights of its best evaluation beside those that it trains. */
function keepsBest({ settings: { earlyStopping } }: EvaluationState): boolean {
  return earlyStopping?.restoreBest ?? false;
}
