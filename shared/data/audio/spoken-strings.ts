/*
 * Strings of spoken digits, joined from single recordings: the labels say which digits are spoken, but not when.
 */
import { assert } from '../../errors.js';
import { sha256Hex } from '../../files/sha256.js';
import { type Dataset, packDataset } from '../dataset.js';
import { drawsOf } from '../draws.js';
import type { AudioPreprocessing } from './audio-preprocessing.js';
import { SPEECH_RATE, speechColumn, speechFrames } from './spectrogram.js';
import { type SpokenDigit, speechPreprocessing } from './spoken-digits.js';
import type { Recording } from './wav.js';

/** Fewest and most digits of a string. */
const LEAST = 3;
export const DIGITS_MOST = 7;
/** Frames of a string: five seconds. */
export const STRING_FRAMES = 320;
/** Longest pause between two digits, in samples. */
const PAUSE_MOST = SPEECH_RATE / 10;
/** Discarded strings beyond which something is wrong: only very slow speakers exceed the frames. */
const ATTEMPTS_MOST = 1000;

/**
 * Strings of 3 to 7 recordings of one speaker each, with pauses of up to a tenth of a second.
 * Fields: spectrogram [320, 32], digits [7]: 1 to 10 for 0 to 9, padded with 0.
 *
 * @param seed chooses speakers, digits and pauses
 */
export function stringDataset(
  name: string,
  digits: readonly SpokenDigit[],
  count: number,
  seed: number,
): Dataset {
  const speakers = [...new Set(digits.map(({ speaker }) => speaker))].sort();
  const spoken = new Map(speakers.map((name) => [name, digits.filter(({ speaker }) => speaker === name)]));
  const below = drawsOf(seed);
  const recordings: Recording[] = [];
  const labels = new Int32Array(count * DIGITS_MOST);
  for (let i = 0, attempts = 0; i < count; attempts++) {
    assert(attempts < ATTEMPTS_MOST + 2 * count, 'most strings of digits fit into the frames');
    const own = spoken.get(speakers[below(speakers.length)] as string) as SpokenDigit[];
    const length = LEAST + below(DIGITS_MOST - LEAST + 1);
    const chosen = Array.from({ length }, () => own[below(own.length)] as SpokenDigit);
    const pauses = chosen.map(() => below(PAUSE_MOST + 1));
    const samples = join(chosen, pauses);
    if (speechFrames(samples.length) > STRING_FRAMES) continue;
    recordings.push({ sampleRate: SPEECH_RATE, samples });
    labels.set(
      chosen.map(({ digit }) => digit + 1),
      i * DIGITS_MOST,
    );
    i += 1;
  }
  return packDataset(
    name,
    count,
    {
      spectrogram: speechColumn(recordings, STRING_FRAMES),
      digits: {
        dtype: 'i32',
        shape: [DIGITS_MOST],
        bytes: new Uint8Array(labels.buffer),
        scale: 1,
        shift: 0,
      },
    },
    sha256Hex,
  );
}

/** How stringDataset reads recordings, as a trained model stores it. */
export function stringPreprocessing(): AudioPreprocessing {
  return { ...speechPreprocessing(STRING_FRAMES), sequence: DIGITS_MOST };
}

/** Joins recordings, with a pause before each. */
function join(chosen: readonly SpokenDigit[], pauses: readonly number[]): Float64Array {
  const lengths = chosen.map(({ recording }, i) => (pauses[i] as number) + recording.samples.length);
  const samples = new Float64Array(lengths.reduce((a, b) => a + b, 0));
  let at = 0;
  chosen.forEach(({ recording }, i) => {
    samples.set(recording.samples, at + (pauses[i] as number));
    at += lengths[i] as number;
  });
  return samples;
}
