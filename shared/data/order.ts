/*
 * The order of samples in an epoch. Every worker derives it from the run's seed and the epoch number. It affects the weights,
 * so it uses integers only, which are the same on every engine.
 */
import { assert } from '../errors.js';
import { multiplyHigh, philox, type Words } from './philox.js';

/** Most samples of a data set: memory holds a few orders of 32-bit sample numbers. */
export const SAMPLES_MAX = 2 ** 27;

/** Fourth word of the counter ("shuf"): separates these draws from other uses of the seed. */
const STREAM = 0x73687566;

/**
 * A permutation of 0 ... samples - 1, uniform over the seeds: Fisher-Yates from the top, with draws of
 * Philox4x32-10 (key: the seed; counter: block, 0, epoch, STREAM).
 *
 * A draw below `bound` is the high half of word * bound; the few words that would favour some results are rejected
 * (Lemire, "Fast random integer generation in an interval", 2019), so no permutation is more likely than another.
 *
 * @param seed an integer in [0, 2^53)
 * @param epoch an integer in [0, 2^32)
 * @throws AssertionError when an argument is out of bounds
 */
export function sampleOrder(seed: number, epoch: number, samples: number): Uint32Array {
  assert(Number.isSafeInteger(seed) && seed >= 0, `a seed is a non-negative integer, not ${seed}`);
  assert(
    Number.isInteger(epoch) && epoch >= 0 && epoch < 2 ** 32,
    `an epoch is a 32-bit integer, not ${epoch}`,
  );
  assertSamples(samples);
  const key0 = seed >>> 0;
  const key1 = Math.floor(seed / 2 ** 32);
  const words: Words = [0, 0, 0, 0];
  let block = 0;
  let used = 4;

  const order = new Uint32Array(samples);
  for (let i = 0; i < samples; i++) order[i] = i;
  for (let top = samples - 1; top > 0; top--) {
    const bound = top + 1;
    let word: number;
    let low: number;
    do {
      if (used === 4) {
        words[0] = block++;
        words[1] = 0;
        words[2] = epoch;
        words[3] = STREAM;
        philox(words, key0, key1);
        used = 0;
      }
      word = words[used++] as number;
      low = Math.imul(word, bound) >>> 0;
      // The first test avoids the slow remainder, which is less than the bound.
    } while (low < bound && low < 2 ** 32 % bound);
    const chosen = multiplyHigh(word, bound);
    const sample = order[chosen] as number;
    order[chosen] = order[top] as number;
    order[top] = sample;
  }
  return order;
}

/** The samples of a step: `size` of them, from `position` in the epoch's order. */
export interface StepPlace {
  readonly epoch: number;
  readonly position: number;
  /** Number of samples: the batch size, or fewer in the last step of an epoch. */
  readonly size: number;
}

/**
 * Steps per epoch: ceil(samples / batch). Every sample is used once per epoch.
 * @throws AssertionError unless both are positive integers
 */
export function stepsPerEpoch(samples: number, batch: number): number {
  assertSamples(samples);
  assert(Number.isSafeInteger(batch) && batch > 0, `a batch is a positive integer, not ${batch}`);
  return Math.ceil(samples / batch);
}

/**
 * The samples of a step, counted from 0 over the whole run.
 * @throws AssertionError when an argument is out of bounds
 */
export function stepPlace(step: number, samples: number, batch: number): StepPlace {
  assert(Number.isSafeInteger(step) && step >= 0, `a step is a non-negative integer, not ${step}`);
  const steps = stepsPerEpoch(samples, batch);
  const position = (step % steps) * batch;
  return { epoch: Math.floor(step / steps), position, size: Math.min(batch, samples - position) };
}

function assertSamples(samples: number): void {
  const within = Number.isInteger(samples) && samples > 0 && samples <= SAMPLES_MAX;
  assert(within, `a data set has 1 to ${SAMPLES_MAX} samples, not ${samples}`);
}
