import type { RecipeData } from '../../coordinator/recipe.js';
import { systemClock } from '../../shared/actor/clock.js';
import { UserError } from '../../shared/errors.js';
import { nativeIsas } from '../../shared/kernels/native-kernels.js';
import { describeGoal, isReached } from '../recipes/goal.js';
import { type RecipeOutcome, type RecipePoint, trainRecipe } from '../recipes/recipe-point.js';
import { whileSaying } from '../terminal/passing-note.js';
import { type Progress, startProgress } from '../terminal/progress.js';
import { describeMetrics } from '../training/result.js';
import type { CommandContext } from './command.js';
import type { RecipeEntry } from './recipes.js';

/** Steps after which the weights of all points are compared, where nothing else is asked for. */
const COMPARED_STEPS = 20;
/** Local workers of a whole run: as many as `npm start` takes on two cores. */
const WORKERS = 2;

interface CheckSettings {
  readonly recipes: readonly RecipeEntry[];
  /** Compare so many steps only. */
  readonly steps: number | undefined;
  /** Where the data of recipes is, by the recipe's name. */
  readonly data: ReadonlyMap<string, string>;
  readonly json: boolean;
}

/** What became of one recipe. */
interface Verdict {
  readonly recipe: string;
  readonly passed: boolean;
  /** What was compared or reached, or why it was not. */
  readonly what: string;
  readonly outcome?: RecipeOutcome;
}

/**
 * Trains each recipe with its own settings to its end and looks whether it reaches what it should, and for some steps
 * with 1, 2 and 3 workers on every kind of kernels, which must end with the same weights.
 * @throws UserError when one of them does not
 */
export async function checkRecipes(settings: CheckSettings, context: CommandContext): Promise<void> {
  const { terminal, interrupted } = context;
  const verdicts: Verdict[] = [];
  const width = Math.max(...settings.recipes.map(({ name }) => name.length));
  for (const entry of settings.recipes) {
    const progress = startProgress(terminal.stderr, systemClock.nowMs);
    const found = await check(entry, settings, progress, context).finally(() => progress.stop());
    if (interrupted.aborted) break;
    verdicts.push(found);
    terminal.say(`${found.passed ? 'ok    ' : 'FAILED'} ${found.recipe.padEnd(width)} ${found.what}`);
  }
  if (settings.json) terminal.result({ recipes: verdicts });
  const failed = verdicts.filter(({ passed }) => !passed).map(({ recipe }) => recipe);
  if (failed.length > 0)
    throw new UserError(`${failed.length} of ${verdicts.length} recipes failed: ${failed.join(', ')}`);
}

async function check(
  { name, load }: RecipeEntry,
  { steps, data: paths }: CheckSettings,
  progress: Progress,
  { terminal, interrupted }: CommandContext,
): Promise<Verdict> {
  const fail = (error: unknown): Verdict => ({
    ...{ recipe: name, passed: false },
    what: error instanceof Error ? error.message : String(error),
  });
  try {
    const recipe = await load();
    const data: RecipeData = await whileSaying(`reading data of ${name}`, terminal.stderr, () =>
      recipe.data(paths.get(name)),
    );
    const train = (point: RecipePoint): Promise<RecipeOutcome | undefined> =>
      trainRecipe(recipe, data, point, progress, interrupted);
    const hashes: string[] = [];
    const points = comparedPoints(steps ?? COMPARED_STEPS);
    for (const point of points) {
      const outcome = await train(point);
      if (outcome === undefined) return fail('interrupted');
      hashes.push(outcome.weightsSha256);
    }
    const other = hashes.findIndex((hash) => hash !== hashes[0]);
    if (other > 0)
      return fail(`${describe(points[other])} came to other weights than ${describe(points[0])}`);
    const compared = `one hash for ${points.map(describe).join(', ')}`;
    if (steps !== undefined) return { recipe: name, passed: true, what: compared };
    const outcome = await train({ workers: WORKERS, backend: 'auto' });
    if (outcome === undefined) return fail('interrupted');
    const { goal } = recipe;
    const { metrics, trainLoss } = outcome;
    const reached =
      goal === undefined ? describeMetrics({ trainLoss, ...metrics }) : describeGoal(goal, metrics);
    return {
      ...{ recipe: name, outcome },
      passed: goal === undefined || isReached(goal, metrics),
      what: `${reached} in ${outcome.seconds.toFixed(0)} s; ${compared}`,
    };
  } catch (error) {
    return fail(error);
  }
}

/** One of each kind. Without a C compiler there are no native kernels. */
function comparedPoints(steps: number): RecipePoint[] {
  const native = nativeIsas().length > 0 ? 'native' : 'wasm';
  return [
    { workers: 1, backend: native, steps },
    { workers: 2, backend: native, steps },
    { workers: 3, backend: native, steps },
    { workers: 2, backend: 'wasm', steps },
  ];
}

function describe(point: RecipePoint | undefined): string {
  return point === undefined ? '' : `${point.workers} ${point.backend}`;
}
