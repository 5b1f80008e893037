import { assert } from '../../errors.js';
import type { CommandBuffer } from '../../kernels/command-buffer.js';
import { rootLevel } from '../../reduction/tree.js';
import type { RunMemory } from '../run-memory.js';
import type { PartialSum } from '../step/partial-sum-addition.js';
import { blocksOf, type Span } from '../step/update-partition.js';
import { emitRoundAverage, type OuterEmitter, type OuterPlan } from './outer-emitter.js';
import {
  type CodedSpan,
  codedSpans,
  emitVectorDecode,
  emitVectorEncode,
  exactPart,
  type RoundCodec,
} from './round-codec.js';
import {
  allocateOuterScalars,
  type OuterVectors,
  type RoundMemory,
  type RoundRule,
  vectorLayout,
} from './round-memory.js';
import { RoundUpdate } from './round-update.js';

/**
 * The end of a round whose results are encoded. They are decoded and added by the tree. What the outer rule makes of the sum is
 * encoded as the update, and the state becomes what the update makes of it, so that this machine has the state of every other one.
 * What rounding takes from the change of the weights stays in the residual, and is part of the next change.
 */
export class EncodedOuterRule implements OuterEmitter {
  readonly sumSpans: readonly CodedSpan[];
  readonly update: RoundUpdate;
  private readonly codec: RoundCodec;
  private readonly scalars: number;
  /** Byte offsets of sums under way, as long as results that are float32: the first becomes that of all. */
  private readonly stack: readonly number[];
  private readonly metricsAt: number;
  private readonly metricFloats: number;
  /** Blocks of one vector, and of all: the last one is that of the metrics. */
  private readonly blocks: number;
  private readonly allBlocks: number;
  /** Byte offset of the sums of squares of all blocks, and behind them the guards. */
  private readonly squares: number;

  constructor(
    threads: number,
    private readonly runMemory: RunMemory,
    round: RoundMemory,
    private readonly rule: RoundRule,
    private readonly vectors: OuterVectors & { readonly codec: RoundCodec },
  ) {
    const { memory, plan } = runMemory;
    this.codec = vectors.codec;
    this.scalars = allocateOuterScalars(memory, rule);
    this.sumSpans = codedSpans(plan, threads);
    const { floats, metricsAt } = vectorLayout(plan, rule);
    this.metricsAt = metricsAt * 4;
    this.metricFloats = floats - metricsAt;
    this.stack = Array.from({ length: 1 + rootLevel(rule.local.replicas) }, () =>
      memory.allocate(floats * 4, 'partial sums'),
    );
    this.blocks = blocksOf(plan.parameters).length;
    this.allBlocks = this.codec.vectors.length * this.blocks + 1;
    this.squares = memory.allocate(2 * this.allBlocks * 4, 'outer step');
    this.update = new RoundUpdate(runMemory, round, this.codec);
  }

  get updateSpans(): readonly Span[] {
    return this.sumSpans;
  }

  get guard(): OuterEmitter['guard'] {
    return { offset: this.squares + this.allBlocks * 4, floats: this.allBlocks };
  }

  plan(results: readonly PartialSum[]): OuterPlan {
    const { replicas } = this.rule.local;
    const inOrder = [...results].sort((a, b) => firstOf(a) - firstOf(b));
    assert(inOrder.length === replicas, 'a round has all of its replicas');
    const buffers = inOrder.map(({ buffer }) => buffer);
    return {
      key: buffers.join(' '),
      emitSum: (to, span) => this.emitSum(to, span as CodedSpan, buffers),
      emitUpdate: (to, span) => this.emitUpdate(to, span),
      metrics: (this.stack[0] as number) + this.metricsAt,
    };
  }

  private emitSum(to: CommandBuffer, span: CodedSpan, results: readonly number[]): void {
    this.emitNode(to, span, results, { level: rootLevel(results.length), index: 0 }, 0);
    const sum = this.stack[0] as number;
    const squares = (a: number, n: number, block: number): void => {
      const out = this.squares + block * 4;
      to.emit('sumSquares', { a, out, large: out + this.allBlocks * 4, n });
    };
    for (const i of this.codec.vectors.keys())
      squares(this.vectorAt(sum, i) + span.from * 4, span.to - span.from, i * this.blocks + span.firstBlock);
    if (span.isLast) squares(sum + this.metricsAt, this.metricFloats, this.allBlocks - 1);
  }

  /** The sum of a node of the tree, in the place `depth` of the stack. Places behind it are overwritten. */
  private emitNode(
    to: CommandBuffer,
    span: CodedSpan,
    results: readonly number[],
    { level, index }: { readonly level: number; readonly index: number },
    depth: number,
  ): void {
    if (level === 0) return this.emitResult(to, span, results[index] as number, depth);
    this.emitNode(to, span, results, { level: level - 1, index: 2 * index }, depth);
    if ((2 * index + 1) * 2 ** (level - 1) >= results.length) return;
    this.emitNode(to, span, results, { level: level - 1, index: 2 * index + 1 }, depth + 1);
    const [a, b] = [this.stack[depth] as number, this.stack[depth + 1] as number];
    const add = (at: number, n: number): void => {
      to.emit('addVectors', { out: a + at, a: a + at, b: b + at, n });
    };
    for (const i of this.codec.vectors.keys()) add(this.vectorAt(0, i) + span.from * 4, span.to - span.from);
    if (span.isLast) add(this.metricsAt, this.metricFloats);
  }

  private emitResult(to: CommandBuffer, span: CodedSpan, encoded: number, depth: number): void {
    const { codec } = this;
    const sum = this.stack[depth] as number;
    for (const i of codec.vectors.keys())
      emitVectorDecode(to, codec, i, { vector: this.vectorAt(sum, i), encoded }, span);
    const exact = exactPart(codec, { vector: sum, encoded }, span);
    if (exact !== undefined) to.emit('copyVector', { out: exact.vector, a: exact.encoded, n: exact.n });
    if (span.isLast)
      to.emit('copyVector', {
        out: sum + this.metricsAt,
        a: encoded + codec.metricsAt,
        n: this.metricFloats,
      });
  }

  private emitUpdate(to: CommandBuffer, span: Span): void {
    const { codec, update, vectors } = this;
    const { velocity, residual } = vectors;
    assert(residual !== undefined, 'a run with a codec has a residual');
    const sum = this.stack[0] as number;
    const factor = 1 / this.rule.local.replicas;
    const at = span.from * 4;
    const n = Math.min(span.to, codec.exact.from) - span.from;
    for (const i of codec.vectors.keys()) {
      const vector = this.vectorAt(sum, i);
      to.emit('scaleVector', { out: vector + at, a: vector + at, n: span.to - span.from, factor });
      if (i > 0) emitVectorEncode(to, codec, i, { vector, encoded: update.at }, span);
    }
    if (n > 0) {
      const change = { weights: residual + at, gradient: sum + at, n };
      if (velocity === undefined)
        to.emit('subtractVectors', { out: residual + at, a: residual + at, b: sum + at, n });
      else to.emit('sgdUpdate', { ...change, momentum: velocity + at, scalars: this.scalars });
      emitVectorEncode(to, codec, 0, { vector: residual, encoded: update.at }, span);
    }
    const exact = exactPart(codec, { vector: sum, encoded: update.at }, span);
    if (exact !== undefined)
      to.emit('scaleVector', { out: exact.encoded, a: exact.vector, n: exact.n, factor: -1 });
    update.emitApply(to, span);
    if (n > 0) to.emit('subtractVectors', { out: residual + at, a: residual + at, b: update.change + at, n });
    emitRoundAverage(to, this.runMemory, this.rule, vectors, span);
  }

  /** Byte offset of vector i in a sum. */
  private vectorAt(sum: number, i: number): number {
    return sum + i * this.runMemory.plan.parameterFloats * 4;
  }
}

/** The replica that a result is of. */
function firstOf({ node }: PartialSum): number {
  return node.index * 2 ** node.level;
}
