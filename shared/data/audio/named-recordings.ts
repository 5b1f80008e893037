/*
 * Recordings whose names begin with their label, as those of the Free Spoken Digit Dataset: {label}_{anything}.wav.
 */
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { UserError } from '../../errors.js';
import { sha256Hex } from '../../files/sha256.js';
import { labelColumn } from '../class-folders.js';
import { type Column, type Dataset, nameAfter, packDataset } from '../dataset.js';
import { listed } from '../tables/problems.js';
import { type AudioPreprocessing, SpectrogramMaker } from './audio-preprocessing.js';
import { RecordingChanges } from './recording-changes.js';
import { recordingFiles } from './spoken-digits.js';
import { readWav } from './wav.js';

/** Bytes of all spectrograms. */
const BYTES_MAX = 2 ** 31;

/**
 * Labelled recordings of a folder or an archive (.tar.gz), for a trained model.
 * @returns undefined when the folder has no recordings of its own: they are in one folder for each class
 * @throws UserError that names the file and the remedy
 */
export async function namedRecordings(
  path: string,
  preprocessing: AudioPreprocessing,
): Promise<{ readonly test: Dataset; readonly notes: readonly string[] } | undefined> {
  const files = [...(await recordingFiles(path))]
    .filter(([name]) => /\.wav$/i.test(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (files.length === 0 && preprocessing.sequence === undefined && (await stat(path)).isDirectory())
    return undefined;
  if (files.length === 0) throw new UserError(`${path} has no recordings such as 7_ada_12.wav; add some`);
  const { frames, bands, scale, shift, sampleRate, sequence } = preprocessing;
  const size = frames * bands;
  if (files.length * size > BYTES_MAX)
    throw new UserError(
      `${path}: ${files.length} recordings take more than ${BYTES_MAX} bytes; measure fewer`,
    );
  const maker = new SpectrogramMaker(preprocessing);
  const changes = new RecordingChanges(preprocessing.samples);
  const bytes = new Uint8Array(files.length * size);
  const labels = files.flatMap(([name, content], i) => {
    const recording = readWav(content, name);
    if (recording.sampleRate !== sampleRate)
      throw new UserError(
        `${name} has a sample rate of ${recording.sampleRate} Hz, and the model expects ${sampleRate}; ` +
          `resample it: sox IN -r ${sampleRate} OUT`,
      );
    const spectrogram = maker.of(recording);
    changes.add(recording, spectrogram);
    bytes.set(spectrogram, i * size);
    return labelsOf(name, preprocessing);
  });
  const spectrogram: Column = { dtype: 'u8', shape: [frames, bands], bytes, scale, shift };
  const sequences = new Uint8Array(Int32Array.from(labels).buffer);
  const target: Record<string, Column> =
    sequence === undefined
      ? { label: labelColumn(labels) }
      : { digits: { dtype: 'i32', shape: [sequence], bytes: sequences, scale: 1, shift: 0 } };
  const name = nameAfter(basename(resolve(path)), 'recordings');
  const test = packDataset(name, files.length, { spectrogram, ...target }, sha256Hex);
  return { test, notes: [`${path}: labels are what file names have before the first _`, ...changes.notes()] };
}

/** The class of a recording; or, for a model of sequences, the labels of all characters, padded with 0. */
function labelsOf(name: string, { classes, sequence }: AudioPreprocessing): number[] {
  const [text = ''] = name.replace(/\.wav$/i, '').split('_');
  const parts = sequence === undefined ? [text] : Array.from(text);
  const labels = parts.map((part) => classes.indexOf(part));
  if (labels.length === 0 || labels.includes(-1) || (sequence !== undefined && labels.length > sequence))
    throw new UserError(
      `${name} is called after ${JSON.stringify(text)}, which is ` +
        (sequence === undefined
          ? `no class of the model; its classes are ${listed(classes)}`
          : `no sequence of 1 to ${sequence} of ${listed(classes)}`) +
        '; rename it',
    );
  if (sequence === undefined) return labels;
  return Array.from({ length: sequence }, (_, i) => (labels[i] ?? -1) + 1);
}
