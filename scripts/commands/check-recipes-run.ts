import { systemClock } from '../../shared/actor/clock.js';
import { messageOf, UserError } from '../../shared/errors.js';
import { nativeIsas } from '../../shared/kernels/native-kernels.js';
import type { RecipeData } from '../../trainer/recipe.js';
import {
  describeGoal,
  isReached,
  type RecipeOutcome,
  type RecipePoint,
  trainRecipe,
} from '../../trainer/recipe-check.js';
import { describeMetrics } from '../../trainer/result.js';
import type { Progress } from '../../trainer/run-logger.js';
import { startProgress } from '../terminal/progress.js';
import type { Terminal } from '../terminal/terminal.js';
import { showWhile } from '../terminal/transient-note.js';
import type { CommandContext } from './command.js';
import type { RecipeEntry } from './recipes.js';

/** Steps after which the weights of all points are compared by default. */
const COMPARED_STEPS = 20;
/** Local workers of a run to the end. */
const WORKERS = 2;

interface CheckSettings {
  readonly recipes: readonly RecipeEntry[];
  /** Compare the weights after so many steps only; undefined: also train to the end. */
  readonly steps: number | undefined;
  /** Local copies of data, by the name of the recipe. */
  readonly data: ReadonlyMap<string, string>;
  readonly json: boolean;
}

/** The result of checking one recipe. */
interface CheckResult {
  readonly recipe: string;
  readonly passed: boolean;
  /** What was compared and reached, or why the check failed. */
  readonly what: string;
  readonly outcome?: RecipeOutcome;
}

/**
 * Trains each recipe for a few steps with 1, 2 and 3 workers and every kind of kernels, which must end with the same
 * weights; then to its end with its own settings, which must reach its goal.
 * @throws UserError when one recipe fails
 */
export async function checkRecipes(settings: CheckSettings, { terminal }: CommandContext): Promise<void> {
  const results: CheckResult[] = [];
  const width = Math.max(...settings.recipes.map(({ name }) => name.length));
  for (const entry of settings.recipes) {
    const progress = startProgress(terminal.stderr, systemClock.nowMs);
    const found = await check(entry, settings, progress, terminal).finally(() => progress.stop());
    results.push(found);
    terminal.say(`${found.passed ? 'ok    ' : 'FAILED'} ${found.recipe.padEnd(width)} ${found.what}`);
  }
  if (settings.json) terminal.result({ recipes: results });
  const failed = results.filter(({ passed }) => !passed).map(({ recipe }) => recipe);
  if (failed.length > 0)
    throw new UserError(`${failed.length} of ${results.length} recipes failed: ${failed.join(', ')}`);
}

async function check(
  { name, load }: RecipeEntry,
  { steps, data: paths }: CheckSettings,
  progress: Progress,
  terminal: Terminal,
): Promise<CheckResult> {
  const fail = (error: unknown): CheckResult => ({
    ...{ recipe: name, passed: false },
    what: messageOf(error),
  });
  try {
    const recipe = await load();
    const data: RecipeData = await showWhile(`reading data of ${name}`, terminal.stderr, () =>
      recipe.data(paths.get(name)),
    );
    const train = (point: RecipePoint): Promise<RecipeOutcome> => trainRecipe(recipe, data, point, progress);
    const hashes: string[] = [];
    const points = comparedPoints(steps ?? COMPARED_STEPS);
    for (const point of points) {
      const { weightsSha256 } = await train(point);
      hashes.push(weightsSha256);
    }
    const other = hashes.findIndex((hash) => hash !== hashes[0]);
    if (other > 0)
      return fail(`weights of ${describe(points[other])} differ from those of ${describe(points[0])}`);
    const compared = `one hash for ${points.map(describe).join(', ')}`;
    if (steps !== undefined) return { recipe: name, passed: true, what: compared };
    const outcome = await train({ workers: WORKERS, backend: 'auto' });
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

/** Numbers of workers and kinds of kernels. Without a C compiler there are no native kernels. */
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
