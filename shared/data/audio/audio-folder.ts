/*
 * Recordings in folders, one folder for each class.
 */
import { basename, resolve } from 'node:path';
import { UserError } from '../../errors.js';
import { readBoundedFile } from '../../files/read-file.js';
import { checkOptionNames } from '../../nearest.js';
import { type ClassFile, FILE_BYTES_MAX, readClassFolders, readKnownClasses } from '../class-folders.js';
import { type Column, type Dataset, nameAfter } from '../dataset.js';
import type { ClassFolderKind } from '../folder-listing.js';
import { checkSides, type HeldOut } from '../held-out.js';
import { LabelledSamples } from '../labelled-samples.js';
import {
  type AudioPreprocessing,
  BANDS_MAX,
  preprocessRecording,
  SECONDS_MAX,
  SpectrogramMaker,
} from './audio-preprocessing.js';
import { namedRecordings } from './named-recordings.js';
import { RecordingChanges } from './recording-changes.js';
import { SPECTROGRAM_SCALE } from './spectrogram.js';
import { readWav, type WavRecording } from './wav.js';

export interface AudioFolderOptions {
  /** Seconds used from the beginning of each recording; shorter ones are padded with silence. Default: 1. */
  readonly seconds?: number;
  /** Frequency bands, evenly spaced on the mel scale. Default: 32. */
  readonly bands?: number;
  /** Which files are held out, by a keyed hash, when the folder has no `train` with `val` or `test`. Default: a fifth. */
  readonly split?: HeldOut;
}

/** Data sets of spectrograms. */
export interface AudioFolderData {
  /** Fields: `spectrogram` (u8 [frames, bands], scaled to -1 for silence to 1) and `label` (i32 []). */
  readonly train: Dataset;
  /** Left out when nothing is held out. */
  readonly test?: Dataset;
  /** Folder names by class number, in code unit order. */
  readonly classes: readonly string[];
  /** What was found and decided, one line each; printed before training. */
  readonly notes: readonly string[];
  /** What preprocessRecording needs for other recordings, as plain JSON. */
  readonly preprocessing: AudioPreprocessing;
  /** The network input of one recording with the same sample rate. */
  inputs(path: string): Promise<{ readonly spectrogram: Float32Array }>;
}

/** Length of a window, in seconds: a vowel changes little in that time. */
const WINDOW_SECONDS = 0.0325;
/** Lowest frequency in Hz, and the dynamic range below the loudest band, in nats of power. */
const [LOWEST, RANGE] = [60, 10];
const OPTIONS = ['seconds', 'bands', 'split'];

export const RECORDINGS: ClassFolderKind = {
  what: 'recordings',
  example: 'bells',
  extensions: ['.wav'],
  others: /^\.(mp3|ogg|oga|opus|flac|m4a|aac|wma|aiff?|au|webm|wave|w64|caf|sph|amr)$/i,
  convert: (files) => `for f in ${files}; do sox "$f" "\${f%.*}.wav"; done`,
};

/**
 * Reads the WAV files in DIRECTORY/CLASS/, all with one sample rate, as log-mel spectrograms; or those in DIRECTORY/train/CLASS/ for
 * training and those in val or test for evaluation (class-tree.ts). A window is the largest power of two of samples that lasts at
 * most 32 ms; windows overlap by half.
 * @throws UserError that names the files and the remedy
 */
export async function audioFolder(
  directory: string,
  options: AudioFolderOptions = {},
): Promise<AudioFolderData> {
  checkOptions(options);
  const { seconds = 1, bands = 32, split = {} } = options;
  const [train, test] = [spectrogramList(), spectrogramList()];
  const converter = new RecordingConverter(seconds, bands);
  const { classes, notes } = await readClassFolders(
    directory,
    RECORDINGS,
    split,
    ({ path, bytes, label, isTest }) => {
      const spectrogram = converter.spectrogram(readWav(bytes, path), path);
      if (spectrogram !== undefined)
        (isTest ? test : train).add(path, spectrogram, label, train.bytes + test.bytes);
    },
  );
  converter.refuseOthers();
  checkSides(directory, { train: train.samples, test: test.samples }, split.share);
  const preprocessing: AudioPreprocessing = { ...converter.settings(), classes: [...classes] };
  const name = nameAfter(basename(resolve(directory)), 'recordings');
  return {
    train: train.pack(`${name}-train`, 'spectrogram', columnOf(preprocessing)),
    ...(test.samples > 0 && { test: test.pack(`${name}-test`, 'spectrogram', columnOf(preprocessing)) }),
    classes,
    notes: [...notes, ...converter.notes()],
    preprocessing,
    inputs: async (path) => ({
      spectrogram: preprocessRecording(await readBoundedFile(path, FILE_BYTES_MAX), path, preprocessing),
    }),
  };
}

/**
 * Recordings for the evaluation of a trained model: all files of a folder with the model's classes, which are names of folders or
 * begin the names of the files. In a folder with splits, those of the held-out split.
 * @throws UserError that names the files and the remedy
 */
export async function recordingsToMeasure(
  directory: string,
  preprocessing: AudioPreprocessing,
): Promise<{ readonly test: Dataset; readonly notes: readonly string[] }> {
  const named = await namedRecordings(directory, preprocessing);
  if (named !== undefined) return named;
  const list = spectrogramList();
  const maker = new SpectrogramMaker(preprocessing);
  const changes = new RecordingChanges(preprocessing.samples);
  const take = ({ path, bytes, label }: ClassFile) => {
    const recording = readWav(bytes, path);
    if (recording.sampleRate !== preprocessing.sampleRate)
      throw otherRate(
        path,
        recording.sampleRate,
        `the model expects ${preprocessing.sampleRate}`,
        preprocessing,
      );
    const spectrogram = maker.of(recording);
    changes.add(recording, spectrogram);
    list.add(path, spectrogram, label, list.bytes);
  };
  const notes = await readKnownClasses(directory, RECORDINGS, preprocessing.classes, take);
  if (list.samples === 0)
    throw new UserError(`${directory} has no recordings to evaluate; add some to the class folders`);
  const name = nameAfter(basename(resolve(directory)), 'recordings');
  return {
    test: list.pack(name, 'spectrogram', columnOf(preprocessing)),
    notes: [...notes, ...changes.notes()],
  };
}

function spectrogramList(): LabelledSamples {
  return new LabelledSamples('recordings', 'use fewer recordings or fewer seconds');
}

function columnOf({ frames, bands, scale, shift }: AudioPreprocessing): Omit<Column, 'bytes'> {
  return { dtype: 'u8', shape: [frames, bands], scale, shift };
}

function checkOptions(options: AudioFolderOptions): void {
  checkOptionNames('audioFolder', options, OPTIONS);
  if (options.split !== undefined) checkOptionNames('audioFolder: split', options.split, ['share', 'seed']);
  const { seconds, bands } = options;
  if (seconds !== undefined && !(typeof seconds === 'number' && seconds > 0 && seconds <= SECONDS_MAX))
    throw new UserError(
      `audioFolder: seconds must be more than 0 and at most ${SECONDS_MAX}, not ${seconds}`,
      2,
    );
  if (bands !== undefined && !(Number.isInteger(bands) && bands >= 1 && bands <= BANDS_MAX))
    throw new UserError(`audioFolder: bands must be an integer from 1 to ${BANDS_MAX}, not ${bands}`, 2);
}

function otherRate(
  path: string,
  rate: number,
  other: string,
  { sampleRate }: { sampleRate: number },
): UserError {
  return new UserError(
    `${path} has a sample rate of ${rate} Hz, and ${other}; resample all to one rate: sox IN -r ${sampleRate} OUT`,
  );
}

/** Computes spectrograms, and counts what happened to recordings. */
class RecordingConverter {
  private first:
    | { readonly path: string; readonly settings: Omit<AudioPreprocessing, 'classes'> }
    | undefined;
  private maker: SpectrogramMaker | undefined;
  private other: { readonly path: string; readonly sampleRate: number } | undefined;
  private changes: RecordingChanges | undefined;
  private others = 0;

  constructor(
    private readonly seconds: number,
    private readonly bands: number,
  ) {}

  /** Returns the spectrogram of a recording; undefined when its sample rate differs from the first. */
  spectrogram(recording: WavRecording, path: string): Uint8Array | undefined {
    const { sampleRate } = recording;
    this.first ??= { path, settings: settingsFor(sampleRate, this.seconds, this.bands) };
    const { settings } = this.first;
    this.maker ??= new SpectrogramMaker(settings);
    this.changes ??= new RecordingChanges(settings.samples);
    if (sampleRate !== settings.sampleRate) {
      this.other ??= { path, sampleRate };
      this.others += 1;
      return undefined;
    }
    const spectrogram = this.maker.of(recording);
    this.changes.add(recording, spectrogram);
    return spectrogram;
  }

  /** Valid after a recording was read. */
  settings(): Omit<AudioPreprocessing, 'classes'> {
    return this.first?.settings ?? settingsFor(1000, this.seconds, this.bands);
  }

  /** @throws UserError when the recordings have several sample rates */
  refuseOthers(): void {
    const { first, other } = this;
    if (first === undefined || other === undefined) return;
    const { sampleRate } = first.settings;
    const error = otherRate(other.path, other.sampleRate, `${first.path} has ${sampleRate}`, first.settings);
    throw this.others === 1
      ? error
      : new UserError(`${error.message} (${this.others - 1} more recordings have another rate)`);
  }

  notes(): string[] {
    const { sampleRate, frames, bands } = this.settings();
    if (this.changes === undefined) return [];
    return [
      `recordings: ${sampleRate} Hz, the first ${this.seconds} s as spectrograms of ${frames} frames and ${bands} bands ` +
        `(${this.changes.lengths()})`,
      ...this.changes.notes(),
    ];
  }
}

function settingsFor(
  sampleRate: number,
  seconds: number,
  bands: number,
): Omit<AudioPreprocessing, 'classes'> {
  let window = 2;
  while (window * 2 <= WINDOW_SECONDS * sampleRate) window *= 2;
  const hop = window / 2;
  return {
    ...{ kind: 'recordings', version: 1, sampleRate, samples: Math.ceil(seconds * sampleRate) },
    ...{ frames: Math.ceil((seconds * sampleRate) / hop), bands, window, hop, lowest: LOWEST, range: RANGE },
    ...SPECTROGRAM_SCALE,
  };
}
