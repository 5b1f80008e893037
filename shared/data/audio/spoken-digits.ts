/*
 * Recordings of spoken digits, as the Free Spoken Digit Dataset names them: {digit}_{speaker}_{number}.wav, at 8 kHz.
 * Numbers 0 to 4 of each speaker and digit are its test set.
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseTar } from 'nanotar';
import { messageOf, UserError } from '../../errors.js';
import { exists, readBoundedFile } from '../../files/read-file.js';
import { sha256Hex } from '../../files/sha256.js';
import { type Dataset, packDataset } from '../dataset.js';
import { type AudioPreprocessing, SAMPLES_MAX } from './audio-preprocessing.js';
import { SPECTROGRAM_SCALE, SPEECH, SPEECH_RATE, speechColumn } from './spectrogram.js';
import { type Recording, readWav } from './wav.js';

/** Numbers below this are the test set's. */
const TEST_NUMBERS = 5;
/** Frames of one digit: a second. Longer recordings are cut, shorter ones are padded with silence. */
const DIGIT_FRAMES = 64;
/** The classes. */
const DIGITS: readonly string[] = Array.from('0123456789');
const BYTES_MAX = 2 ** 28;
const FIX =
  'download the Free Spoken Digit Dataset from https://github.com/Jakobovski/free-spoken-digit-dataset and name its ' +
  'archive or its folder with --data';

export interface SpokenDigit {
  readonly digit: number;
  readonly speaker: string;
  readonly number: number;
  readonly recording: Recording;
}

/** Recordings for training and for evaluation. */
export interface SpokenSplit {
  readonly train: readonly SpokenDigit[];
  readonly test: readonly SpokenDigit[];
}

/**
 * Reads all recordings, in the order of their names.
 * @param path a folder, or an archive (.tar.gz)
 * @throws UserError when there are none, or one of them cannot be read
 */
export async function loadSpokenDigits(path: string | undefined): Promise<SpokenDigit[]> {
  if (path === undefined) throw new UserError(`this recipe needs recordings of digits; ${FIX}`, 2);
  if (!(await exists(path))) throw new UserError(`${path} does not exist; ${FIX}`, 2);
  const files = await recordingFiles(path);
  const digits = [...files]
    .map(([name, bytes]) => ({ name, bytes, parts: /^(\d)_([^_]+)_(\d+)\.wav$/.exec(name) }))
    .filter(({ parts }) => parts !== null)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, bytes, parts }): SpokenDigit => {
      const recording = readWav(bytes, name);
      if (recording.sampleRate !== SPEECH_RATE)
        throw new UserError(
          `${name} has a sample rate of ${recording.sampleRate} Hz, not ${SPEECH_RATE}; resample it: sox IN -r 8000 OUT`,
        );
      const [, digit, speaker, number] = parts as unknown as [string, string, string, string];
      return { digit: Number(digit), speaker, number: Number(number), recording };
    });
  if (digits.length === 0) throw new UserError(`${path} has no recordings such as 7_ada_12.wav; ${FIX}`);
  return digits;
}

/** The names and bytes of recordings. @param path a folder, or an archive (.tar.gz) */
export async function recordingFiles(path: string): Promise<ReadonlyMap<string, Uint8Array>> {
  return (await stat(path)).isDirectory() ? await filesIn(path) : await filesPacked(path);
}

/**
 * How speechColumn reads recordings, as a trained model stores it. The loudest band is that of the whole recording.
 * @param frames of each spectrogram
 */
export function speechPreprocessing(frames: number): AudioPreprocessing {
  return {
    ...{ kind: 'recordings', version: 1, sampleRate: SPEECH_RATE, samples: SAMPLES_MAX, frames },
    ...{ ...SPEECH, ...SPECTROGRAM_SCALE, classes: [...DIGITS] },
  };
}

/** How digitDataset reads recordings, as a trained model stores it. */
export function digitPreprocessing(): AudioPreprocessing {
  return speechPreprocessing(DIGIT_FRAMES);
}

/** The split that the data set defines. @throws UserError when one side is empty */
export function ownSplit(digits: readonly SpokenDigit[]): SpokenSplit {
  return split(digits, ({ number }) => number < TEST_NUMBERS, `numbers below ${TEST_NUMBERS}`);
}

/** Holds out one speaker. @throws UserError when there are no recordings of the speaker, or of nobody else */
export function newcomerSplit(digits: readonly SpokenDigit[], speaker: string): SpokenSplit {
  return split(digits, (digit) => digit.speaker === speaker, `recordings of ${speaker}`);
}

/** One sample per recording: spectrogram [64, 32] and label. */
export function digitDataset(name: string, digits: readonly SpokenDigit[]): Dataset {
  const spectrogram = speechColumn(
    digits.map(({ recording }) => recording),
    DIGIT_FRAMES,
  );
  const bytes = Uint8Array.from(digits, ({ digit }) => digit);
  const label = { dtype: 'u8', shape: [], bytes, scale: 1, shift: 0 } as const;
  return packDataset(name, digits.length, { spectrogram, label }, sha256Hex);
}

function split(
  digits: readonly SpokenDigit[],
  isTest: (digit: SpokenDigit) => boolean,
  what: string,
): SpokenSplit {
  const [train, test] = [digits.filter((digit) => !isTest(digit)), digits.filter(isTest)];
  if (train.length > 0 && test.length > 0) return { train, test };
  throw new UserError(`the recordings hold ${test.length === 0 ? 'no' : 'nothing but'} ${what}; ${FIX}`);
}

async function filesIn(folder: string): Promise<Map<string, Uint8Array>> {
  const inner = join(folder, 'recordings');
  const from = (await exists(inner)) ? inner : folder;
  const files = new Map<string, Uint8Array>();
  for (const name of await readdir(from))
    if (name.endsWith('.wav')) files.set(name, await readBoundedFile(join(from, name), BYTES_MAX));
  return files;
}

async function filesPacked(path: string): Promise<Map<string, Uint8Array>> {
  const packed = await readBoundedFile(path, BYTES_MAX);
  try {
    const entries = parseTar(gunzipSync(packed, { maxOutputLength: 2 ** 30 }));
    return new Map(entries.flatMap(({ name, data }) => (data ? [[basename(name), data] as const] : [])));
  } catch (error) {
    const why = messageOf(error);
    throw new UserError(`${path} is not a valid .tar.gz archive (${why}); ${FIX}`);
  }
}
