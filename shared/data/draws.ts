import { multiplyHigh, philox, type Words } from './philox.js';

/** Returns a generator of integers below a bound. Its bias of at most bound / 2^32 is negligible for generated data. */
export function drawsOf(seed: number): (bound: number) => number {
  let block = 0;
  const words: Words = [0, 0, 0, 0];
  let used = 4;
  return (bound) => {
    if (used === 4) {
      words.splice(0, 4, block++, 0, 0, 0);
      philox(words, seed, 0);
      used = 0;
    }
    return multiplyHigh(words[used++] as number, bound) >>> 0;
  };
}
