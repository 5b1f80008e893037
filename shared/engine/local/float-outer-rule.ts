import { assert } from '../../errors.js';
import type { CommandBuffer } from '../../kernels/command-buffer.js';
import { NORM_BLOCK_FLOATS } from '../../kernels/memory-map.js';
import { rootLevel } from '../../reduction/tree.js';
import type { RunMemory } from '../run-memory.js';
import { type BufferAdd, type PartialSum, planAdds } from '../step/partial-sum-addition.js';
import type { SumLayout } from '../step/sum-layout.js';
import type { Span } from '../step/update-partition.js';
import { emitRoundAverage, type OuterEmitter, type OuterPlan } from './outer-emitter.js';
import {
  allocateOuterScalars,
  type OuterVectors,
  type RoundMemory,
  type RoundRule,
  vectorLayout,
} from './round-memory.js';

/** The end of a round whose results are float32. */
export class FloatOuterRule implements OuterEmitter {
  readonly sumSpans: readonly Span[];
  readonly updateSpans: readonly Span[];
  private readonly layout: SumLayout;
  /** Byte offset of the kernel's scalars of the outer rule. */
  private readonly scalars: number;
  /** Byte offset of the sums of squares of the sum's blocks, and behind them the guards. */
  private readonly squares: number;

  constructor(
    threads: number,
    private readonly runMemory: RunMemory,
    private readonly round: RoundMemory,
    private readonly rule: RoundRule,
    private readonly vectors: OuterVectors,
  ) {
    const { memory, plan } = runMemory;
    this.layout = vectorLayout(plan, rule);
    this.scalars = allocateOuterScalars(memory, rule);
    this.squares = memory.allocate(2 * this.blocks * 4, 'outer step');
    this.sumSpans = spansOfBlocks(this.layout.floats, threads);
    this.updateSpans = spansOfBlocks(plan.parameterFloats, threads);
  }

  get guard(): OuterEmitter['guard'] {
    return { offset: this.squares + this.blocks * 4, floats: this.blocks };
  }

  plan(results: readonly PartialSum[]): OuterPlan {
    const { replicas } = this.rule.local;
    const { adds, tops } = planAdds(results, replicas);
    const [root] = tops;
    assert(tops.length === 1 && root?.node.level === rootLevel(replicas), 'a round has all of its replicas');
    const sum = root.buffer;
    return {
      key: [sum, ...adds.map(({ out, a, b }) => `${out},${a},${b}`)].join(' '),
      emitSum: (to, span) => this.emitSum(to, span, adds, sum),
      emitUpdate: (to, span) => this.emitUpdate(to, span, sum),
      metrics: sum + this.layout.metricsAt * 4,
    };
  }

  private get blocks(): number {
    return Math.ceil(this.layout.floats / NORM_BLOCK_FLOATS);
  }

  private emitSum(to: CommandBuffer, { from, to: end }: Span, adds: readonly BufferAdd[], sum: number): void {
    const [at, n, block] = [from * 4, end - from, from / NORM_BLOCK_FLOATS];
    for (const { out, a, b } of adds) to.emit('addVectors', { out: out + at, a: a + at, b: b + at, n });
    const out = this.squares + block * 4;
    to.emit('sumSquares', { a: sum + at, out, large: out + this.blocks * 4, n });
  }

  private emitUpdate(to: CommandBuffer, { from, to: end }: Span, sum: number): void {
    const { plan, weights } = this.runMemory;
    const { velocity } = this.vectors;
    const factor = 1 / this.rule.local.replicas;
    const bytes = plan.parameterFloats * 4;
    const [at, n] = [from * 4, end - from];
    to.emit('scaleVector', { out: sum + at, a: sum + at, n, factor });
    const trained = velocity === undefined ? 0 : Math.max(0, Math.min(end, plan.trainedFloats) - from);
    if (velocity !== undefined && trained > 0)
      to.emit('sgdUpdate', {
        weights: weights + at,
        gradient: sum + at,
        momentum: velocity + at,
        n: trained,
        scalars: this.scalars,
      });
    if (trained < n) {
      const rest = at + trained * 4;
      const [mean, w] = [sum + rest, weights + rest];
      to.emit('blendVectors', { a: mean, b: w, out: w, n: n - trained, p: -1, q: 1 });
    }
    for (const [i, out] of this.round.state.entries())
      to.emit('scaleVector', { out: out + at, a: sum + (1 + i) * bytes + at, n, factor });
    emitRoundAverage(to, this.runMemory, this.rule, this.vectors, { from, to: end });
  }
}

/** For each thread a span of a vector; spans begin at blocks of sumSquares. */
function spansOfBlocks(floats: number, threads: number): Span[] {
  const blocks = Math.ceil(floats / NORM_BLOCK_FLOATS);
  const end = (thread: number): number =>
    Math.min(floats, Math.ceil((blocks * thread) / threads) * NORM_BLOCK_FLOATS);
  return Array.from({ length: threads }, (_, thread) => ({ from: end(thread), to: end(thread + 1) }));
}
