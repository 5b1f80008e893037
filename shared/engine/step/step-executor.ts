import type { InstructionRange } from '../../compiler/scratch-allocator.js';
import { stepPlace } from '../../data/order.js';
import { assert } from '../../errors.js';
import type { Segment } from '../../reduction/segments.js';
import { type LeafRange, leafCount, splitRange } from '../../reduction/tree.js';
import type { RunMemory } from '../run-memory.js';
import { areFinite } from '../threads/step-loop.js';
import { CURSOR_WORDS, StepTable } from '../threads/step-table.js';
import type { CommandBufferRef, ExecutionPlan } from '../threads/thread-job.js';
import type { Threads } from '../threads/thread-pool.js';
import { EncodedUpdate } from './encoded-update.js';
import {
  type PartialSum,
  planDecodedExchange,
  planDecodedRoot,
  planExchange,
  planReduction,
  planRoot,
  planSegmentAdds,
  type Reduction,
  rootOf,
} from './partial-sum-addition.js';
import { type ComputeCommands, StepCompiler } from './step-compiler.js';
import type { SumCodec } from './sum-codec.js';
import {
  evenSpans,
  partitionUpdate,
  type Slice,
  type Span,
  slicesOf,
  slicesOfParameters,
  spansOfThreads,
  type UpdatePartition,
} from './update-partition.js';
import { guardFloats, guardOf, type Updater } from './updater.js';

/** Most steps in one execution: the length of the table of steps and of the log of metrics. */
export const STEPS_PER_EXECUTION_MAX = 512;

const NO_COMMAND_BUFFER: CommandBufferRef = { offset: 0, words: 0 };

/** The end of a step: two command buffers for each thread, where the sum lies, and the guard that shows whether it is finite. */
interface StepEnd {
  readonly finishes: readonly CommandBufferRef[];
  readonly updates: readonly CommandBufferRef[];
  readonly root: number;
  readonly guard: ExecutionPlan['guard'];
}

/** The result of one or several steps. */
export interface Outcome<T> {
  readonly metrics: T;
  /** The sums of the step after those that were done are not finite. That step has not changed the weights. */
  readonly isBroken: boolean;
}

/** What decides which samples a step takes, and where a range of leaves may be split. */
export interface RunShape {
  readonly batch: number;
  /** Leaves that are never split between threads. */
  readonly leavesPerGroup: number;
  /** How partial sums and updates are encoded; left out: they are float32. */
  readonly codec?: SumCodec | undefined;
}

/** Nothing is added: an update has been received. */
const NO_REDUCTION: Reduction = { decodes: [], steps: [], encodes: [] };

/** A part of a computation. */
export interface StagePart {
  /** Of the instructions; undefined: all of them. */
  readonly part: InstructionRange | undefined;
  /** The parts of partial sums that it completes; undefined: all of them. */
  readonly sums: ReadonlySet<string> | undefined;
}

const WHOLE_STEP: StagePart = { part: undefined, sums: undefined };

/** A range of leaves, and the range of threads that compute it. */
export interface ThreadShare {
  readonly threads: LeafRange;
  readonly leaves: LeafRange;
}

/**
 * Executes the steps of one run on the threads of one machine: computes ranges of leaves, adds what the tree adds, and
 * updates the weights. Several local workers may share it, each with a range of the threads.
 */
export class StepExecutor {
  private readonly compilers: readonly StepCompiler[];
  private interruption = new AbortController();
  private executionTable: { table: StepTable; log: number } | undefined;
  private readonly partition: UpdatePartition;
  /** For each thread, the step whose partial sums lie in its buffers, and how many buffers they take. */
  private readonly buffersUsed: { step: number; count: number }[];
  /** Byte offsets of vectors that encoded ones are decoded to. */
  private readonly vectors: number[] = [];
  private readonly update: EncodedUpdate | undefined;

  constructor(
    private readonly threadPool: Threads,
    private readonly runMemory: RunMemory,
    private readonly shape: RunShape,
    private readonly updater?: Updater,
  ) {
    this.compilers = Array.from(
      { length: threadPool.threads },
      () => new StepCompiler(runMemory, shape.codec),
    );
    this.partition = partitionUpdate(runMemory.plan, threadPool.threads);
    if (shape.codec !== undefined && updater?.update !== undefined)
      this.update = new EncodedUpdate(runMemory.memory, updater.update, shape.codec);
    this.buffersUsed = this.compilers.map(() => ({ step: -1, count: 0 }));
  }

  /**
   * Writes the command buffers of the first step on all threads, so that a network that takes too many operations or too
   * much memory is refused before training.
   * @throws UserError
   */
  compileFirstStep(): void {
    const { batch } = this.shape;
    const { size } = stepPlace(0, this.runMemory.data.manifest.samples, batch);
    const leaves = leafCount(size, this.runMemory.leafSize);
    const share = { threads: { from: 0, to: this.threadPool.threads }, leaves: { from: 0, to: leaves } };
    const parts = this.computeCommandBuffers(0, share, size);
    this.finishLocalCommandBuffers(parts, leaves);
    this.releaseSums();
  }

  /** Nobody needs the partial sums that were computed: the next ones take their place, of the same step too. */
  releaseSums(): void {
    for (const used of this.buffersUsed) used.step = -1;
  }

  /**
   * Forward and backward pass over a range of leaves, and every addition between the threads' partial sums.
   * @returns the partial sums of the range's maximal aligned subtrees, valid until the threads compute another step; with a
   * codec they are encoded, see exchangedNodes
   */
  async compute(step: number, share: ThreadShare): Promise<readonly PartialSum[]> {
    const { run, partialSums } = this.prepare(step, share, [WHOLE_STEP]);
    await run(0);
    return partialSums;
  }

  /**
   * Prepares the same in stages, which are to be run in order. The sums of what a stage completes are in place when it has run.
   * @returns what runs a stage, and the partial sums when all have run
   */
  prepare(
    step: number,
    { threads, leaves }: ThreadShare,
    stages: readonly StagePart[],
  ): { run: (stage: number) => Promise<void>; partialSums: readonly PartialSum[] } {
    const { size } = stepPlace(step, this.runMemory.data.manifest.samples, this.shape.batch);
    const parts = this.computeCommandBuffers(step, { threads, leaves }, size, stages);
    const count = threads.to - threads.from;
    const { plan, leafSize } = this.runMemory;
    const { codec } = this.shape;
    const total = leafCount(size, leafSize);
    const own = [...parts.values()].flatMap((part) => part.partialSums);
    const { reduction, tops } =
      codec === undefined
        ? planReduction(own, total)
        : planExchange(own, total, (vector) => vector + 4 * plan.vectorFloats);
    const isAdding = reduction.steps.length + reduction.encodes.length > 0;
    const adds = stages.map(({ sums }) => {
      if (!isAdding) return [];
      const whole = (): readonly Span[] =>
        codec === undefined ? evenSpans(plan.vectorFloats, count) : slicesOf(plan, count);
      const spans = sums === undefined ? whole().map((span) => [span]) : spansOfThreads(plan, sums, count);
      return spans.map((own, i) =>
        own.length === 0 ? undefined : this.compiler(threads.from + i).add(reduction, own),
      );
    });
    const run = async (stage: number): Promise<void> => {
      const commandBuffers = Array.from(
        { length: count },
        (_, i) => parts.get(threads.from + i)?.commandBuffers[stage],
      );
      await this.threadPool.run(commandBuffers, threads.from);
      const added = adds[stage] as readonly (CommandBufferRef | undefined)[];
      if (added.some((one) => one !== undefined)) await this.threadPool.run(added, threads.from);
    };
    return { run, partialSums: tops };
  }

  /**
   * The end of a step, on all threads: adds all partial sums and updates the weights with the root's.
   * @param partialSums with a codec they are encoded
   * @param scalars the optimizer's scalars of this step
   * @returns the metric sums of the batch. If the sums are not finite, the weights have not changed
   */
  async finish(
    step: number,
    partialSums: readonly PartialSum[],
    scalars: readonly number[],
  ): Promise<Outcome<number[]>> {
    const { size } = stepPlace(step, this.runMemory.data.manifest.samples, this.shape.batch);
    const leaves = leafCount(size, this.runMemory.leafSize);
    const { reduction, tops } =
      this.shape.codec === undefined
        ? planReduction(partialSums, leaves)
        : planDecodedRoot(partialSums, leaves, this.decodedVectors(partialSums.length));
    const { finishes, updates, root, guard } = this.finishCommandBuffers(reduction, rootOf(tops, leaves));
    this.loadScalars(step, scalars);
    await this.threadPool.run(finishes);
    const isBroken = !this.areFinite(guard);
    if (!isBroken) await this.threadPool.run(updates);
    this.update?.complete(scalars);
    return { metrics: this.metricsAt(root), isBroken };
  }

  /**
   * Adds partial sums that other machines have computed, on all threads, as far as the tree adds them below its root.
   * @returns those that are exchanged of all of them together, each in the place of its first one
   */
  async exchange(step: number, partialSums: readonly PartialSum[]): Promise<readonly PartialSum[]> {
    const { plan, data, leafSize } = this.runMemory;
    const { size } = stepPlace(step, data.manifest.samples, this.shape.batch);
    const leaves = leafCount(size, leafSize);
    const count = this.compilers.length;
    const { reduction, tops } =
      this.shape.codec === undefined
        ? planReduction(partialSums, leaves)
        : planDecodedExchange(partialSums, leaves, this.decodedVectors(partialSums.length));
    if (reduction.steps.length === 0) return partialSums;
    const spans =
      this.shape.codec === undefined ? evenSpans(plan.vectorFloats, count) : slicesOf(plan, count);
    await this.threadPool.run(spans.map((span, i) => this.compiler(i).add(reduction, [span])));
    return tops;
  }

  /**
   * Adds segments of partial sums that other machines have computed, on all threads, as `exchange` adds whole ones. The partial sums
   * stay as they are. Not with a codec.
   * @param results byte offsets of the vectors of those that are exchanged of all of them together, in leaf order
   */
  async exchangeSegments(
    step: number,
    partialSums: readonly PartialSum[],
    results: readonly number[],
    segments: readonly Segment[],
  ): Promise<void> {
    assert(this.shape.codec === undefined, 'encoded partial sums are added as a whole');
    const { data, leafSize } = this.runMemory;
    const { size } = stepPlace(step, data.manifest.samples, this.shape.batch);
    const plan = planSegmentAdds(partialSums, leafCount(size, leafSize), results);
    const threads = this.compilers.length;
    const spans = segments.map(({ at, bytes }) => evenSpans(bytes / 4, threads, at / 4));
    await this.threadPool.run(
      this.compilers.map((compiler, i) =>
        compiler.addSegments(
          plan,
          spans.map((parts) => parts[i] as Span).filter(({ from, to }) => from < to),
        ),
      ),
    );
  }

  /** How partial sums and updates are encoded; undefined: they are float32. */
  get codec(): SumCodec | undefined {
    return this.shape.codec;
  }

  /** Byte offsets of the optimizer's vectors. */
  get optimizerState(): readonly number[] {
    return this.updater?.state ?? [];
  }

  /** The encoded update of the latest step that was done here: a view, valid until the next step. */
  get updateBytes(): Uint8Array {
    return this.encodedUpdate.bytes;
  }

  /**
   * Updates the weights as the machine did that the encoded update in memory comes from.
   * @param step the step that it is of
   */
  async applyUpdate(step: number): Promise<void> {
    const { encodedUpdate } = this;
    this.loadScalars(step, encodedUpdate.scalars);
    const [root] = this.decodedVectors(1) as [number];
    const { finishes, updates } = this.finishCommandBuffers(NO_REDUCTION, root, true);
    await this.threadPool.run(finishes);
    await this.threadPool.run(updates);
  }

  /**
   * Whether updates of other machines can be applied parameter by parameter: not where the whole gradient decides how it is
   * clipped, or where the cursors tell the step of the noise.
   */
  get updatesInParts(): boolean {
    const { updater } = this;
    if (this.update === undefined || updater === undefined) return false;
    const { clipping, noise, optimizer } = updater;
    return (
      (clipping ?? { by: 'value' }).by === 'value' && noise === undefined && optimizer.matrices === undefined
    );
  }

  /**
   * Does the same for some parameters, of which the encoded update and the optimizer's scalars are in memory.
   * @param names of parameters; each is to be updated once
   */
  async applyUpdateOf(step: number, names: ReadonlySet<string>): Promise<void> {
    const { encodedUpdate, updater, runMemory } = this;
    assert(updater !== undefined && this.updatesInParts, 'the update is applied as a whole');
    this.loadScalars(step, encodedUpdate.scalars);
    const [root] = this.decodedVectors(1) as [number];
    for (const slices of slicesOfParameters(runMemory.plan, names, this.compilers.length)) {
      const finish = (slice: Slice | undefined, i: number): CommandBufferRef | undefined =>
        slice && this.compiler(i).finish(NO_REDUCTION, root, slice, updater, true);
      const update = (slice: Slice | undefined, i: number): CommandBufferRef | undefined =>
        slice && this.compiler(i).update(root, slice, updater);
      const [finishes, updates] = [slices.map(finish), slices.map(update)];
      await this.threadPool.run(finishes);
      await this.threadPool.run(updates);
    }
  }

  /**
   * Executes many steps on all threads without returning to the event loop. All steps must have the same batch size and
   * lie in one epoch.
   *
   * @param shares which threads compute which leaves; together the whole batch
   * @param scalars the optimizer's scalars, one list for each step, at most STEPS_PER_EXECUTION_MAX
   * @returns the metric sums of each step that was done: fewer than requested after an interruption, or when the sums of
   *   the next one are not finite
   */
  async execute(
    step: number,
    shares: readonly ThreadShare[],
    scalars: readonly (readonly number[])[],
  ): Promise<Outcome<number[][]>> {
    const { memory, plan, data } = this.runMemory;
    const { size } = stepPlace(step, data.manifest.samples, this.shape.batch);
    const computing = new Map<number, ComputeCommands>();
    for (const share of shares)
      for (const [thread, part] of this.computeCommandBuffers(step, share, size)) computing.set(thread, part);
    const leaves = leafCount(size, this.runMemory.leafSize);
    const finishing = this.finishLocalCommandBuffers(computing, leaves);
    const { table, log } = this.tableFor(scalars[0]?.length ?? 0);
    scalars.forEach((row, i) => {
      const { epoch, position } = stepPlace(step + i, data.manifest.samples, this.shape.batch);
      table.set(i, { order: data.order(epoch), position, step: step + i, scalars: row });
    });
    const floats = plan.metrics.length;
    this.interruption = new AbortController();
    const execution = {
      steps: scalars.length,
      table,
      metrics: { offset: finishing.root + plan.gradientFloats * 4, floats, log },
      guard: finishing.guard,
      shares: this.compilers.map(({ threadMemory: { cursor, scalars } }, thread) => ({
        compute: computing.get(thread)?.commandBuffers[0] ?? NO_COMMAND_BUFFER,
        finish: finishing.finishes[thread] as CommandBufferRef,
        update: finishing.updates[thread] as CommandBufferRef,
        cursor,
        scalars,
      })),
    };
    const done = await this.threadPool.execute(execution, this.interruption.signal);
    if (done > 0) this.update?.complete(scalars[done - 1] as readonly number[]);
    return {
      metrics: Array.from({ length: done }, (_, i) => [...memory.f32(log + i * floats * 4, floats)]),
      isBroken: done < scalars.length && !this.areFinite(finishing.guard),
    };
  }

  /** Ends the current execution after the current step. */
  interrupt(): void {
    this.interruption.abort();
  }

  /** The end of a step of which all leaves were computed here. */
  private finishLocalCommandBuffers(parts: ReadonlyMap<number, ComputeCommands>, leaves: number): StepEnd {
    const partialSums = [...parts.values()].flatMap((part) => part.partialSums);
    const plan = this.shape.codec === undefined ? planReduction : planRoot;
    const { reduction, tops } = plan(partialSums, leaves);
    return this.finishCommandBuffers(reduction, rootOf(tops, leaves));
  }

  private finishCommandBuffers(reduction: Reduction, root: number, isReceived = false): StepEnd {
    const { updater } = this;
    assert(updater !== undefined, 'only an executor with an updater finishes steps');
    const { slices, matrices } = this.partition;
    const finish = (slice: Slice, i: number): CommandBufferRef =>
      this.compiler(i).finish(reduction, root, slice, updater, isReceived);
    return {
      finishes: slices.map(finish),
      updates: slices.map((slice, i) => this.compiler(i).update(root, slice, updater, matrices[i])),
      root,
      guard: { offset: guardOf(this.runMemory.plan, updater), floats: guardFloats(this.runMemory.plan) },
    };
  }

  /** Sets the optimizer's scalars of a step on all threads. */
  private loadScalars(step: number, scalars: ArrayLike<number>): void {
    for (const [thread, { threadMemory }] of this.compilers.entries()) {
      // Noise depends on the step, also on threads that computed nothing of it.
      if (this.updater?.noise !== undefined) this.setCursor(thread, step);
      this.runMemory.memory.f32(threadMemory.scalars, scalars.length).set(scalars);
    }
  }

  private get encodedUpdate(): EncodedUpdate {
    assert(this.update !== undefined, 'only a run with a codec has encoded updates');
    return this.update;
  }

  private decodedVectors(count: number): readonly number[] {
    const { memory, plan } = this.runMemory;
    while (this.vectors.length < count)
      this.vectors.push(memory.allocate(plan.vectorFloats * 4, 'partial sums'));
    return this.vectors.slice(0, count);
  }

  private areFinite(guard: ExecutionPlan['guard']): boolean {
    return areFinite(this.runMemory.memory.i32(guard.offset, guard.floats), { ...guard, offset: 0 });
  }

  /** Splits a share between its threads and writes their command buffers. Threads without leaves are left out. */
  private computeCommandBuffers(
    step: number,
    { threads, leaves }: ThreadShare,
    size: number,
    stages?: readonly StagePart[],
  ): Map<number, ComputeCommands> {
    const parts = new Map<number, ComputeCommands>();
    splitRange(leaves, threads.to - threads.from, this.shape.leavesPerGroup).forEach((range, i) => {
      if (range.to === range.from) return;
      const thread = threads.from + i;
      const used = this.buffersUsed[thread] as { step: number; count: number };
      if (used.step !== step) Object.assign(used, { step, count: 0 });
      const part = this.compiler(thread).compute(
        range,
        size,
        used.count,
        stages?.map(({ part }) => part),
      );
      used.count += part.partialSums.length;
      this.setCursor(thread, step);
      parts.set(thread, part);
    });
    return parts;
  }

  /** Sets a thread's cursor to a step and to the first of its samples. */
  private setCursor(thread: number, step: number): void {
    const { memory, data } = this.runMemory;
    const { epoch, position } = stepPlace(step, data.manifest.samples, this.shape.batch);
    memory
      .u32(this.compiler(thread).threadMemory.cursor, CURSOR_WORDS)
      .set([data.order(epoch), position, step]);
  }

  private tableFor(scalarCount: number): { table: StepTable; log: number } {
    const { memory, plan } = this.runMemory;
    this.executionTable ??= {
      table: new StepTable(memory, STEPS_PER_EXECUTION_MAX, scalarCount),
      log: memory.allocate(STEPS_PER_EXECUTION_MAX * plan.metrics.length * 4, 'step tables'),
    };
    return this.executionTable;
  }

  private metricsAt(root: number): number[] {
    const { plan, memory } = this.runMemory;
    return [...memory.f32(root + plan.gradientFloats * 4, plan.metrics.length)];
  }

  private compiler(thread: number): StepCompiler {
    return this.compilers[thread] as StepCompiler;
  }
}
