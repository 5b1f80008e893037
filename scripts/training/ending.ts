import type { RunEnd } from '../../coordinator/main.js';
import type { RunDirectory } from '../../coordinator/run-directory.js';
import { UserError } from '../../shared/errors.js';
import type { LocalRun } from './local-run.js';

/** How to go on with a run that was interrupted. @param path its folder */
export function howToGoOn({ steps, savedSteps }: RunEnd, path: string): string {
  if (savedSteps < 0) return `interrupted at step ${steps}; no checkpoint was saved`;
  const saved = savedSteps === steps ? 'and saved there' : `saved at step ${savedSteps}`;
  return `interrupted at step ${steps}, ${saved}; to go on:  npm start -- --resume ${path}`;
}

/** Why a run ended before its last step, as it was asked to. */
export function whyStopped({ steps, best }: RunEnd, patience: number): string {
  const since = best === null ? '' : ` (the best was after step ${best.step}, loss ${best.loss.toFixed(4)})`;
  const evaluations = patience === 1 ? 'an evaluation' : `${patience} evaluations in a row`;
  return `stopped early at step ${steps}: ${evaluations} brought no improvement${since}`;
}

/** Why the run cannot go on, what mends it, and where the weights are that it had before. */
export async function divergence(
  run: LocalRun,
  { steps, divergence }: RunEnd,
  { recipe, learningRate }: { readonly recipe: string; readonly learningRate: number },
  directory: RunDirectory,
): Promise<UserError> {
  const lower = Number((learningRate / 10).toPrecision(3));
  const kept = run.parameters().every(({ values }) => values.every(Number.isFinite));
  const what =
    divergence === 'evaluation'
      ? `the evaluation after step ${steps} is not finite${kept ? '' : `: ${await run.diagnose(steps)}`}`
      : `step ${steps + 1} was not done: ${await run.diagnose(steps)}`;
  if (kept) await directory.saveWeights(run.parameters());
  return new UserError(
    `${what}; most likely the learning rate is too high (try --lr ${lower}, or find one: lr-find ${recipe}) or gradients explode (try --clip-norm 1); ${kept ? `the weights of step ${steps} are in ${directory.path}` : 'no weights were saved: they are not finite either'}`,
  );
}
