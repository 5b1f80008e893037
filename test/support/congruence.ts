/** Pseudo-random numbers of 24 bits in [0, 1), exact in float32. scripts/dev/golden/trajectories.py draws the same ones. */
export class Congruence {
  constructor(private state: number) {}

  /** Uniform in [-scale, scale) around `middle`. */
  tensor(count: number, scale = 1, middle = 0): Float32Array {
    return Float32Array.from({ length: count }, () => (2 * this.unit() - 1) * scale + middle);
  }

  /** Integers below `most`. */
  classes(count: number, most: number): number[] {
    return Array.from({ length: count }, () => Math.floor(this.unit() * most));
  }

  private unit(): number {
    this.state = (Math.imul(1664525, this.state) + 1013904223) >>> 0;
    return (this.state >>> 8) / 2 ** 24;
  }
}
