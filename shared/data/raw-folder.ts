/*
 * A folder of raw samples, and a file that says what they are: for whatever other programs write.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { UserError } from '../errors.js';
import { explainFileError } from '../files/file-error.js';
import { exists, readBoundedFile } from '../files/read-file.js';
import { sha256Hex } from '../files/sha256.js';
import { type Dataset, layOutRecords, type RecordLayout } from './dataset.js';
import { ELEMENT_BYTES, fieldElements, parseManifest } from './manifest.js';
import { isChunk } from './verify-chunk.js';

/** The file that says what the others are. */
const DESCRIPTION = 'dataset.json';
const DESCRIPTION_BYTES_MAX = 2 ** 20;

/** What a folder of raw samples holds. */
export interface RawFolderData {
  readonly train: Dataset;
  readonly test: Dataset;
  /** Names of classes by number, where the description has them. */
  readonly classes?: readonly string[];
}

const Extent = v.pipe(v.number(), v.integer(), v.minValue(1));
/** As near as a network sees it: 1 / 255 has no last digit. */
const Float32 = v.pipe(v.number(), v.transform(Math.fround));
const FieldSchema = v.strictObject({
  dtype: v.picklist(['u8', 'f32', 'i32']),
  shape: v.array(Extent),
  scale: v.optional(Float32, 1),
  shift: v.optional(Float32, 0),
});
const FileName = v.pipe(v.string(), v.regex(/^[^/\\]+$/, 'a file is named without its folder'));
const FilesSchema = v.record(v.string(), FileName);
const DescriptionSchema = v.strictObject({
  name: v.pipe(v.string(), v.regex(/^[\w.-]{1,80}$/, 'a name is of letters, digits, _ . and -')),
  fields: v.pipe(v.record(v.string(), FieldSchema), v.minEntries(1)),
  splits: v.strictObject({ train: FilesSchema, test: FilesSchema }),
  classes: v.optional(v.array(v.string())),
});
type Description = v.InferOutput<typeof DescriptionSchema>;

/**
 * A folder with a dataset.json:
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
 * Each file holds one field of all samples of a split, row-major, little-endian, sample after sample and nothing else: what
 * `array.tofile()` of NumPy writes. Of `u8` a network sees fma(byte, scale, shift). Files are read chunk by chunk, when one is
 * asked for, so they are never in memory twice.
 * @throws UserError that names the file and the mend
 */
export async function rawFolder(directory: string): Promise<RawFolderData> {
  const description = await readDescription(directory);
  const { classes } = description;
  const train = await openSplit(directory, description, 'train');
  const test = await openSplit(directory, description, 'test');
  return { train, test, ...(classes && { classes }) };
}

async function readDescription(directory: string): Promise<Description> {
  const path = join(directory, DESCRIPTION);
  if (!(await exists(path)))
    throw new UserError(`${directory} has no ${DESCRIPTION}, which says what its files hold; write one`);
  const text = new TextDecoder().decode(await readBoundedFile(path, DESCRIPTION_BYTES_MAX));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new UserError(`${path} is no JSON (${why}); mend it`);
  }
  const { success, output, issues } = v.safeParse(DescriptionSchema, value);
  if (!success)
    throw new UserError(
      `${path} is wrong: ${v.getDotPath(issues[0]) ?? 'all of it'}: ${issues[0].message}; mend it`,
    );
  const names = Object.keys(output.fields);
  for (const [split, files] of Object.entries(output.splits)) {
    const missing = names.find((name) => !Object.hasOwn(files, name));
    if (missing !== undefined)
      throw new UserError(`${path}: splits.${split} names no file for ${missing}; add it`);
    const unknown = Object.keys(files).find((name) => !names.includes(name));
    if (unknown !== undefined)
      throw new UserError(
        `${path}: splits.${split} names ${unknown}, which is not among the fields; add it there`,
      );
  }
  return output;
}

async function openSplit(
  directory: string,
  description: Description,
  split: 'train' | 'test',
): Promise<Dataset> {
  const files = Object.entries(description.fields).map(([field, { dtype, shape }]) => {
    const path = join(directory, description.splits[split][field] as string);
    return { field, path, size: fieldElements({ shape }) * ELEMENT_BYTES[dtype] };
  });
  const counts: number[] = [];
  for (const { field, path, size } of files) {
    const bytes = await sizeOf(path);
    if (bytes === 0 || bytes % size !== 0)
      throw new UserError(
        `${path} has ${bytes} bytes, no whole number of samples of ${size} (${field}); check dtype and shape in ${DESCRIPTION}`,
      );
    counts.push(bytes / size);
  }
  const [samples = 0] = counts;
  const other = counts.findIndex((count) => count !== samples);
  if (other !== -1)
    throw new UserError(
      `${files[other]?.path} has ${counts[other]} samples, and ${files[0]?.path} has ${samples}; take both from one data set`,
    );
  const layout = layOutRecords(samples, description.fields);
  const read = (index: number): Uint8Array => {
    const first = index * layout.chunkSamples;
    const count = Math.min(layout.chunkSamples, samples - first);
    const columns = files.map(({ field, path, size }) => ({
      field,
      bytes: readPart(path, first * size, count * size),
    }));
    return layout.join(count, columns);
  };
  const chunkHashes = Array.from({ length: layout.chunks }, (_, index) => sha256Hex(read(index)));
  const manifest = parseManifest(
    { ...manifestOf(`${description.name}-${split}`, samples, layout), chunkHashes },
    join(directory, DESCRIPTION),
  );
  const chunk = (index: number): Uint8Array => {
    const bytes = read(index);
    if (isChunk(manifest, index, bytes)) return bytes;
    throw new UserError(
      `the files in ${directory} change while they are read; begin again when they are whole`,
    );
  };
  return { manifest, chunk };
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

/** `size` bytes of a file from `from` on; fewer where it has become shorter. */
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
