import { squareRoot } from '../../arithmetic/square-root.js';
import type { TrainingRows } from '../../compiler/batch-rows.js';
import type { PlannedParameter } from '../../compiler/flat-vector.js';
import type { InstructionRange } from '../../compiler/scratch-allocator.js';
import { keyOf } from '../../graph/keys.js';
import type { CommandBuffer } from '../../kernels/command-buffer.js';
import { rulesOf, sameRule } from '../../optim/learning-rules.js';
import { SEGMENT_BYTES } from '../../reduction/segments.js';
import { shardsOf } from '../../reduction/shards.js';
import { type LeafRange, leafCount, maximalSubtrees, nodeLeaves, rowsOf } from '../../reduction/tree.js';
import type { RunMemory } from '../run-memory.js';
import type { CommandBufferRef } from '../threads/thread-job.js';
import { CommandBufferCache } from './command-buffer-cache.js';
import type { PartialSum, planSegmentAdds, Reduction } from './partial-sum-addition.js';
import {
  describeReduction,
  describeSegmentAdds,
  emitReduction,
  emitRounding,
  emitSegmentAdds,
} from './reduction-commands.js';
import type { SumCodec } from './sum-codec.js';
import { ThreadMemory } from './thread-memory.js';
import {
  type Block,
  blocksOf,
  groupsOf,
  innerMatrices,
  parameterSpans,
  type Slice,
  type Span,
  spansOf,
} from './update-partition.js';
import { guardOf, type Updater } from './updater.js';

/** A thread's command buffers for a range of leaves, one for each part of the instructions, and the partial sums that they write. */
export interface ComputeCommands {
  readonly commandBuffers: readonly CommandBufferRef[];
  readonly partialSums: readonly PartialSum[];
}

/** All instructions. */
const WHOLE: readonly undefined[] = [undefined];

/** Writes one thread's command buffers: its share of a step's samples, and its slice of the additions and of the update. */
export class StepCompiler {
  readonly threadMemory: ThreadMemory;
  private readonly commandBuffers: CommandBufferCache;
  private readonly blocks: readonly Block[];
  /** Room for segments of sums. */
  private readonly rooms: number[] = [];

  constructor(
    private readonly runMemory: RunMemory,
    private readonly codec?: SumCodec,
  ) {
    this.blocks = blocksOf(runMemory.plan.parameters);
    this.threadMemory = new ThreadMemory(
      runMemory.memory,
      runMemory.plan.vectorFloats * 4,
      codec?.sumBytes ?? 0,
    );
    this.commandBuffers = new CommandBufferCache(runMemory.memory);
  }

  /**
   * Forward and backward pass over a range of leaves. The partial sums go to the thread's buffers from `firstBuffer` on. With
   * a codec they are the shards of the range.
   *
   * @param batch samples of this step's global batch
   * @param parts of the instructions, in order; left out: all in one
   */
  compute(
    range: LeafRange,
    batch: number,
    firstBuffer: number,
    parts: readonly (InstructionRange | undefined)[] = WHOLE,
  ): ComputeCommands {
    const { plan, leafSize } = this.runMemory;
    const leaves = leafCount(batch, leafSize);
    const nodes =
      this.codec === undefined
        ? maximalSubtrees(range, leaves)
        : shardsOf(range, leaves, this.codec.shardLevel);
    const partialSums = nodes.map((node, i) => ({ node, buffer: this.threadMemory.buffer(firstBuffer + i) }));
    const before = this.threadMemory.scratch(0);
    const scratch = this.threadMemory.scratch(plan.scratchBytes(rowsOf(range, batch, leafSize).rows));
    if (scratch !== before) this.commandBuffers.forget();
    const commandBuffers = parts.map((part) => {
      const key = `compute ${range.from} ${range.to} ${batch} ${firstBuffer} ${part?.from} ${part?.to}`;
      return this.commandBuffers.get(key, (to) =>
        plan.emitTraining(to, this.trainingRows(range, batch, partialSums, scratch), part),
      );
    });
    return { commandBuffers, partialSums };
  }

  /** Additions on some spans of the vector, and with a codec the conversions before and after them. */
  add(reduction: Reduction, spans: readonly Span[]): CommandBufferRef {
    const key = `add ${spans.map(({ from, to }) => `${from}-${to}`).join(' ')} ${describeReduction(reduction)}`;
    return this.commandBuffers.get(key, (commandBuffer) => {
      for (const span of spans) emitReduction(commandBuffer, this.codec, reduction, span);
    });
  }

  /** Additions on segments of vectors, whose results go elsewhere. @param spans of the vectors; none is longer than a segment */
  addSegments(
    { adds, rooms }: ReturnType<typeof planSegmentAdds>,
    spans: readonly Span[],
  ): CommandBufferRef | undefined {
    if (spans.length === 0) return undefined;
    while (this.rooms.length < rooms)
      this.rooms.push(this.runMemory.memory.allocate(SEGMENT_BYTES, 'partial sums'));
    const roomAt = (room: number): number => this.rooms[room] as number;
    const key = `segments ${spans.map(({ from, to }) => `${from}-${to}`).join(' ')} ${describeSegmentAdds(adds)}`;
    return this.commandBuffers.get(key, (commandBuffer) => {
      for (const span of spans) emitSegmentAdds(commandBuffer, adds, span, roomAt);
    });
  }

  /**
   * Additions on one slice of the vector, the penalties of regularisation, and the sums of squares of the result. It is
   * done group by group, so that the squares read from the cache. The last slice covers the metric sums as well. With a
   * codec, the root becomes what its encoding decodes to, before anything else.
   * @param isReceived the root is not the result of the reduction: it is decoded from the update of a coordinator
   */
  finish(
    reduction: Reduction,
    root: number,
    slice: Slice,
    updater: Updater,
    isReceived = false,
  ): CommandBufferRef {
    const { plan, weights } = this.runMemory;
    const { norms } = updater;
    const guard = guardOf(plan, { norms });
    const key = `finish ${isReceived} ${root} ${slice.from} ${slice.to} ${describeReduction(reduction)}`;
    return this.commandBuffers.get(key, (commandBuffer) => {
      const squares = (from: number, n: number, block: number): void => {
        commandBuffer.emit('sumSquares', {
          a: root + from * 4,
          out: norms + block * 4,
          large: guard + block * 4,
          n,
        });
      };
      for (const group of groupsOf(this.blocks, slice)) {
        emitReduction(commandBuffer, this.codec, reduction, group);
        if (this.codec !== undefined)
          emitRounding(commandBuffer, this.codec, { root, updater, isReceived }, group);
        for (const { parameter, block, from, to } of parameterSpans(this.blocks, group)) {
          const { l1 = 0, l2 = 0 } = parameter.regularizer ?? {};
          const operands = { gradient: root + from * 4, weights: weights + from * 4 };
          if (l1 > 0 || l2 > 0) commandBuffer.emit('addPenalty', { ...operands, n: to - from, l1, l2 });
          squares(from, to - from, block);
        }
      }
      if (slice.to === plan.vectorFloats)
        squares(plan.gradientFloats, plan.metrics.length, this.blocks.length);
    });
  }

  /**
   * The update of a slice of the weights. It runs when all threads have finished their additions.
   * @param matrices matrices of any slice that this thread updates as a whole
   */
  update(
    root: number,
    slice: Slice,
    update: Updater,
    matrices: readonly PlannedParameter[] = [],
  ): CommandBufferRef {
    const { plan, weights } = this.runMemory;
    const { optimizer, state } = update;
    return this.commandBuffers.get(`update ${root} ${slice.from} ${slice.to}`, (commandBuffer) => {
      this.emitAverages(commandBuffer, root, slice);
      if (update.residual !== undefined) {
        const { now, next } = update.residual;
        const n = this.trainedIn(slice);
        const operands = { out: now + slice.from * 4, a: next + slice.from * 4 };
        if (n > 0) commandBuffer.emit('copyVector', { ...operands, n });
      }
      const at = (from: number) => ({
        weights: weights + from * 4,
        gradient: root + from * 4,
        buffers: state.map((vector) => vector + from * 4),
        scalars: this.threadMemory.scalars,
      });
      const trained = { from: slice.from, to: slice.from + this.trainedIn(slice) };
      const whole = optimizer.matrices === undefined ? [] : innerMatrices(plan);
      const rules = rulesOf(plan.parameters);
      for (const part of spansOf(plan, trained, { hasDecay: optimizer.hasDecay, whole })) {
        const { from, to, isExempt, parameter } = part;
        const rule = rules.findIndex((one) => sameRule(one, parameter));
        this.emitClipping(commandBuffer, root, part, update);
        this.emitNoise(commandBuffer, root, part, update);
        optimizer.emit(commandBuffer, { ...at(from), n: to - from, isExempt, rule });
      }
      if (optimizer.matrices === undefined) return;
      for (const parameter of matrices) {
        const { offset, size, shape } = parameter;
        const rule = rules.findIndex((one) => sameRule(one, parameter));
        const all = { from: offset, to: offset + size };
        this.emitClipping(commandBuffer, root, all, update);
        this.emitNoise(commandBuffer, root, all, update);
        const cols = shape.at(-1) as number;
        const rows = size / cols;
        const scratch = this.threadMemory.matrices(optimizer.matrices.scratchFloats(rows, cols) * 4);
        optimizer.matrices.emit(commandBuffer, { ...at(offset), rows, cols, scratch, rule });
      }
    });
  }

  private emitClipping(
    commandBuffer: CommandBuffer,
    root: number,
    { from, to }: Span,
    { clipping, norms }: Updater,
  ): void {
    if (clipping === undefined) return;
    const { blocks, runMemory, threadMemory } = this;
    const { limit } = clipping;
    const [a, n] = [root + from * 4, to - from];
    if (clipping.by === 'value') {
      commandBuffer.emit('clampVector', { a, n, limit });
      return;
    }
    const shrink = (first: number, last: number, start: number, end: number): void => {
      const guard = guardOf(runMemory.plan, { norms });
      commandBuffer.emit('treeTotal', { a: norms + first * 4, out: threadMemory.total, n: last - first });
      commandBuffer.emit('treeTotal', { a: guard + first * 4, out: threadMemory.total + 4, n: last - first });
      commandBuffer.emit('shrinkVector', {
        a: root + start * 4,
        total: threadMemory.total,
        n: end - start,
        limit,
      });
    };
    if (clipping.by === 'globalNorm') {
      shrink(0, blocks.filter((block) => block.from < runMemory.plan.trainedFloats).length, from, to);
      return;
    }
    for (const { name, offset, size } of runMemory.plan.parameters) {
      const [start, end] = [Math.max(offset, from), Math.min(offset + size, to)];
      const isOf = ({ parameter }: Block): boolean => parameter.name === name;
      if (start < end) shrink(blocks.findIndex(isOf), blocks.findLastIndex(isOf) + 1, start, end);
    }
  }

  /**
   * Noise is drawn for each parameter by itself, so it does not depend on how the vector is divided: slices begin at
   * multiples of four elements.
   */
  private emitNoise(
    commandBuffer: CommandBuffer,
    root: number,
    { from, to }: Span,
    { noise }: Updater,
  ): void {
    if (noise === undefined) return;
    const { eta, gamma: decay, seed } = noise;
    const settings = { step: this.threadMemory.step, scale: squareRoot(eta), decay };
    for (const { name, offset, size } of this.runMemory.plan.parameters) {
      const [start, end] = [Math.max(offset, from), Math.min(offset + size, to)];
      if (start >= end) continue;
      const operands = { gradient: root + start * 4, n: end - start, first: start - offset };
      commandBuffer.emit('addGradientNoise', {
        ...operands,
        ...settings,
        ...keyOf('gradientNoise', seed, name),
      });
    }
  }

  /** Moves the moving averages of a slice towards the statistics of the batch. */
  private emitAverages(commandBuffer: CommandBuffer, root: number, slice: Slice): void {
    const { plan, weights } = this.runMemory;
    for (const { offset, size, momentum } of plan.parameters) {
      const from = Math.max(slice.from, offset);
      const n = Math.min(slice.to, offset + size) - from;
      if (momentum === undefined || n <= 0) continue;
      commandBuffer.emit('moveAverage', {
        average: weights + from * 4,
        value: root + from * 4,
        n,
        share: 1 - momentum,
      });
    }
  }

  /**
   * Floats of a slice that are trained. Moving averages and metric sums follow them in the vector: they are summed, but
   * the optimizer does not update with them.
   */
  private trainedIn({ from, to }: Span): number {
    return Math.max(0, Math.min(to, this.runMemory.plan.trainedFloats) - from);
  }

  private trainingRows(
    range: LeafRange,
    batch: number,
    partialSums: readonly PartialSum[],
    scratch: number,
  ): TrainingRows {
    const { leafSize, weights, data } = this.runMemory;
    const leaves = leafCount(batch, leafSize);
    const { first, rows } = rowsOf(range, batch, leafSize);
    const subtrees = partialSums.map(({ node, buffer }) => {
      const part = rowsOf(nodeLeaves(node, leaves), batch, leafSize);
      return { row: part.first - first, rows: part.rows, out: buffer };
    });
    const placement = data.placement(this.threadMemory.cursor);
    return { rows, first, batch, leafSize, subtrees, weights, scratch, data: placement };
  }
}
