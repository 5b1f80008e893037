/*
 * model.json: everything that prediction needs besides the weights. A run writes it before its first step and never changes it;
 * an export has the same file. So a trained model depends on no recipe and no data set, wherever these have gone.
 */
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { MODEL_FILE } from '../coordinator/storage/run-directory.js';
import type { Dataset } from '../shared/data/dataset.js';
import { fieldsPreprocessing } from '../shared/data/fields-preprocessing.js';
import { classNames, featureNames } from '../shared/data/tables/preprocessing.js';
import { UserError } from '../shared/errors.js';
import { writeFileAtomically } from '../shared/files/atomic-file.js';
import { exists, readBoundedFile } from '../shared/files/read-file.js';
import { sha256Hex } from '../shared/files/sha256.js';
import type { Model } from '../shared/graph/model.js';
import { parseModel, resolveModel } from '../shared/graph/resolve.js';
import { isKnownKind, type Preprocessing, parsePreprocessing } from './preprocessing.js';
import type { Recipe, RecipeData } from './recipe.js';

/** Version of the file; others are refused. */
const FORMAT = 'unisum-trained-model/1';
/** The file of weights in an export. */
export const EXPORTED_WEIGHTS = 'model.safetensors';
const FILE_BYTES_MAX = 2 ** 28;
/** Samples per leaf of a network that was trained elsewhere. */
const IMPORTED_LEAF = 16;
/** Most classes, symbols or features. */
const NAMES_MAX = 2 ** 24;

/** What a resumed run must not change, as messages call it. */
const PARTS = {
  network: 'layers',
  preprocessing: 'preprocessing',
  classes: 'classes',
  alphabet: 'symbols',
  testData: 'test data',
} as const;

const names = v.nullable(v.pipe(v.array(v.string()), v.maxLength(NAMES_MAX)));
const finite = v.pipe(v.number(), v.finite());

const StoredModelSchema = v.strictObject({
  format: v.literal(FORMAT),
  /** Name or path of the recipe, for people and for `eval` without `--data`. */
  recipe: v.string(),
  /** Samples per leaf: it decides the order in which means are summed. */
  leafSize: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  /** The network; it names its inputs, its output and its loss. */
  network: v.unknown(),
  /** What the network sees of a stored byte: byte * scale + shift. */
  inputs: v.record(v.string(), v.strictObject({ scale: finite, shift: finite, isByte: v.boolean() })),
  /** The class names by number. */
  classes: names,
  /** Texts: the characters or pieces by number. */
  alphabet: names,
  /** Tables: what each feature is, in order. */
  features: names,
  /** What was fitted in training, or the fields of samples that the recipe makes. */
  preprocessing: v.unknown(),
  /** Whether the recipe has metrics of its own. */
  hasOwnMetrics: v.boolean(),
  /** SHA-256 of the manifest of the recipe's test data; null when there is none. */
  testData: v.nullable(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
});

/** A model without its weights. */
export interface StoredModel
  extends Omit<v.InferOutput<typeof StoredModelSchema>, 'network' | 'preprocessing'> {
  readonly network: Model;
  readonly preprocessing: Preprocessing;
}

/**
 * What is stored of a network that was trained elsewhere: its inputs are numbers as the network sees them.
 * @param source where it comes from, for people
 */
export function storedNetwork(source: string, network: Model): StoredModel {
  const { shapes, loss } = resolveModel(network);
  const plain = { scale: 1, shift: 0 };
  const field = (shape: readonly number[], dtype: 'f32' | 'i32') => ({ dtype, shape: [...shape], ...plain });
  const target = loss.target;
  const inputs = network.inputs.map(({ name, shape }) => [name, field(shape, 'f32')] as const);
  return {
    format: FORMAT,
    ...{ recipe: source, leafSize: IMPORTED_LEAF, network },
    inputs: Object.fromEntries(network.inputs.map(({ name }) => [name, { ...plain, isByte: false }])),
    ...{ classes: null, alphabet: null, features: null },
    preprocessing: {
      ...{ kind: 'fields', version: 1, classes: [], isReadByRecipe: false },
      inputs: Object.fromEntries(inputs),
      target:
        target === undefined
          ? { name: network.output, ...field(shapes.get(network.output) ?? [], 'f32') }
          : { name: target.name, ...field(target.shape, target.dtype) },
    },
    ...{ hasOwnMetrics: false, testData: null },
  };
}

/**
 * What a run stores.
 * @param recipe its name, and whether it has metrics
 * @throws UserError when the preprocessing that the recipe returns is malformed
 */
export function storedModelOf(
  name: string,
  { metrics }: Pick<Recipe, 'metrics'>,
  data: RecipeData,
  network: Model,
  leafSize: number,
): StoredModel {
  const { preprocessing: fitted, train, test, alphabet } = data;
  const inputs = network.inputs.map((input) => input.name);
  // A composed loss may read several fields, or the inputs alone.
  const target = network.loss.target ?? network.fields?.[0]?.name ?? (inputs[0] as string);
  const names = { inputs, target };
  const preprocessing =
    fitted === undefined || !isKnownKind(fitted.kind)
      ? fieldsPreprocessing(train, names, {
          classes: data.classes,
          isReadByRecipe: data.inputs !== undefined,
        })
      : parsePreprocessing(fitted, `what data() of ${name} returns as preprocessing`);
  const { fields } = train.manifest;
  const classes = data.classes ?? (preprocessing?.kind === 'table' ? classNames(preprocessing) : undefined);
  // In the order of the schema, so that a model that was read is written with the same bytes.
  return {
    format: FORMAT,
    ...{ recipe: name, leafSize, network },
    inputs: Object.fromEntries(
      network.inputs.flatMap((input) => {
        const field = fields[input.name];
        if (field === undefined) return [];
        return [[input.name, { scale: field.scale, shift: field.shift, isByte: field.dtype === 'u8' }]];
      }),
    ),
    classes: classes === undefined ? null : [...classes],
    alphabet: alphabet === undefined ? null : [...alphabet],
    features: preprocessing?.kind === 'table' ? featureNames(preprocessing) : null,
    preprocessing,
    hasOwnMetrics: metrics !== undefined,
    testData: test === undefined ? null : manifestHash(test),
  };
}

/** Identifies a data set: the SHA-256 of its manifest, which has the hash of every chunk. */
export function manifestHash({ manifest }: Dataset): string {
  return sha256Hex(new TextEncoder().encode(JSON.stringify(manifest)));
}

/**
 * Writes model.json, whole or not at all.
 * @param folder a run directory or an export
 * @throws UserError when it cannot be written
 */
async function saveStoredModel(folder: string, model: StoredModel): Promise<void> {
  await writeFileAtomically(join(folder, MODEL_FILE), [new TextEncoder().encode(storedText(model))]);
}

/** Whether a run directory holds this model, and nothing else in its model.json. @throws UserError when it cannot be read */
export async function isStoredModel(folder: string, model: StoredModel): Promise<boolean> {
  const bytes = await readBoundedFile(join(folder, MODEL_FILE), FILE_BYTES_MAX);
  return new TextDecoder().decode(bytes) === storedText(model);
}

/** The content of model.json. */
export function storedText(model: StoredModel): string {
  return `${JSON.stringify(model, null, 1)}\n`;
}

/** Writes model.json unless the run has one: it is never changed. @throws UserError when it cannot be written */
export async function saveNewModel(folder: string, model: StoredModel): Promise<void> {
  if (!(await exists(join(folder, MODEL_FILE)))) await saveStoredModel(folder, model);
}

/**
 * Checks that a resumed run continues the model that it has stored, if it has.
 * @throws UserError when its network, its preprocessing or its test data were others
 */
export async function checkSameModel(folder: string, model: StoredModel): Promise<void> {
  const file = join(folder, MODEL_FILE);
  if (!(await exists(file))) return;
  const before = await readStoredModel(file);
  for (const part of Object.keys(PARTS) as (keyof typeof PARTS)[])
    if (JSON.stringify(before[part]) !== JSON.stringify(model[part]))
      throw new UserError(
        `${folder} was started with other ${PARTS[part]} than the recipe has now; restore the recipe and its data, or start a ` +
          'new run from its weights (--weights PATH)',
        2,
      );
}

/**
 * Finds and reads the model.json of weights.
 * @param path a run directory, an export, or a file of weights in one of them
 * @throws UserError when there is none, with the remedy
 */
export async function loadStoredModel(path: string): Promise<StoredModel> {
  if (!(await exists(path)))
    throw new UserError(`${path} does not exist; name a run directory, an export or a file of weights`, 2);
  const isFolder = (await stat(path)).isDirectory();
  // Checkpoints lie in a folder of the run directory.
  const folders = isFolder ? [path] : [dirname(path), dirname(dirname(path))];
  for (const folder of folders) {
    const file = join(folder, MODEL_FILE);
    if (await exists(file)) return readStoredModel(file);
  }
  if (!isFolder)
    throw new UserError(
      `${path} has no ${MODEL_FILE} beside it, which says what the inputs mean; name a run directory or an export, or the ` +
        'recipe of the weights with --recipe NAME',
      2,
    );
  throw new UserError(
    `${path} has no ${MODEL_FILE}: it is no run directory or export, or an older version made it; build the model of an ` +
      `older run from its recipe and data: unisum export ${path} --recipe NAME --out DIR`,
    2,
  );
}

async function readStoredModel(file: string): Promise<StoredModel> {
  return parseStoredText(new TextDecoder().decode(await readBoundedFile(file, FILE_BYTES_MAX)), file);
}

/**
 * Reads the content of a model.json.
 * @param file where it stands, for errors
 * @throws UserError when it is not one of this version
 */
export function parseStoredText(text: string, file: string): StoredModel {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), StoredModelSchema), text);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const path = v.getDotPath(issue);
    throw new UserError(
      `${file} is not a model of this version of unisum: ${path === null ? '' : `${path}: `}${issue.message}; take it from an ` +
        'undamaged run',
    );
  }
  const { output } = parsed;
  if (output.preprocessing === null)
    throw new UserError(
      `${file} was written by an older version, which kept nothing about its inputs; build it again from recipe and data: ` +
        `unisum export ${dirname(file)} --recipe ${output.recipe} --out DIR`,
      2,
    );
  const preprocessing = parsePreprocessing(output.preprocessing, file);
  return { ...output, network: parseModel(output.network), preprocessing };
}
