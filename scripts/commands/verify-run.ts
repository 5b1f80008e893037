import { systemClock } from '../../shared/actor/clock.js';
import { randomSeed } from '../../shared/actor/rng.js';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { UserError } from '../../shared/errors.js';
import { loadRecipeData } from '../../trainer/evaluation-set.js';
import type { ComputeSettings } from '../../trainer/options/compute-options.js';
import { parseTrainOptions, stepsOf, type TrainOptions } from '../../trainer/options/train-options.js';
import { isRecipeFile, type Recipe, type RecipeData } from '../../trainer/recipe.js';
import { withOptions } from '../../trainer/recipe-options.js';
import type { ResolvedSession } from '../../trainer/replay/session-check.js';
import { type Verification, type VerifyRequest, verifyRun } from '../../trainer/replay/verification.js';
import type { Terminal } from '../terminal/terminal.js';
import { showWhile } from '../terminal/transient-note.js';
import type { CommandContext } from './command.js';
import { findRecipe } from './recipes.js';

/** Which run to verify, and how. */
export interface VerifySettings extends ComputeSettings {
  readonly path: string;
  readonly workers: number;
  /** How many steps are drawn, each with the span around it; undefined: all of the run is computed. */
  readonly sample: number | undefined;
  /** The file of a recipe that may be run; undefined: none. */
  readonly recipe: string | undefined;
  /** Where the data are; undefined: where the run had them. */
  readonly data: string | undefined;
  readonly trustedWeights: readonly string[];
  readonly json: boolean;
}

/**
 * Verifies a run, and prints what is proven and what is not.
 * @throws UserError when the run is not proven
 */
export async function verify(settings: VerifySettings, { terminal }: CommandContext): Promise<void> {
  const { path, workers, threads, backend, sample: draws, trustedWeights, json } = settings;
  const request: VerifyRequest = {
    resolve: resolver(settings, terminal),
    computers: { workers, threads, backend, clock: systemClock },
    random: new SeededRandom(randomSeed()),
    ...{ draws, trustedWeights },
    onProgress: (line) => terminal.say(line),
  };
  try {
    const verification = await verifyRun(path, request);
    describe(path, verification, terminal);
    if (json) terminal.result(verification);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (json) terminal.result({ ok: false, weightsSha256: null, checkedSteps: 0, problem: error.message });
    throw new UserError(`${path} is not proven: ${error.message}`, error.exitCode);
  }
}

function describe(path: string, { mode, proven, notProven }: Verification, terminal: Terminal): void {
  terminal.say(`${path} is proven${mode === 'full' ? '' : ' by samples'}:`);
  for (const fact of proven) terminal.say(`  + ${fact}`);
  terminal.say('not proven:');
  for (const fact of notProven) terminal.say(`  - ${fact}`);
}

/** Makes sessions out of what a run has recorded; recipes and data are loaded once. */
function resolver(settings: VerifySettings, { stderr }: Terminal): VerifyRequest['resolve'] {
  const recipes = new Map<string, Promise<Recipe>>();
  const datasets = new Map<string, Promise<RecipeData>>();
  return async ({ recipe: name, options, config }): Promise<ResolvedSession> => {
    // A folder of somebody else must not choose what is run here.
    if (isRecipeFile(name) && settings.recipe === undefined)
      throw new UserError(
        `it was trained with the recipe ${JSON.stringify(name)}, which is a file with code; if you trust it, add --recipe FILE`,
      );
    const recipe = await once(recipes, name, () =>
      findRecipe(isRecipeFile(name) ? (settings.recipe as string) : name).load(),
    );
    const cores = typeof config.workers === 'number' ? config.workers : 1;
    const all = parseTrainOptions(name, recipe, options as unknown as TrainOptions, cores);
    const place = settings.data ?? all.data;
    const data = await once(datasets, `${name} ${place} ${all.validation}`, () =>
      showWhile('reading data', stderr, () =>
        loadRecipeData(recipe, { data: place, validation: all.validation }),
      ),
    );
    return {
      request: {
        ...all,
        recipe: withOptions(recipe, all),
        data,
        steps: stepsOf(all, data.train.manifest.samples),
      },
      weights: all.weights,
      config: JSON.parse(JSON.stringify(all)) as Record<string, unknown>,
    };
  };
}

function once<T>(made: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const value = made.get(key) ?? make();
  made.set(key, value);
  return value;
}
