import { existsSync } from 'node:fs';
/*
 * The metrics of `unisum eval` beside those that the loss counts.
 */
import { isRunDirectory, readRunConfig } from '../../coordinator/storage/run-config.js';
import type { Dataset } from '../../shared/data/dataset.js';
import { UserError } from '../../shared/errors.js';
import type { Metric } from '../../shared/metrics/metric.js';
import { METRIC_NAMES, metricByName } from '../../shared/metrics/metric-names.js';
import { namedMetrics } from '../../trainer/evaluation-set.js';
import { storedMeasures } from '../../trainer/measures/stored-measures.js';
import type { MeasuredData, Recipe } from '../../trainer/recipe.js';
import { isRecipeFile } from '../../trainer/recipe.js';
import { evaluationMetricNames, measuredNames } from '../../trainer/replay/measured-names.js';
import type { TrainedModel } from '../../trainer/trained-model.js';
import type { MeasuredSource, OpenedModel } from './model-options.js';
import { findRecipe } from './recipes.js';

type Numbers = Readonly<Record<string, number>>;

/** What is measured. */
interface MeasureRequest {
  readonly opened: OpenedModel;
  readonly model: TrainedModel;
  readonly test: Dataset;
  /** The recipe that read the data; undefined: it was read by what the run has stored. */
  readonly source: MeasuredSource | undefined;
  /** Names after `--metrics`. */
  readonly asked: string | undefined;
  readonly say: (line: string) => void;
}

/** All metrics of a model that can be computed. Those of the run that cannot are named. */
export async function measured({
  opened,
  model,
  test,
  source,
  asked,
  say,
}: MeasureRequest): Promise<Numbers> {
  const { path, stored } = opened;
  if (source !== undefined) {
    const { recipe, data } = source;
    const evaluated = await model.evaluate(withAsked(recipe.evaluationMetrics ?? [], asked));
    return { ...evaluated, ...(await recipe.metrics?.(model.predictor, data, evaluated)) };
  }
  const evaluated = await model.evaluate(withAsked(metricsByName(await askedOfRun(path)), asked));
  const all = { ...evaluated, ...(await storedMeasures(stored, model.predictor, test, evaluated)) };
  const missing = await missingNames(opened, all);
  if (missing.length === 0) return all;
  const leaveOut = (why: string): Numbers => {
    say(`left out: ${missing.join(', ')}, ${why}`);
    return all;
  };
  if (isRecipeFile(stored.recipe) && !opened.trustRecipe) {
    const remedy = existsSync(stored.recipe)
      ? '; if you trust it, add --trust-recipe'
      : ', which does not exist here; put it back and add --trust-recipe';
    const ready = METRIC_NAMES.filter((name) => missing.includes(namedMetric(metricByName(name).name)));
    const others = ready.length === 0 ? '' : `; ready-made ones also by --metrics ${ready.join(',')}`;
    return leaveOut(`in the code of the recipe ${stored.recipe}${remedy}${others}`);
  }
  try {
    return {
      ...all,
      ...(await measuredByCode(await findRecipe(stored.recipe).load(), { opened, model, test })),
    };
  } catch (error) {
    if (error instanceof UserError) return leaveOut(`which need more than this data: ${error.message}`);
    throw error;
  }
}

/** The metrics that are code of a recipe, on data that it has not read. */
async function measuredByCode(
  recipe: Recipe,
  { opened: { stored }, model, test }: Pick<MeasureRequest, 'opened' | 'model' | 'test'>,
): Promise<Numbers> {
  const evaluated = await model.evaluate(recipe.evaluationMetrics ?? []);
  const data: MeasuredData = {
    test,
    ...(stored.classes !== null && { classes: stored.classes }),
    ...(stored.alphabet !== null && { alphabet: stored.alphabet }),
    get train(): Dataset {
      throw new UserError(
        'they compare it with the training data; leave out --data to measure the data of the run',
      );
    },
  };
  return { ...evaluated, ...(await recipe.metrics?.(model.predictor, data, evaluated)) };
}

/** Metrics and those that are asked for. A metric of a recipe's code may have the name of another one. */
function withAsked(own: readonly Metric[], asked: string | undefined): readonly Metric[] {
  const all = [...own, ...metricsByName(asked)];
  return all.filter(({ name }, i) => all.findIndex((other) => other.name === name) === i);
}

function metricsByName(text: string | undefined): Metric[] {
  return text?.split(',').map((name) => metricByName(name.trim())) ?? [];
}

/** What an evaluation on test data calls a metric. */
function namedMetric(name: string): string {
  return Object.keys(namedMetrics('test', { [name]: 0 }))[0] as string;
}

/** `--metrics` of a run; undefined where it had none, or the model is no run. */
async function askedOfRun(path: string): Promise<string | undefined> {
  if (!(await isRunDirectory(path))) return undefined;
  const { metrics } = (await readRunConfig(path)).options;
  return typeof metrics === 'string' ? metrics : undefined;
}

/** Names of the metrics that a run has and this evaluation has not. */
async function missingNames({ path, stored }: OpenedModel, has: Numbers): Promise<readonly string[]> {
  const own = stored.hasOwnMetrics ? await measuredNames(path) : [];
  if (own === undefined) return ['the metrics of the recipe'];
  const evaluated = Object.keys(
    namedMetrics('test', Object.fromEntries((await evaluationMetricNames(path)).map((name) => [name, 0]))),
  );
  return [...new Set([...own, ...evaluated])].filter((name) => !Object.hasOwn(has, name));
}
