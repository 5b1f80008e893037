/**
 * A small generator for simulations and tests: the same seed gives the same numbers everywhere, so a failure can be
 * replayed. SplitMix32 (Steele, Lea, Flood 2014, with the 32-bit finaliser of MurmurHash3). Not for secrets.
 */
export class SeededRandom {
  #state: number;

  /** @param seed an integer, of which the low 32 bits are used */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** The next integer in [0, 2^32). */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let word = this.#state;
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    return (word ^ (word >>> 16)) >>> 0;
  }

  /** An integer in [0, bound); uniform up to bound / 2^32. */
  below(bound: number): number {
    return Math.floor((this.next() / 2 ** 32) * bound);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability * 2 ** 32;
  }
}
