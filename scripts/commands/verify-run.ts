import { join } from 'node:path';
import type { SavedCheckpoint } from '../../coordinator/checkpoint.js';
import { checkpointsIn, WEIGHTS_FILE } from '../../coordinator/run-directory.js';
import { readMetrics } from '../../coordinator/run-record.js';
import { systemClock } from '../../shared/actor/clock.js';
import { randomSeed } from '../../shared/actor/rng.js';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { UserError } from '../../shared/errors.js';
import { exists } from '../../shared/files/read-file.js';
import { loadSafetensors } from '../../shared/files/safetensors.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import { LocalRun } from '../training/local-run.js';
import { initialParameters } from '../training/trained-model.js';
import { type RunTruth, runTruth } from '../verification/run-truth.js';
import { Witness } from '../verification/witness.js';
import type { CommandContext } from './command.js';
import type { NodeSettings } from './node-options.js';
import { type RunRecipe, recipeOfRun } from './run-recipe.js';

/** Which run to verify, and how. */
export interface VerifySettings extends NodeSettings {
  readonly path: string;
  readonly workers: number;
  /** So many stretches between checkpoints; undefined: all of the run. */
  readonly sample: number | undefined;
  readonly json: boolean;
}

/** Steps of a run that are done again. */
interface Stretch {
  /** Undefined: from the first weights on. */
  readonly from: SavedCheckpoint | undefined;
  readonly to: number;
}

/**
 * Does a run again and compares every step and every hash with what it has written down.
 * @throws UserError that names the step which departs
 */
export async function verify(settings: VerifySettings, context: CommandContext): Promise<void> {
  const { path } = settings;
  const run = await recipeOfRun(path);
  const truth = runTruth(await readMetrics(path));
  const last = lastOf(truth);
  if (truth.weights.size === 0)
    throw new UserError(`${path} has no hashes to compare with: it was trained with --checkpoint-every 0`);
  const hash = await checkFiles(path, truth);
  const checked = { steps: 0, hashes: 0 };
  for (const stretch of await stretchesOf(settings, truth, last)) {
    if (context.interrupted.aborted) return;
    const from = stretch.from?.progress.step ?? 0;
    context.terminal.say(`doing steps ${from + 1} to ${stretch.to} again`);
    const witness = await doAgain(run, stretch, truth, settings, context);
    if (context.interrupted.aborted) return;
    const { departure } = witness;
    if (departure !== undefined)
      throw new UserError(`${path} departs at step ${departure.step}: ${departure.what}`);
    checked.steps += witness.checkedSteps;
    checked.hashes += witness.checkedHashes;
  }
  context.terminal.say(
    `${path} is what it says: ${checked.steps} steps done again, ${checked.hashes} hashes of weights the same`,
  );
  if (settings.json)
    context.terminal.result({
      ok: true,
      weightsSha256: hash,
      checkedSteps: checked.steps,
      checkedHashes: checked.hashes,
    });
}

/** Holds what is in the run's files to what it has written down. @returns the hash of its latest weights */
async function checkFiles(path: string, { weights, restored }: RunTruth): Promise<string> {
  const store = checkpointsIn(path);
  for (const step of await store.steps()) {
    const recorded = weights.get(step);
    const { weightsSha256 } = await store.load(step);
    if (recorded !== undefined && recorded !== weightsSha256)
      throw new UserError(
        `${path} departs at step ${step}: its checkpoint holds other weights than recorded`,
      );
  }
  const lastStep = restored ?? Math.max(...weights.keys());
  const recorded = weights.get(lastStep) as string;
  const file = join(path, WEIGHTS_FILE);
  if (!(await exists(file))) return recorded;
  const { tensors } = await loadSafetensors(file);
  if (weightsSha256(tensors) !== recorded)
    throw new UserError(
      `${path} departs at step ${lastStep}: ${WEIGHTS_FILE} holds other weights than recorded`,
    );
  return recorded;
}

async function stretchesOf(
  { path, sample }: VerifySettings,
  { weights, settledAt }: RunTruth,
  last: number,
): Promise<Stretch[]> {
  const store = checkpointsIn(path);
  if (sample === undefined) {
    if (settledAt === 0) return [{ from: undefined, to: last }];
    if (!(await store.steps()).includes(settledAt))
      throw new UserError(
        `the settings of ${path} were changed at step ${settledAt}, of which there is no checkpoint any more; use --sample`,
      );
    return [{ from: await store.load(settledAt), to: last }];
  }
  const recorded = [...weights.keys()].sort((a, b) => a - b);
  const starts = (await store.steps()).filter(
    (step) => step >= settledAt && step < last && weights.has(step),
  );
  const random = new SeededRandom(randomSeed());
  const stretches: Stretch[] = [];
  for (let left = Math.min(sample, starts.length); left > 0; left--) {
    const [from] = starts.splice(random.below(starts.length), 1) as [number];
    stretches.push({ from: await store.load(from), to: recorded.find((step) => step > from) ?? last });
  }
  if (stretches.length === 0)
    throw new UserError(`${path} has no checkpoint with steps behind it; leave --sample out`);
  return stretches;
}

async function doAgain(
  { recipe, data, settings, steps }: RunRecipe,
  { from, to }: Stretch,
  truth: RunTruth,
  { workers, threads, backend }: VerifySettings,
  { interrupted }: CommandContext,
): Promise<Witness> {
  const witness = new Witness(truth, to);
  const atSteps = [...truth.weights.keys()].sort((a, b) => a - b);
  const parameters = from === undefined ? await initialParameters(settings) : undefined;
  const request = { ...settings, ...{ parameters, recipe, data, steps, workers, threads, backend } };
  const run = await LocalRun.prepare(
    { ...request, ...{ from, audit: 0, minWorkers: 1, watchEvery: 0, checkpoints: { atSteps } } },
    witness,
    systemClock,
  );
  const end = (): void => run.coordinator.interrupt();
  witness.onEnd = end;
  interrupted.addEventListener('abort', end);
  try {
    // Nothing is written: only the hashes are wanted.
    const nothing = async (): Promise<void> => {};
    run.keepIn({ store: { save: nothing, forgetAfter: nothing }, prepare: nothing });
    run.begin(systemClock);
    const { best } = await run.coordinator.ended;
    // A run that ends with its best weights has found the same ones to be the best.
    if (truth.restored !== undefined && to === lastOf(truth) && best?.step !== truth.restored)
      witness.departure ??= {
        step: truth.restored,
        what: `it was taken for the best, and step ${best?.step} is`,
      };
    return witness;
  } finally {
    interrupted.removeEventListener('abort', end);
    await run.close('the run was done again');
  }
}

function lastOf({ weights, steps }: RunTruth): number {
  return Math.max(...weights.keys(), ...steps.keys());
}
