/*
 * Checks a recipe before anything is trained, wherever it comes from. Recipes are often plain JavaScript, or TypeScript whose types
 * nobody has checked: a misspelt setting would be ignored silently.
 */
import * as v from 'valibot';
import { CODECS } from '../shared/codec/codec.js';
import { parseManifest } from '../shared/data/manifest.js';
import { UserError } from '../shared/errors.js';
import type { Model } from '../shared/graph/model.js';
import { resolveModel } from '../shared/graph/resolve.js';
import { nearest } from '../shared/nearest.js';
import { describeIssue, tellingIssue } from '../shared/schema-issue.js';
import type { Recipe, RecipeData } from './recipe.js';

const aFunction = v.custom<() => unknown>((value) => typeof value === 'function', 'must be a function');
const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const finite = v.pipe(v.number(), v.finite());

/** A setting that is checked where it is used. */
const checkedLater = v.optional(v.unknown());

/** Every field of a recipe. */
const RecipeSchema = v.strictObject({
  summary: v.string(),
  model: aFunction,
  data: aFunction,
  optimizer: v.looseObject({ name: v.string(), learningRate: v.number() }),
  batch: positive,
  leafSize: positive,
  epochs: positive,
  steps: v.optional(positive),
  evaluateEvery: v.optional(positive),
  metrics: v.optional(aFunction),
  evaluationMetrics: v.optional(v.array(v.looseObject({ name: v.string(), start: aFunction }))),
  sync: checkedLater,
  schedule: checkedLater,
  clipping: checkedLater,
  gradientNoise: checkedLater,
  compress: v.optional(v.picklist(CODECS)),
  earlyStopping: checkedLater,
  goal: v.optional(
    v.union([
      v.strictObject({ metric: v.string(), atLeast: finite }),
      v.strictObject({ metric: v.string(), atMost: finite }),
    ]),
  ),
} satisfies Record<keyof Recipe, unknown>);

/** What data() may return. More may be there for the recipe's own functions. */
const DATA_KEYS: Readonly<Record<keyof RecipeData, true>> = {
  ...{ train: true, validation: true, test: true, alphabet: true, classes: true },
  ...{ notes: true, preprocessing: true, inputs: true },
};
/** How other tools call a data set. */
const OTHER_NAMES: Readonly<Record<string, keyof RecipeData>> = {
  ...{ training: 'train', val: 'validation', valid: 'validation', dev: 'validation', eval: 'validation' },
  ...{ testing: 'test', classNames: 'classes', labels: 'classes' },
};

/** How the functions of a recipe are called. */
type Caller = <T>(what: 'model' | 'data' | 'metrics', work: () => T) => T;

/**
 * The same recipe, whose functions check what they return.
 * @param place names it in errors: its path, or "the recipe"
 * @param call calls its functions, and may explain what they throw
 * @throws UserError that names the setting and the remedy
 */
export function checkedRecipe(recipe: Recipe, place: string, call: Caller = (_, work) => work()): Recipe {
  const { success, issues } = v.safeParse(RecipeSchema, recipe);
  if (!success)
    throw new UserError(
      `the recipe${inPlace(place)}: ${describeIssue(RecipeSchema, tellingIssue(issues), 'recipe')}`,
    );
  const { metrics } = recipe;
  return {
    ...recipe,
    model: (data) =>
      checkedModel(
        place,
        call('model', () => recipe.model(data)),
        data?.classes,
      ),
    data: async (directory) => checkedData(place, await call('data', () => recipe.data(directory))),
    ...(metrics && {
      metrics: async (...args) => checkedMetrics(place, await call('metrics', () => metrics(...args))),
    }),
  };
}

function inPlace(place: string): string {
  return place === '' ? '' : ` in ${place}`;
}

function checkedModel(place: string, model: Model, classes: readonly string[] | undefined): Model {
  if (model instanceof Promise)
    throw new UserError(
      `model()${inPlace(place)} is asynchronous; read files in data(), which may be, and build the model without await`,
    );
  if (typeof model === 'object' && model !== null && 'loss' in model) {
    if (classes !== undefined) checkClasses(place, model, classes.length);
    return model;
  }
  throw new UserError(
    `model()${inPlace(place)} does not return a model; end it with "return graph.model(output, loss)"`,
  );
}

/** A name without a class, or a class without a name, would be told in every prediction. */
function checkClasses(place: string, model: Model, names: number): void {
  if (!/^(sparseC|c)ategoricalCrossentropy$/.test(model.loss.kind)) return;
  const shape = resolveModel(model).shapes.get(model.output) ?? [];
  const units = shape.at(-1);
  if (shape.length === 1 && units !== names)
    throw new UserError(
      `the data${inPlace(place)} has ${names} classes, and the output ${model.output} has ${units}; ` +
        'give the last layer classes.length units',
    );
}

function checkedMetrics(
  place: string,
  metrics: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const isObject = typeof metrics === 'object' && metrics !== null && !Array.isArray(metrics);
  const wrong = isObject ? Object.keys(metrics).find((name) => typeof metrics[name] !== 'number') : '';
  if (wrong === undefined) return metrics;
  throw new UserError(
    `metrics()${inPlace(place)} returns ${wrong === '' ? 'no object' : `"${wrong}", which is not a number`}; return { name: number }`,
  );
}

function checkedData(place: string, data: RecipeData): RecipeData {
  const where = `data()${inPlace(place)}`;
  for (const side of ['train', 'validation', 'test'] as const) {
    const dataset = data?.[side];
    if (side !== 'train' && dataset === undefined && data !== undefined && data !== null) continue;
    if (typeof dataset?.chunk !== 'function')
      throw new UserError(`${where} does not return a data set "${side}"; return { train, test }`);
    parseManifest(dataset.manifest, `what ${where} returns as "${side}"`);
  }
  const free = (Object.keys(DATA_KEYS) as (keyof RecipeData)[]).filter((key) => data[key] === undefined);
  for (const key of Object.keys(data)) {
    if (Object.hasOwn(DATA_KEYS, key)) continue;
    const other = OTHER_NAMES[key];
    const meant = other !== undefined && free.includes(other) ? other : nearest(key, free);
    if (meant !== undefined)
      throw new UserError(`${where} returns "${key}", which nothing reads; did you mean ${meant}?`);
  }
  const { classes } = data;
  if (classes !== undefined && !(Array.isArray(classes) && classes.every((name) => typeof name === 'string')))
    throw new UserError(`${where} returns classes that are not a list of names; return ['no', 'yes']`);
  const twice = classes?.find((name, i) => classes.indexOf(name) !== i);
  if (twice !== undefined)
    throw new UserError(`${where} returns two classes that are called "${twice}"; rename one of them`);
  return data;
}
