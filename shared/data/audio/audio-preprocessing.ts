/*
 * The preprocessing of recordings: decided when a folder is read, stored with the run as plain JSON, and applied unchanged to every
 * later recording. Prediction needs neither the recipe nor the training data.
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { LogMel } from './log-mel.js';
import { spectrogramBytes } from './spectrogram.js';
import { readWav, type WavRecording } from './wav.js';

/** Most frequency bands. */
export const BANDS_MAX = 256;
/** Longest duration of a spectrogram. */
export const SECONDS_MAX = 60;
/** Most samples of a recording. */
export const SAMPLES_MAX = SECONDS_MAX * 768_000;
/** Most classes. */
const CLASSES_MAX = 2 ** 16;

const count = (least: number, most: number) =>
  v.pipe(v.number(), v.safeInteger(), v.minValue(least), v.maxValue(most));
const finite = v.pipe(v.number(), v.finite());

/** The schema of stored preprocessing. */
const AudioPreprocessingSchema = v.strictObject({
  kind: v.literal('recordings'),
  version: v.literal(1),
  sampleRate: count(1000, 768_000),
  /** Samples used from the beginning of a recording; shorter recordings are padded with silence. */
  samples: count(1, SAMPLES_MAX),
  /** Shape of a spectrogram. */
  frames: count(1, 2 ** 20),
  bands: count(1, BANDS_MAX),
  /** See MelSettings. */
  window: v.pipe(
    count(2, 2 ** 16),
    v.check((size) => (size & (size - 1)) === 0, 'is no power of two'),
  ),
  hop: count(1, 2 ** 16),
  lowest: v.pipe(finite, v.minValue(0)),
  range: v.pipe(finite, v.minValue(0.001)),
  /** The network receives byte * scale + shift. */
  scale: finite,
  shift: finite,
  /** Longest sequence of labels of a recording, for a model of sequences; left out: a recording has one label. */
  sequence: v.exactOptional(count(1, 2 ** 16)),
  /** Class names by number. In sequences, class n has the label n + 1, and 0 is padding. */
  classes: v.pipe(v.array(v.pipe(v.string(), v.maxLength(1024))), v.maxLength(CLASSES_MAX)),
});

/** The preprocessing of recordings. */
export type AudioPreprocessing = v.InferOutput<typeof AudioPreprocessingSchema>;

/**
 * Checks preprocessing that was read from a file.
 * @param source names the file in errors
 * @throws UserError that names the invalid part
 */
export function parseAudioPreprocessing(value: unknown, source: string): AudioPreprocessing {
  const { success, output, issues } = v.safeParse(AudioPreprocessingSchema, value);
  if (success) return output;
  const path = v.getDotPath(issues[0]);
  throw new UserError(
    `${source} has invalid audio preprocessing: ${path === null ? '' : `${path}: `}${issues[0].message}; ` +
      'use an undamaged run',
  );
}

/**
 * The network input of one recording, with the same values as in training.
 * @param bytes of a WAV file
 * @param file names the recording in errors
 * @param seen receives the recording and the bytes of its spectrogram, for what is told about them
 * @returns [frames, bands]
 * @throws UserError that names the file and the remedy
 */
export function preprocessRecording(
  bytes: Uint8Array,
  file: string,
  settings: AudioPreprocessing,
  seen?: (recording: WavRecording, spectrogram: Uint8Array) => void,
): Float32Array {
  const recording = readWav(bytes, file);
  if (recording.sampleRate !== settings.sampleRate)
    throw new UserError(
      `${file} has a sample rate of ${recording.sampleRate} Hz, and the model expects ${settings.sampleRate}; ` +
        `resample it: sox ${file} -r ${settings.sampleRate} ${file.replace(/\.\w+$/, '')}-${settings.sampleRate}.wav`,
    );
  const spectrogram = new SpectrogramMaker(settings).of(recording);
  seen?.(recording, spectrogram);
  // A byte times a float32 is exact in float64, and so is the sum, so there is a single rounding.
  return Float32Array.from(spectrogram, (byte) => byte * settings.scale + settings.shift);
}

/** Computes spectrograms of recordings with one sample rate. */
export class SpectrogramMaker {
  private readonly logMel: LogMel;

  constructor(
    private readonly settings: Pick<
      AudioPreprocessing,
      'sampleRate' | 'samples' | 'frames' | 'bands' | 'window' | 'hop' | 'lowest' | 'range'
    >,
  ) {
    this.logMel = new LogMel(settings, settings.sampleRate);
  }

  /** @returns bytes, [frames, bands] */
  of({ samples }: WavRecording): Uint8Array {
    const { samples: used, frames, bands } = this.settings;
    return spectrogramBytes(this.logMel, samples.subarray(0, used), frames, bands);
  }
}
