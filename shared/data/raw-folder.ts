/*
 * Reads raw samples that other programs wrote, described by a JSON file.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { UserError } from '../errors.js';
import { explainFileError } from '../files/file-error.js';
import { parseJsonText } from '../files/json.js';
import { exists } from '../files/read-file.js';
import { sha256Hex } from '../files/sha256.js';
import { type Dataset, layOutRecords, type RecordLayout } from './dataset.js';
import { ELEMENT_BYTES, fieldElements, parseManifest } from './manifest.js';
import { RawSurvey } from './raw-survey.js';
import { readTextFile } from './texts/text-file.js';
import { isChunk } from './verify-chunk.js';

/** The file that describes the others. */
const DESCRIPTION = 'dataset.json';
const DESCRIPTION_BYTES_MAX = 2 ** 20;

/** The data of a folder of raw samples. */
export interface RawFolderData {
  readonly train: Dataset;
  /** Left out when the description has no test split. */
  readonly test?: Dataset;
  /** Class names by number, if the description has them. */
  readonly classes?: readonly string[];
  /** What was read: range and mean of each field, one line each. */
  readonly notes: readonly string[];
}

const Bound = v.pipe(v.number(), v.integer(), v.minValue(1));
/** Rounded to float32, as a network sees it. */
const Float32 = v.pipe(v.number(), v.transform(Math.fround));
const FieldSchema = v.strictObject({
  dtype: v.picklist(['u8', 'f32', 'i32']),
  shape: v.array(Bound),
  scale: v.optional(Float32, 1),
  shift: v.optional(Float32, 0),
});
const FileName = v.pipe(v.string(), v.regex(/^[^/\\]+$/, 'must be a file name without a folder'));
const FilesSchema = v.record(v.string(), FileName);
const DescriptionSchema = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[\w.-]{1,80}$/, 'must consist of letters, digits, _ . and -')),
  fields: v.pipe(v.record(v.string(), FieldSchema), v.minEntries(1)),
  splits: v.strictObject({ train: v.exactOptional(FilesSchema), test: v.exactOptional(FilesSchema) }),
  classes: v.optional(v.array(v.string())),
});
type Description = v.InferOutput<typeof DescriptionSchema>;

/**
 * Reads a folder with a dataset.json:
 *
 *     {
 *       "name": "waves",
 *       "fields": {
 *         "wave": { "dtype": "f32", "shape": [64] },
 *         "label": { "dtype": "i32", "shape": [] }
 *       },
 *       "splits": {
 *         "train": { "wave": "train-waves.f32", "label": "train-labels.i32" },
 *         "test": { "wave": "test-waves.f32", "label": "test-labels.i32" }
 *       },
 *       "classes": ["sine", "square"]
 *     }
 *
 * Each file has one field of all samples of a split, row-major, little-endian, without a header, as `array.tofile()` of NumPy
 * writes it. Of `u8` a network sees fma(byte, scale, shift). Chunks are read from the files on request, so the data is never
 * in memory twice. Values that cannot be meant, such as those of integers that are read as f32, are refused.
 * @throws UserError that names the file and the remedy
 */
export async function rawFolder(directory: string): Promise<RawFolderData> {
  const description = await readDescription(directory);
  const { classes } = description;
  const train = await openSplit(directory, description, 'train');
  const given = { ...(classes && { classes }) };
  if (description.splits.test === undefined) return { train: train.dataset, notes: train.notes, ...given };
  const test = await openSplit(directory, description, 'test');
  return { train: train.dataset, test: test.dataset, notes: [...train.notes, ...test.notes], ...given };
}

/** Whether a folder has a description of raw samples. */
export function isRawFolder(directory: string): Promise<boolean> {
  return exists(join(directory, DESCRIPTION));
}

/**
 * The test split of a folder of raw samples, for a trained model. The folder needs no train split.
 * @throws UserError that names the file and the remedy
 */
export async function rawFolderToMeasure(
  directory: string,
): Promise<Pick<RawFolderData, 'classes' | 'notes'> & { readonly test: Dataset }> {
  const description = await readDescription(directory);
  const { classes } = description;
  const { dataset, notes } = await openSplit(directory, description, 'test');
  return { test: dataset, notes, ...(classes && { classes }) };
}

async function readDescription(directory: string): Promise<Description> {
  const path = join(directory, DESCRIPTION);
  if (!(await exists(path)))
    throw new UserError(`${directory} has no ${DESCRIPTION} that describes its files; write one`);
  const { text } = await readTextFile(path, DESCRIPTION_BYTES_MAX);
  const { success, output, issues } = v.safeParse(DescriptionSchema, parseJsonText(text, path));
  if (!success)
    throw new UserError(
      `${path} is malformed: ${v.getDotPath(issues[0]) ?? 'the whole file'}: ${issues[0].message}; correct it`,
    );
  const twice = output.classes?.find((name, i, all) => all.indexOf(name) !== i);
  if (twice !== undefined)
    throw new UserError(
      `${path}: classes has ${JSON.stringify(twice)} twice; give each class a name of its own`,
    );
  const names = Object.keys(output.fields);
  for (const [split, files] of Object.entries(output.splits)) {
    const missing = names.find((name) => !Object.hasOwn(files, name));
    if (missing !== undefined)
      throw new UserError(`${path}: splits.${split} names no file for ${missing}; add it`);
    const unknown = Object.keys(files).find((name) => !names.includes(name));
    if (unknown !== undefined)
      throw new UserError(
        `${path}: splits.${split} names ${unknown}, which is not a field; add it to fields`,
      );
  }
  return output;
}

async function openSplit(
  directory: string,
  description: Description,
  split: 'train' | 'test',
): Promise<{ readonly dataset: Dataset; readonly notes: readonly string[] }> {
  const named = description.splits[split];
  if (named === undefined)
    throw new UserError(`${join(directory, DESCRIPTION)} has no splits.${split}; add the names of its files`);
  const files = Object.entries(description.fields).map(([field, { dtype, shape }]) => {
    const path = join(directory, named[field] as string);
    const elements = fieldElements({ shape });
    const survey = new RawSurvey(dtype, elements);
    return { field, path, size: elements * ELEMENT_BYTES[dtype], survey };
  });
  const counts: number[] = [];
  for (const { field, path, size } of files) {
    const bytes = await sizeOf(path);
    if (bytes === 0 || bytes % size !== 0)
      throw new UserError(
        `${path} has ${bytes} bytes, not a whole number of samples of ${size} bytes (${field}); check dtype and shape in ${DESCRIPTION}`,
      );
    counts.push(bytes / size);
  }
  const [samples = 0] = counts;
  const other = counts.findIndex((count) => count !== samples);
  if (other !== -1)
    throw new UserError(
      `${files[other]?.path} has ${counts[other]} samples, and ${files[0]?.path} has ${samples}; use files of the same data set`,
    );
  const layout = layOutRecords(samples, description.fields);
  const read = (index: number): { readonly count: number; readonly columns: readonly RawColumn[] } => {
    const first = index * layout.chunkSamples;
    const count = Math.min(layout.chunkSamples, samples - first);
    const columns = files.map(({ field, path, size }) => ({
      field,
      bytes: readPart(path, first * size, count * size),
    }));
    return { count, columns };
  };
  const chunkHashes = Array.from({ length: layout.chunks }, (_, index) => {
    const { count, columns } = read(index);
    for (const [i, { bytes }] of columns.entries()) files[i]?.survey.add(bytes);
    return sha256Hex(layout.join(count, columns));
  });
  const problems = files.flatMap(({ field, path, survey }) => {
    const problem = survey.problem();
    return problem === undefined ? [] : [`${path} (${field}) ${problem}`];
  });
  if (problems.length > 0) throw new UserError(problems.join('\n'));
  const manifest = parseManifest(
    { ...manifestOf(`${description.name}-${split}`, samples, layout), chunkHashes },
    join(directory, DESCRIPTION),
  );
  const chunk = (index: number): Uint8Array => {
    const { count, columns } = read(index);
    const bytes = layout.join(count, columns);
    if (isChunk(manifest, index, bytes, sha256Hex)) return bytes;
    throw new UserError(
      `the files in ${directory} changed while they were read; start again when they are complete`,
    );
  };
  const notes = files.map(({ field, survey }) => {
    const { dtype, shape } = description.fields[field] as Description['fields'][string];
    return `${split}: ${field}: ${samples} samples, ${dtype} [${shape.join(', ')}], ${survey.description()}`;
  });
  return { dataset: { manifest, chunk }, notes };
}

/** The bytes of consecutive samples in one file. */
interface RawColumn {
  readonly field: string;
  readonly bytes: Uint8Array;
}

function manifestOf(name: string, samples: number, { chunkSamples, recordBytes, fields }: RecordLayout) {
  return { name, samples, chunkSamples, recordBytes, fields };
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    throw explainFileError(error, `cannot read ${path}`);
  }
}

/** Reads `size` bytes of a file from offset `from`. Missing bytes are 0. */
function readPart(path: string, from: number, size: number): Uint8Array {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = new Uint8Array(size);
      let done = 0;
      for (let got = 1; got > 0 && done < size; done += got)
        got = readSync(file, bytes, done, size - done, from + done);
      return bytes;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw explainFileError(error, `cannot read ${path}`);
  }
}
