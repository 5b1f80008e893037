import type { RunMemory } from '../../shared/engine/run-memory.js';
import { assert } from '../../shared/errors.js';

/** Copies of the weights and of the optimizer's vectors, by the steps done before they were made. */
export class Snapshots {
  private readonly copies = new Map<number, readonly Uint8Array[]>();
  /** Dropped copies, to be reused. */
  private readonly spare: (readonly Uint8Array[])[] = [];

  constructor(
    private readonly runMemory: RunMemory,
    /** Byte offsets of the optimizer's vectors. */
    private readonly state: readonly number[],
  ) {}

  /** Copies all vectors. No thread may be about to change them. */
  keep(step: number): void {
    const vectors = this.vectors();
    const copy = this.spare.pop() ?? vectors.map(({ byteLength }) => new Uint8Array(byteLength));
    for (const [i, vector] of vectors.entries()) copy[i]?.set(vector);
    this.copies.set(step, copy);
  }

  /** Puts the copy of a step back in place. No thread may be at work. */
  restore(step: number): void {
    const copy = this.copies.get(step);
    assert(copy !== undefined, `no copy of step ${step} was kept`);
    for (const [i, vector] of this.vectors().entries()) vector.set(copy[i] as Uint8Array);
  }

  /** Drops copies. */
  forget(steps: readonly number[]): void {
    for (const step of steps) {
      const copy = this.copies.get(step);
      if (copy !== undefined) this.spare.push(copy);
      this.copies.delete(step);
    }
  }

  private vectors(): Uint8Array[] {
    const { memory, plan, weights } = this.runMemory;
    return [weights, ...this.state].map((offset) => memory.u8(offset, plan.parameterFloats * 4));
  }
}
