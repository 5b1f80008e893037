/*
 * Keys of the random number generator: a different one for each purpose, name and seed, so that no two parts of a model draw
 * the same numbers.
 */

/** The two words of a Philox key. */
export interface Key {
  readonly key0: number;
  readonly key1: number;
}

/**
 * FNV-1a over 64 bits of a purpose, a seed and a name.
 * @param seed of the run, an integer in [0, 2^53)
 */
export function keyOf(purpose: string, seed: number, name: string): Key {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(`${purpose} ${seed} ${name}`)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return { key0: Number(BigInt.asIntN(32, hash)), key1: Number(BigInt.asIntN(32, hash >> 32n)) };
}
