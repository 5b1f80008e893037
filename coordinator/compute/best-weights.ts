import type { RunMemory } from '../../shared/engine/run-memory.js';

/** The weights of a run's best evaluation, kept beside those that it trains. */
export class BestWeights {
  /**
   * @param at byte offset of a vector as long as the weights
   * @param evaluated byte offset of the weights that evaluations use
   */
  constructor(
    private readonly runMemory: RunMemory,
    readonly at: number,
    private readonly evaluated = runMemory.weights,
  ) {}

  /** The weights as they are now are the best. No thread may be about to change them. */
  keep(): void {
    this.vector(this.at).set(this.vector(this.evaluated));
  }

  /** The run ends with the best. No thread may be at work. */
  restore(): void {
    this.vector(this.runMemory.weights).set(this.vector(this.at));
  }

  private vector(at: number): Uint8Array {
    return this.runMemory.memory.u8(at, this.runMemory.plan.parameterFloats * 4);
  }
}
