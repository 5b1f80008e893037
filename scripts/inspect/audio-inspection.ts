import {
  type AudioFolderData,
  type AudioFolderOptions,
  audioFolder,
  RECORDINGS,
} from '../../shared/data/audio/audio-folder.js';
import { readWav } from '../../shared/data/audio/wav.js';
import { FILE_BYTES_MAX } from '../../shared/data/class-folders.js';
import { findClasses } from '../../shared/data/class-tree.js';
import { UserError } from '../../shared/errors.js';
import { readBoundedFile } from '../../shared/files/read-file.js';
import { dataLine, holdsMost, inspectFolder } from './class-folder-inspection.js';
import type { Inspection, Inspector, RecipeDraft } from './inspection.js';
import { trainingSize } from './training-size.js';

const SOUND = /^\.(wav|wave|mp3|ogg|oga|opus|flac|m4a|aac|wma|aiff?|au)$/i;
const IMAGE = /^\.(png|jpe?g|gif|bmp|webp|tiff?)$/i;
/** Longest suggested duration: a spectrogram has 62 frames per second. */
const SECONDS_MAX = 5;

/** Recordings in folders. */
export const audioInspector: Inspector = {
  what: 'a folder of recordings, with a folder for each class (WAV)',
  handles: (path) => holdsMost(path, SOUND, IMAGE),
  inspect: inspectRecordings,
};

async function inspectRecordings(path: string): Promise<Inspection> {
  const { options, reasons } = await suggestOptions(path);
  return await inspectFolder(
    'recordings',
    options,
    reasons,
    () => audioFolder(path, options),
    (data) => draft(path, options, data),
  );
}

/** Suggests the 90th percentile of the durations, rounded up to a quarter of a second. */
async function suggestOptions(
  directory: string,
): Promise<{ options: AudioFolderOptions; reasons: string[] }> {
  const lengths: number[] = [];
  try {
    for (const { path } of (await findClasses(directory, RECORDINGS)).files) {
      const seconds = await secondsOf(path);
      if (seconds !== undefined) lengths.push(seconds);
    }
  } catch (error) {
    // Reading the folder reports this error.
    if (!(error instanceof UserError)) throw error;
  }
  if (lengths.length === 0) return { options: {}, reasons: [] };
  lengths.sort((a, b) => a - b);
  const long = lengths[Math.ceil(lengths.length * 0.9) - 1] as number;
  const seconds = Math.min(SECONDS_MAX, Math.max(1, Math.ceil(long * 4)) / 4);
  const [least, most] = [lengths[0], lengths.at(-1)].map((length) => (length as number).toFixed(2));
  return {
    options: { seconds },
    reasons: [
      `seconds: ${seconds}, since 90% of the recordings last at most ${long.toFixed(2)} s (all: ${least} to ${most} s)`,
    ],
  };
}

async function secondsOf(path: string): Promise<number | undefined> {
  try {
    const { samples, sampleRate } = readWav(await readBoundedFile(path, FILE_BYTES_MAX), path);
    return samples.length / sampleRate;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** A small recurrent network. */
function draft(path: string, options: AudioFolderOptions, { train }: AudioFolderData): RecipeDraft {
  return {
    imports: {
      'data/audio/audio-folder': ['audioFolder'],
      'data/dataset': ['shapeOf'],
      graph: ['Graph'],
      'layers/augmentation': ['specAugment'],
      'layers/dense': ['dense'],
      'layers/recurrent': ['gru'],
      'layers/sequential': ['sequential'],
      'losses/sparse-categorical-crossentropy': ['sparseCategoricalCrossentropy'],
      'optim/adam': ['adam'],
      'optim/early-stopping': ['earlyStopping'],
      'optim/schedule': ['cosineDecay'],
    },
    summary: `the class of a recording in ${path.split(/[/\\]/).filter(Boolean).at(-1)}`,
    body: [
      '  model({ train, classes = [] }) {',
      '    const graph = new Graph();',
      '    const network = sequential([',
      '      specAugment({ timeMasks: 1, frequencyMasks: 1 }),',
      '      gru(48),',
      "      dense(classes.length, { activation: 'softmax' }),",
      '    ]);',
      "    const output = network(graph.input('spectrogram', shapeOf(train, 'spectrogram')));",
      "    return graph.model(output, sparseCategoricalCrossentropy({ target: 'label' }));",
      '  },',
      dataLine(path, 'audioFolder', options),
      '  optimizer: adam({ learningRate: 0.005 }),',
      '  schedule: cosineDecay(),',
      '  earlyStopping: earlyStopping({ patience: 10 }),',
      ...trainingSize(train.manifest.samples),
    ].join('\n'),
  };
}
