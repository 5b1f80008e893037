/** Numbers in [low, high), the same for the same seed: a linear congruential generator, good enough to fill tensors. */
export function spread(seed: number, count: number, low = -1, high = 1): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + ((high - low) * state) / 2 ** 32;
  });
}
