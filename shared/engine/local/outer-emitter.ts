import type { CommandBuffer } from '../../kernels/command-buffer.js';
import { emitAverage } from '../../optim/weight-average.js';
import type { RunMemory } from '../run-memory.js';
import type { PartialSum } from '../step/partial-sum-addition.js';
import type { Span } from '../step/update-partition.js';
import type { OuterVectors, RoundRule } from './round-memory.js';

/** What the end of a round does with vectors, on one part of them at a time. */
export interface OuterEmitter {
  /** The parts of the sum, and those of the update, one for each thread. Some may be empty. */
  readonly sumSpans: readonly Span[];
  readonly updateSpans: readonly Span[];
  /** Byte offset of the guards, which show whether the sum is finite, and their number. */
  readonly guard: { readonly offset: number; readonly floats: number };
  /** What is done with these results. @throws AssertionError unless they are all replicas of a round */
  plan(results: readonly PartialSum[]): OuterPlan;
  /** The encoded update of the latest round; undefined where there are none. */
  readonly update?: { readonly bytes: Uint8Array; complete(scalars: Float32Array): void };
}

/** The end of one round. */
export interface OuterPlan {
  /** Tells it from others, as text. */
  readonly key: string;
  /** Emits: the sum of all results, by the tree, and its guards. */
  emitSum(to: CommandBuffer, span: Span): void;
  /** Emits: the state that the next round begins with. */
  emitUpdate(to: CommandBuffer, span: Span): void;
  /** Byte offset of the metrics in the sum. */
  readonly metrics: number;
}

/** Emits for a span, once its weights are those of the next round: their moving average, if one is kept. */
export function emitRoundAverage(
  to: Pick<CommandBuffer, 'emit'>,
  { plan, weights }: Pick<RunMemory, 'plan' | 'weights'>,
  { averageDecay }: RoundRule,
  { average }: OuterVectors,
  { from, to: end }: Span,
): void {
  const n = Math.min(end, plan.trainedFloats) - from;
  if (averageDecay === undefined || average === undefined || n <= 0) return;
  emitAverage(to, averageDecay, { average: average + from * 4, value: weights + from * 4, n });
}
