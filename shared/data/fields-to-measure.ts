/*
 * Labelled samples in files, for a trained model whose recipe makes its data by code.
 */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { UserError } from '../errors.js';
import { elementsOf } from '../graph/shape.js';
import { arraysToMeasure, isNumpy } from './arrays/arrays-to-measure.js';
import { type Dataset, nameAfter } from './dataset.js';
import {
  type FieldsPreprocessing,
  imageInput,
  type StoredField,
  storedFields,
  withFields,
} from './fields-preprocessing.js';
import { readIdxPair } from './images/idx-folder.js';
import { packIdx } from './images/idx-images.js';
import { imagesToMeasure } from './images/image-folder.js';
import { jsonRows, readJsonFile } from './json-rows.js';
import { isRawFolder, rawFolderToMeasure } from './raw-folder.js';
import { packSamples } from './samples.js';

/** Labelled samples, and what was found. */
export interface Measurable {
  readonly test: Dataset;
  readonly notes: readonly string[];
}

/**
 * Reads labelled samples from a folder of raw samples (dataset.json), of IDX files, or of images in one folder for each class; from
 * arrays of NumPy; or from a JSON file with the rows of each field as the network sees them.
 * @throws UserError that names the file and the remedy
 */
export async function fieldsToMeasure(path: string, fitted: FieldsPreprocessing): Promise<Measurable> {
  if (isNumpy(path)) return openArrays(path, storedFields(fitted));
  if (!(await stat(path)).isDirectory()) return { test: await rowsToMeasure(path, fitted), notes: [] };
  const raw = await openRawFolder(path, fitted);
  if (raw !== undefined) return raw;
  const image = imageInput(fitted);
  const { target } = fitted;
  if (image === undefined || target.shape.length > 0)
    throw new UserError(
      `${path} has no dataset.json, which describes raw samples with the fields ${describeFields(storedFields(fitted))}; write one, or give ` +
        'the rows of each field as JSON',
    );
  const idx = await openIdx(path, fitted);
  if (idx !== undefined) return idx;
  const { test, notes } = await imagesToMeasure(path, image.settings);
  return { test: renamed(test, fitted, path), notes };
}

/**
 * The test split of a folder of raw samples; undefined when it has no dataset.json.
 * @throws UserError when its fields are not those that the model was trained on
 */
export async function openRawFolder(
  path: string,
  fitted: FieldsPreprocessing,
): Promise<Measurable | undefined> {
  if (!(await isRawFolder(path))) return undefined;
  const { test, notes, classes = [] } = await rawFolderToMeasure(path);
  if (classes.join('\0') !== fitted.classes.join('\0') && classes.length > 0)
    throw new UserError(
      `${path} has other classes than the model was trained on, so its numbers mean something else; give data with the same classes`,
    );
  checkFields(path, test, storedFields(fitted));
  return { test, notes };
}

/**
 * Arrays of NumPy as samples.
 * @param needed the fields that are read: all of them to measure, the inputs to predict
 * @throws UserError when they are not those that the model was trained on
 */
export async function openArrays(
  path: string,
  needed: Readonly<Record<string, StoredField>>,
): Promise<Measurable> {
  const { test, notes } = await arraysToMeasure(path, needed);
  checkFields(path, test, needed);
  return { test, notes };
}

function checkFields(
  path: string,
  { manifest }: Dataset,
  needed: Readonly<Record<string, StoredField>>,
): void {
  for (const [name, { dtype, shape, scale, shift }] of Object.entries(needed)) {
    const field = manifest.fields[name];
    if (field === undefined)
      throw new UserError(`${path} has no field ${name}; the model needs ${describeFields(needed)}`);
    const isSame =
      field.dtype === dtype &&
      field.scale === scale &&
      field.shift === shift &&
      String(field.shape) === String(shape);
    if (!isSame)
      throw new UserError(
        `${path}: ${name} is ${describeField(field)}, scale ${field.scale}, shift ${field.shift}, and was ${describeField({ dtype, shape })}, scale ${scale}, shift ${shift} in training; write it in the same form`,
      );
  }
}

/** The test files of a folder of IDX files, or its training files; undefined when it has none. */
export async function openIdx(path: string, fitted: FieldsPreprocessing): Promise<Measurable | undefined> {
  const pair = await readIdxPair(path);
  if (pair === undefined) return undefined;
  const { dataset } = packIdx('idx', pair.images, pair.labels);
  const files = [pair.images, pair.labels].map((file) => basename(file.path)).join(' and ');
  return { test: renamed(dataset, fitted, pair.images.path), notes: [`${path}: ${files} are read`] };
}

/** Fields `image` and `label` under the names that the model has for them, with the image scaled as in training. */
function renamed(dataset: Dataset, { inputs, target }: FieldsPreprocessing, path: string): Dataset {
  const [
    [name, { dtype, shape, scale, shift }] = ['', { dtype: 'u8', shape: [], scale: 1, shift: 0 }] as const,
  ] = Object.entries(inputs);
  if (dtype !== 'u8')
    throw new UserError(
      `${path} holds images of bytes, and the model takes ${name} as ${dtype}, which its recipe made of them; give ${name} in a ` +
        'folder with a dataset.json, or as JSON',
    );
  const found = withFields(dataset, {
    [name]: { from: 'image', shape, scale, shift },
    [target.name]: { from: 'label', shape: target.shape },
  });
  if (found !== undefined) return found;
  const size = dataset.manifest.fields.image?.shape.join(' x ');
  throw new UserError(
    `${path} has samples of ${size}, and the model takes ${shape.join(' x ')}; give data of that size`,
  );
}

async function rowsToMeasure(path: string, fitted: FieldsPreprocessing): Promise<Dataset> {
  const fields = storedFields(fitted);
  const rows = jsonRows(path, await readJsonFile(path), Object.keys(fields));
  const counts = Object.entries(fields).map(([name, { shape }]) => {
    const values = rows[name] as readonly number[];
    const size = elementsOf(shape);
    if (values.length === 0 || values.length % size !== 0)
      throw new UserError(
        `${path}: ${name} has ${values.length} numbers, not rows of ${size}; give whole rows`,
      );
    return { name, size, count: values.length / size };
  });
  const [first, other] = [counts[0], counts.find(({ count }) => count !== counts[0]?.count)];
  if (other !== undefined)
    throw new UserError(
      `${path} has ${first?.count} rows of ${first?.name} and ${other.count} of ${other.name}; give as many of each`,
    );
  // Values as the network sees them: bytes are scaled already.
  return packSamples(
    nameAfter(basename(path).replace(/\.json$/i, ''), 'rows'),
    Object.fromEntries(
      counts.map(({ name, size, count }) => {
        const { dtype, shape } = fields[name] as (typeof fields)[string];
        const all = rows[name] as readonly number[];
        const values = Array.from({ length: count }, (_, row) => all.slice(row * size, (row + 1) * size));
        return [name, { dtype: dtype === 'i32' ? 'i32' : 'f32', shape, values }];
      }),
    ),
  );
}

function describeFields(fields: Readonly<Record<string, StoredField>>): string {
  return Object.entries(fields)
    .map(([name, field]) => `${name} (${describeField(field)})`)
    .join(', ');
}

function describeField({
  dtype,
  shape,
}: {
  readonly dtype: string;
  readonly shape: readonly number[];
}): string {
  return `${dtype} [${shape.join(', ')}]`;
}
