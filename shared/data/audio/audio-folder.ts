/*
 * Recordings in folders, one folder for each class.
 */
import { basename, resolve } from 'node:path';
import { UserError } from '../../errors.js';
import { readBoundedFile } from '../../files/read-file.js';
import { sha256Hex } from '../../files/sha256.js';
import { type ClassFolderKind, FILE_BYTES_MAX, labelColumn, readClassFolders } from '../class-folders.js';
import { type Dataset, nameAfter, packDataset } from '../dataset.js';
import { fieldValues } from '../field-values.js';
import { checkSides, type HeldOut } from '../held-out.js';
import { spectrogramColumn } from './spectrogram.js';
import { type Recording, readWav } from './wav.js';

export interface AudioFolderOptions {
  /** What is heard of each recording from its beginning; what is shorter ends in silence. Default: 1. */
  readonly seconds?: number;
  /** Bands of frequencies, evenly spaced as ears hear them (mel). Default: 32. */
  readonly bands?: number;
  /** What is held out, by a keyed hash of the file, where the folder itself has no `train` and `test`. Default: a fifth. */
  readonly split?: HeldOut;
}

/** Recordings as they are learned from. */
export interface AudioFolderData {
  /** Fields: `spectrogram` (u8 [frames, bands], seen as -1 for silence to 1) and `label` (i32 []). */
  readonly train: Dataset;
  readonly test: Dataset;
  /** The folders' names by class number, in the order of code points. */
  readonly classes: readonly string[];
  /** A recording of the same rate, as a network sees it. */
  inputs(path: string): Promise<{ readonly spectrogram: Float32Array }>;
}

/** Length of a window, in seconds: a vowel stands still for so long. */
const WINDOW_SECONDS = 0.0325;
/** Lowest frequency, in Hz, and what is heard below the loudest, in nats of power. */
const [LOWEST, RANGE] = [60, 10];
const RECORDINGS: ClassFolderKind = {
  what: 'recordings',
  example: 'bells',
  extensions: ['.wav'],
  others: /^\.(mp3|ogg|oga|opus|flac|m4a|aac|wma|aiff?|au|webm)$/i,
  convert: (files) => `for f in ${files}; do sox "$f" "\${f%.*}.wav"; done`,
};

/**
 * Reads the WAV files in DIRECTORY/CLASS/, all of one rate, as log-mel spectrograms; or those in DIRECTORY/train/CLASS/ to
 * learn from, and those in DIRECTORY/test/CLASS/ to be measured on. Windows are the power of two of samples that lasts
 * 32 ms at most, and overlap by half.
 * @throws UserError that names the file and the mend
 */
export async function audioFolder(
  directory: string,
  { seconds = 1, bands = 32, split = {} }: AudioFolderOptions = {},
): Promise<AudioFolderData> {
  if (!(seconds > 0 && seconds <= 60))
    throw new UserError(
      `recordings of ${seconds} seconds cannot be learned; say more than 0 and at most 60`,
      2,
    );
  const sides = { train: new Map<Recording, number>(), test: new Map<Recording, number>() };
  let first: { readonly path: string; readonly sampleRate: number } | undefined;
  /** What is heard of a recording: the rest need not be kept. */
  const hear = (path: string, bytes: Uint8Array): Recording => {
    const { sampleRate, samples } = readWav(bytes, path);
    first ??= { path, sampleRate };
    if (sampleRate !== first.sampleRate)
      throw new UserError(
        `${path} has ${sampleRate} samples a second, and ${first.path} has ${first.sampleRate}; ` +
          `bring all to one rate: sox IN -r ${first.sampleRate} OUT`,
      );
    return { sampleRate, samples: samples.slice(0, Math.ceil(seconds * sampleRate)) };
  };
  const classes = await readClassFolders(directory, RECORDINGS, split, ({ path, bytes, label, isTest }) => {
    (isTest ? sides.test : sides.train).set(hear(path, bytes), label);
  });
  checkSides(directory, { train: sides.train.size, test: sides.test.size });
  const { sampleRate } = first as unknown as { sampleRate: number };
  let window = 2;
  while (window * 2 <= WINDOW_SECONDS * sampleRate) window *= 2;
  const settings = { window, hop: window / 2, bands, lowest: LOWEST, range: RANGE };
  const frames = Math.ceil((seconds * sampleRate) / settings.hop);
  const pack = (name: string, side: ReadonlyMap<Recording, number>): Dataset => {
    const label = labelColumn(side.values());
    const spectrogram = spectrogramColumn([...side.keys()], frames, settings);
    return packDataset(name, side.size, { spectrogram, label }, sha256Hex);
  };
  const name = nameAfter(basename(resolve(directory)), 'recordings');
  return {
    train: pack(`${name}-train`, sides.train),
    test: pack(`${name}-test`, sides.test),
    classes,
    async inputs(path) {
      const recording = hear(path, await readBoundedFile(path, FILE_BYTES_MAX));
      return { spectrogram: fieldValues(pack(name, new Map([[recording, 0]])), 'spectrogram') };
    },
  };
}
