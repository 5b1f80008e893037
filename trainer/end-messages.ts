import type { RunEnd } from '../coordinator/run-coordinator.js';
import type { Diagnosis } from '../shared/engine/passes/gradient-inspector.js';

/** How to resume an interrupted run. @param resume the command that resumes it */
export function interruptedMessage({ steps, savedSteps }: RunEnd, resume: string): string {
  if (savedSteps < 0) return `interrupted at step ${steps}; no checkpoint was saved`;
  const saved = savedSteps === steps ? 'with a checkpoint' : `with a checkpoint of step ${savedSteps}`;
  return `interrupted at step ${steps}, ${saved}; to resume:  ${resume}`;
}

/** Why early stopping ended a run. */
export function stoppedMessage({ steps, best }: RunEnd, patience: number): string {
  const since = best === null ? '' : ` (best: step ${best.step}, loss ${best.loss.toFixed(4)})`;
  const evaluations = patience === 1 ? '1 evaluation' : `${patience} evaluations in a row`;
  return `stopped early at step ${steps}: no improvement in ${evaluations}${since}`;
}

/** What is known about a run that has diverged. */
interface DivergedRun {
  readonly recipe: string;
  readonly learningRate: number;
  /** Where the values stop being finite (see Trainer.diagnose); undefined: only those of the evaluation are not. */
  readonly diagnosis: Diagnosis | undefined;
  /** Whether the weights are finite. */
  readonly areWeightsFinite: boolean;
  /** The run's directory, in which finite weights have been saved. */
  readonly path: string;
}

/** Why a run cannot continue, what the likely remedy is, and where its last finite weights are. */
export function divergedMessage(
  { steps, divergence }: RunEnd,
  { recipe, learningRate, diagnosis, areWeightsFinite, path }: DivergedRun,
): string {
  const lower = Number((learningRate / 10).toPrecision(3));
  const what =
    divergence === 'evaluation'
      ? `the evaluation after step ${steps} is not finite`
      : `step ${steps + 1} was not applied`;
  const where = diagnosis === undefined ? '' : `: ${diagnosis.what}`;
  const remedy = remedyOf(
    diagnosis?.given,
    `the learning rate is too high (try --lr ${lower}, or find one: lr-find ${recipe}) or gradients explode (try --clip-norm 1)`,
  );
  const weights = areWeightsFinite
    ? `the weights of step ${steps} are in ${path}`
    : 'no weights were saved, because they are not finite either';
  return `${what}${where}; ${remedy}; ${weights}`;
}

/** What to do. @param learning what else may have led there */
function remedyOf(given: Diagnosis['given'], learning: string): string {
  if (given === undefined) return `most likely ${learning}`;
  const { layer, op, x, domain } = given;
  const values = `${op} was given ${Number(x.toPrecision(3))}, and takes ${domain}`;
  return `${values}: keep the input of ${layer} there (ops.clip, ops.plus); if it was there in earlier steps, ${learning}`;
}
