import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MODEL_FILE } from '../coordinator/storage/run-directory.js';
import { commandLine } from '../shared/command-line.js';
import type { Dataset } from '../shared/data/dataset.js';
import { fieldsPreprocessing } from '../shared/data/fields-preprocessing.js';
import { classNames, featureNames } from '../shared/data/tables/preprocessing.js';
import { UserError } from '../shared/errors.js';
import { writeFileAtomically } from '../shared/files/atomic-file.js';
import { exists, readBoundedFile } from '../shared/files/read-file.js';
import { sha256Hex } from '../shared/files/sha256.js';
import type { Model } from '../shared/graph/model.js';
import { shellWord } from '../shared/shell-word.js';
import { importFirst, MODEL_FORMAT, parseStoredText, type StoredModel, storedText } from './model-text.js';
import { isKnownKind, parsePreprocessing } from './preprocessing.js';
import type { Recipe, RecipeData } from './recipe.js';

/** The file of weights in an export. */
export const EXPORTED_WEIGHTS = 'model.safetensors';
const FILE_BYTES_MAX = 2 ** 28;

/** What a resumed run must not change, as messages call it. */
const PARTS = {
  network: 'layers',
  preprocessing: 'preprocessing',
  classes: 'classes',
  alphabet: 'symbols',
  testData: 'test data',
} as const;

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
    format: MODEL_FORMAT,
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
  const foreign = await foreignFile(path, isFolder);
  if (foreign !== undefined) throw new UserError(importFirst(foreign), 2);
  if (!isFolder)
    throw new UserError(
      `${path} has no ${MODEL_FILE} beside it, which says what the inputs mean; name a run directory or an export, or the ` +
        'recipe of the weights with --recipe NAME',
      2,
    );
  throw new UserError(
    `${path} has no ${MODEL_FILE}: it is no run directory or export, or an older version made it; build the model of an ` +
      `older run from its recipe and data: ${commandLine(`export ${shellWord(path)} --recipe NAME --out DIR`)}`,
    2,
  );
}

/** The file of a model in the format of another tool that `import` reads; undefined where there is none. */
async function foreignFile(path: string, isFolder: boolean): Promise<string | undefined> {
  if (!isFolder) return /\.(onnx|keras)$/.test(path) ? path : undefined;
  for (const name of ['model.onnx', 'model.keras']) {
    const file = join(path, name);
    if (await exists(file)) return file;
  }
  return undefined;
}

async function readStoredModel(file: string): Promise<StoredModel> {
  return parseStoredText(new TextDecoder().decode(await readBoundedFile(file, FILE_BYTES_MAX)), file);
}
