import type { RunPlace } from '../shared/engine/step-compiler.js';

/** The weights of a run's best evaluation, kept beside those that it goes on with. */
export class BestWeights {
  /** @param at byte offset of a vector as long as the weights */
  constructor(
    private readonly place: RunPlace,
    readonly at: number,
  ) {}

  /** The weights as they are now are the best. No thread may be about to change them. */
  keep(): void {
    this.vector(this.at).set(this.vector(this.place.weights));
  }

  /** The run ends with the best. No thread may be at work. */
  restore(): void {
    this.vector(this.place.weights).set(this.vector(this.at));
  }

  private vector(at: number): Uint8Array {
    return this.place.memory.u8(at, this.place.plan.parameterFloats * 4);
  }
}
