import type { RunMemory } from '../../shared/engine/run-memory.js';
import { averageFactor } from '../../shared/optim/weight-average.js';

/** The moving average of a run's weights, as evaluations and the result use it. */
export class AveragedWeights {
  /**
   * @param sums byte offset of the vector e of weight-average.ts
   * @param at byte offset of a vector as long as the weights, for the average
   */
  constructor(
    private readonly runMemory: RunMemory,
    private readonly sums: number,
    readonly at: number,
    /** From step to step of the run. */
    private readonly decay: number,
  ) {}

  /**
   * Computes the average after so many steps. Parameters that no optimizer updates are taken as they are. No thread may be about to
   * change the weights.
   */
  refresh(step: number): void {
    const { plan, weights } = this.runMemory;
    const factor = averageFactor(this.decay, step);
    const [average, now, sums] = [this.at, weights, this.sums].map((at) => this.vector(at)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    average.set(now);
    // Of no step there is no average.
    if (step === 0) return;
    for (let i = 0; i < plan.trainedFloats; i++) average[i] = (sums[i] as number) * factor;
  }

  /** The run ends with the average. No thread may be at work. */
  apply(): void {
    this.vector(this.runMemory.weights).set(this.vector(this.at));
  }

  private vector(at: number): Float32Array {
    return this.runMemory.memory.f32(at, this.runMemory.plan.parameterFloats);
  }
}
