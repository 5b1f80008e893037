/*
 * Unlabelled samples for a trained model, from files and folders, brought to the form that the model was trained on.
 */

import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { concatenated } from '../shared/concatenated.js';
import { isNumpy } from '../shared/data/arrays/arrays-to-measure.js';
import { preprocessRecording } from '../shared/data/audio/audio-preprocessing.js';
import type { Dataset } from '../shared/data/dataset.js';
import { fieldValues } from '../shared/data/field-values.js';
import { type FieldsPreprocessing, imageInput } from '../shared/data/fields-preprocessing.js';
import { type Measurable, openArrays, openIdx, openRawFolder } from '../shared/data/fields-to-measure.js';
import { preprocessImage } from '../shared/data/images/read-image.js';
import { numbersIn, readJsonFile } from '../shared/data/json-rows.js';
import type { PairPreprocessing } from '../shared/data/texts/pair-preprocessing.js';
import { textLines } from '../shared/data/texts/pairs-to-measure.js';
import { endOfText } from '../shared/data/texts/text.js';
import { UserError } from '../shared/errors.js';
import { explainFileError } from '../shared/files/file-error.js';
import { exists, readBoundedFile } from '../shared/files/read-file.js';
import type { Model } from '../shared/graph/model.js';
import { elementsOf } from '../shared/graph/shape.js';
import { type InputFiles, type InputRequest, isJson, type SampleBatch } from './input-files.js';
import type { StoredModel } from './model-text.js';
import type { Preprocessing } from './preprocessing.js';
import { ReadingNotes } from './reading-notes.js';
import { openTables } from './table-inputs.js';

/** Largest file of one sample. */
const SAMPLE_BYTES_MAX = 2 ** 26;
/** Samples, and numbers of their inputs, that are in memory at once. */
const BATCH_SAMPLES = 1024;
const BATCH_FLOATS = 2 ** 24;

/** Files that are samples, by what a model was trained on: how their names end, and how a message calls them. */
const SAMPLE_FILES: Readonly<Record<Preprocessing['kind'], readonly [ends: RegExp, called: string]>> = {
  table: [
    /\.((csv|tsv|tab)(\.gz)?|parquet|arrows?|feather)$/i,
    'tables: .csv, .tsv, .parquet, .arrow or .feather',
  ],
  images: [/\.(png|jpe?g)$/i, 'images: .png or .jpg'],
  recordings: [/\.wav$/i, 'recordings: .wav'],
  text: [/\.txt$/i, 'texts: .txt'],
  pairs: [/\.txt$/i, 'texts: .txt'],
  fields: [/\.(png|jpe?g|json)$/i, 'images or rows: .png, .jpg or .json'],
};

/**
 * Opens files of samples.
 * @throws UserError that names the file and the remedy
 */
export async function openInputs(model: StoredModel, request: InputRequest): Promise<InputFiles> {
  const { preprocessing } = model;
  if (request.id !== undefined && preprocessing.kind !== 'table')
    throw new UserError('--id names a column of a table, and this model takes none; leave it out', 2);
  const [path] = request.paths;
  if (preprocessing.kind === 'fields' && request.paths.length === 1 && path !== undefined) {
    const found = await openDataset(path, preprocessing);
    for (const note of found?.notes ?? []) request.say(note);
    if (found !== undefined) return { idHeadings: ['row'], batches: () => datasetBatches(model, found.test) };
  }
  const files = await filesOf(request.paths, preprocessing, request.say);
  if (preprocessing.kind === 'table') return openTables(files, preprocessing, request);
  if (preprocessing.kind === 'pairs') return openTexts(model, files, preprocessing, request);
  return {
    idHeadings: files.every(isJson) && files.length === 1 ? ['row'] : ['file'],
    batches: () => sampleFiles(model, files, request),
  };
}

/** A folder of raw samples or IDX files, or arrays of NumPy; undefined for anything else. */
async function openDataset(path: string, fitted: FieldsPreprocessing): Promise<Measurable | undefined> {
  if (!(await exists(path))) return undefined;
  if (isNumpy(path) && !fitted.isReadByRecipe) return openArrays(path, fitted.inputs);
  if (!(await stat(path)).isDirectory()) return undefined;
  return (await openRawFolder(path, fitted)) ?? (await openIdx(path, fitted));
}

/** Consecutive samples of a data set. @param count the first so many; left out: all */
export async function* datasetBatches(
  { network }: Pick<StoredModel, 'network'>,
  dataset: Dataset,
  count = dataset.manifest.samples,
): AsyncGenerator<SampleBatch> {
  const most = samplesPerBatch(network);
  for (let from = 0; from < count; from += most) {
    const to = Math.min(from + most, count);
    yield {
      ids: Array.from({ length: to - from }, (_, i) => [String(from + i + 1)]),
      inputs: Object.fromEntries(
        network.inputs.map(({ name }) => [name, fieldValues(dataset, name, { from, to })]),
      ),
    };
  }
}

/** A text in each line. */
function openTexts(
  model: StoredModel,
  files: readonly string[],
  preprocessing: PairPreprocessing,
  { say }: InputRequest,
): InputFiles {
  async function* batches(): AsyncGenerator<SampleBatch> {
    for (const file of files) {
      const place = files.length > 1 ? [file] : [];
      if (isJson(file)) {
        const inputs = rawInputs(model, file, await readJsonFile(file), say);
        const rows = (inputs.read?.length ?? 0) / preprocessing.read.length;
        yield { ids: Array.from({ length: rows }, (_, row) => [...place, String(row + 1)]), inputs };
        continue;
      }
      const { lines, inputs, notes } = await textLines(file, preprocessing);
      for (const note of notes) say(note);
      yield { ids: lines.map((line) => [...place, String(line)]), inputs };
    }
  }
  return { idHeadings: [...(files.length > 1 ? ['file'] : []), 'line'], batches };
}

/** All files that are named, and those in folders that are named, in the order of code points. */
async function filesOf(
  paths: readonly string[],
  preprocessing: Preprocessing,
  say: (line: string) => void,
): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    if (!(await exists(path))) throw new UserError(`${path} does not exist; check the path`, 2);
    if (!(await stat(path)).isDirectory()) {
      files.push(path);
      continue;
    }
    const [pattern, called] = SAMPLE_FILES[preprocessing.kind];
    const found = await filesBelow(path, new Set());
    const samples = found.filter((file) => pattern.test(file));
    const others = found.filter((file) => !pattern.test(file));
    if (samples.length === 0)
      throw new UserError(`${path} has no files that the model takes (${called}); check the path`, 2);
    if (others.length > 0) say(`${path}: ${others.length} other files left out, such as ${others[0]}`);
    files.push(...samples);
  }
  return files;
}

/** @param seen folders on the way, which links may lead back to */
async function filesBelow(folder: string, seen: Set<string>): Promise<string[]> {
  const real = await realpath(folder);
  if (seen.has(real)) return [];
  seen.add(real);
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw explainFileError(error, `cannot read ${folder}`);
  }
  const files: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || entry.name === '__MACOSX') continue;
    const path = join(folder, entry.name);
    const target = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry;
    if (target?.isDirectory()) files.push(...(await filesBelow(path, seen)));
    else if (target?.isFile()) files.push(path);
  }
  return files;
}

async function* sampleFiles(
  model: StoredModel,
  files: readonly string[],
  request: InputRequest,
): AsyncGenerator<SampleBatch> {
  const { inputs: declared } = model.network;
  const most = samplesPerBatch(model.network);
  let ids: string[][] = [];
  let samples: Readonly<Record<string, Float32Array>>[] = [];
  const batch = (): SampleBatch => {
    const names = [...new Set(samples.flatMap((sample) => Object.keys(sample)))];
    const inputs = Object.fromEntries(
      names.map((name) => [
        name,
        concatenated(
          Float32Array,
          samples.map((sample) => sample[name] ?? new Float32Array()),
        ),
      ]),
    );
    const full = { ids, inputs };
    [ids, samples] = [[], []];
    return full;
  };
  const told = new ReadingNotes(model.preprocessing);
  for (const file of files) {
    const values = await readSamples(model, file, request, told);
    const [name = ''] = Object.keys(values);
    const size = elementsOf(declared.find((input) => input.name === name)?.shape ?? []);
    const rows = Math.max(1, Math.floor((values[name]?.length ?? 0) / size));
    // A file of one image is called by its path; of several samples, each also by its number.
    for (let row = 1; row <= rows; row++)
      ids.push([files.length === 1 && isJson(file) ? String(row) : rows === 1 ? file : `${file}:${row}`]);
    samples.push(values);
    if (ids.length >= most) yield batch();
  }
  if (ids.length > 0) yield batch();
  for (const note of told.notes()) request.say(files.length === 1 ? `${files[0]}: ${note}` : note);
}

function samplesPerBatch({ inputs }: Model): number {
  const rowFloats = inputs.reduce((sum, { shape }) => sum + elementsOf(shape), 0);
  return Math.max(1, Math.min(BATCH_SAMPLES, Math.floor(BATCH_FLOATS / rowFloats)));
}

async function readSamples(
  model: StoredModel,
  file: string,
  { readFile, say }: InputRequest,
  { images, recordings }: ReadingNotes,
): Promise<Readonly<Record<string, Float32Array>>> {
  const { preprocessing } = model;
  if (isJson(file)) return rawInputs(model, file, await readJsonFile(file), say);
  switch (preprocessing.kind) {
    case 'images': {
      const bytes = await readBoundedFile(file, SAMPLE_BYTES_MAX);
      return { image: await preprocessImage(bytes, file, preprocessing, (image) => images.add(image)) };
    }
    case 'recordings': {
      const bytes = await readBoundedFile(file, SAMPLE_BYTES_MAX);
      const spectrogram = preprocessRecording(bytes, file, preprocessing, (recording, levels) =>
        recordings?.add(recording, levels),
      );
      return { spectrogram };
    }
    case 'text': {
      const { x, notes } = await endOfText(file, preprocessing);
      for (const note of notes) say(note);
      return { x };
    }
    case 'fields': {
      if (readFile !== undefined) return readFile(file);
      const image = imageInput(preprocessing);
      if (image !== undefined) {
        const bytes = await readBoundedFile(file, SAMPLE_BYTES_MAX);
        return {
          [image.name]: await preprocessImage(bytes, file, image.settings, (read) => images.add(read)),
        };
      }
      throw new UserError(
        `${file} cannot be read: this model does not store how such a file becomes its inputs; give their values as JSON: ` +
          `{${model.network.inputs.map(({ name }) => `"${name}": [[...], ...]`).join(', ')}}, as NumPy arrays (.npz), or as a folder ` +
          'with a dataset.json',
        2,
      );
    }
  }
  throw new UserError(`${file} is no sample of this model; give ${SAMPLE_FILES[preprocessing.kind][1]}`, 2);
}

/** Inputs as a network sees them. Only a table can be scaled from JSON; other values must be of the right scale already. */
function rawInputs(
  { network, inputs }: StoredModel,
  file: string,
  value: unknown,
  say: (line: string) => void,
): Record<string, Float32Array> {
  const wrong = (what: string) =>
    new UserError(
      `${file} ${what}; write {${network.inputs.map(({ name }) => `"${name}": [[...], ...]`).join(', ')}}`,
      2,
    );
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong('is not a JSON object with the rows of each input');
  const entries = Object.entries(value).map(([name, rows]) => {
    const flat = numbersIn(rows);
    if (flat === undefined) throw wrong(`has something else than numbers in ${name}`);
    const numbers = Float32Array.from(flat);
    const { isByte, scale, shift } = inputs[name] ?? { isByte: false, scale: 1, shift: 0 };
    const [least, most] = [Math.min(shift, 255 * scale + shift), Math.max(shift, 255 * scale + shift)];
    const slack = 1e-6 * Math.max(1, most - least);
    const outside = isByte ? numbers.find((x) => !(x >= least - slack && x <= most + slack)) : undefined;
    if (outside !== undefined)
      throw new UserError(
        `${file}: ${name} has ${outside}, and the network takes ${least} to ${Number(most.toPrecision(6))}; give byte * ${scale} + ${shift}`,
      );
    return [name, numbers] as const;
  });
  say(`${file}: ${entries.map(([name]) => name).join(', ')} taken as the network sees it; nothing is scaled`);
  return Object.fromEntries(entries);
}
