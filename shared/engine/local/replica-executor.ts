import type { Plan } from '../../compiler/plan.js';
import { stepPlace } from '../../data/order.js';
import { firstInnerStep, innerBatch } from '../../data/step-shape.js';
import type { Clipping } from '../../optim/clipping.js';
import { leafCount, maximalSubtrees } from '../../reduction/tree.js';
import type { RunMemory } from '../run-memory.js';
import { CommandBufferCache } from '../step/command-buffer-cache.js';
import type { PartialSum } from '../step/partial-sum-addition.js';
import { STEPS_PER_EXECUTION_MAX, StepExecutor } from '../step/step-executor.js';
import { evenSpans, type Span } from '../step/update-partition.js';
import { guardFloats } from '../step/updater.js';
import type { Threads } from '../threads/thread-pool.js';
import { codedSpans, emitVectorEncode, exactPart, type RoundCodec } from './round-codec.js';
import { type RoundMemory, type RoundRule, resultLayout } from './round-memory.js';

/** Stands for every number of a replica whose sums were not finite, and as codes too for blocks that are NaN. */
const NAN_BITS = 0xffffffff;

/** What decides the steps of a replica, besides where its round begins. */
export interface ReplicaRule extends RoundRule {
  /** Samples of a step, over all replicas. */
  readonly batch: number;
  readonly leavesPerGroup: number;
  readonly clipping?: Clipping | undefined;
}

/** Vectors that a replica needs beside its results, in floats. */
export function replicaFloats(plan: Pick<Plan, 'parameterFloats'>, { optimizer }: RoundRule): number {
  return (1 + optimizer.buffers) * plan.parameterFloats;
}

/**
 * Computes replicas of a round, one after the other, with all threads of a worker: copies what the round begins with, takes
 * the optimizer's steps on the copy, and writes what has become of it. The bits of a replica do not depend on the threads.
 */
export class ReplicaExecutor {
  private readonly inner: StepExecutor;
  /** Byte offsets of the weights and of the optimizer's vectors that the steps change. */
  private readonly weights: number;
  private readonly state: readonly number[];
  private readonly commandBuffers: CommandBufferCache;
  /** Byte offset of a number that the random bits of a result depend on, with a codec: that of the round and the replica. */
  private readonly counter: number;
  /** Results of the round under way, of which `used` hold one. */
  private readonly results: number[] = [];
  private used = { round: -1, count: 0 };
  private isInterrupted = false;

  /** @param runMemory the model and the data; the weights are those that a round begins with, `round.weights` */
  constructor(
    private readonly threads: Threads,
    private readonly runMemory: RunMemory,
    private readonly round: RoundMemory,
    private readonly rule: ReplicaRule,
  ) {
    const { memory, plan } = runMemory;
    const bytes = plan.parameterFloats * 4;
    this.weights = memory.allocate(bytes, 'replicas');
    this.state = Array.from({ length: rule.optimizer.buffers }, () => memory.allocate(bytes, 'replicas'));
    this.commandBuffers = new CommandBufferCache(memory);
    this.counter = memory.allocate(4, 'replicas');
    const { optimizer, clipping, leavesPerGroup } = rule;
    const norms = memory.allocate(2 * guardFloats(plan) * 4, 'norms of gradients');
    this.inner = new StepExecutor(
      threads,
      { ...runMemory, weights: this.weights },
      { batch: innerBatch(rule), leavesPerGroup },
      { optimizer, state: this.state, norms, ...(clipping && { clipping }) },
    );
  }

  /**
   * Computes one replica.
   * @returns its result, valid until a replica of another round is computed; undefined when it was interrupted
   */
  async compute(round: number, replica: number): Promise<readonly PartialSum[] | undefined> {
    this.isInterrupted = false;
    await this.runSlices('begin', this.slices, (to, span) => this.emitBegin(to, span));
    const metrics = await this.takeSteps(round, replica);
    if (metrics === 'interrupted') return undefined;
    if (this.used.round !== round) this.used = { round, count: 0 };
    const { memory, plan } = this.runMemory;
    const { local, codec } = this.rule;
    const { floats, metricsAt } = resultLayout(plan, this.rule);
    this.results[this.used.count] ??= memory.allocate(floats * 4, 'partial sums');
    const out = this.results[this.used.count] as number;
    this.used.count += 1;
    if (metrics === 'broken') memory.u32(out, floats).fill(NAN_BITS);
    else {
      // Its lower 32 bits count.
      memory.i32(this.counter, 1)[0] = round * local.replicas + replica;
      if (codec === undefined)
        await this.runSlices(`end ${out}`, this.slices, (to, span) => this.emitEnd(to, span, out));
      else
        await this.runSlices(`end ${out}`, codedSpans(plan, this.threads.threads), (to, span) =>
          this.emitEncodedEnd(to, span, codec, out),
        );
      const tail = memory.f32(out + metricsAt * 4, floats - metricsAt);
      // Behind the metrics too: what an earlier replica left there, perhaps NaN, would count as part of the result.
      tail.fill(0);
      tail.set(metrics);
    }
    const [node] = maximalSubtrees({ from: replica, to: replica + 1 }, local.replicas);
    return [{ node: node as PartialSum['node'], buffer: out }];
  }

  /** Ends the replica under way after its current step: it has no result. */
  interrupt(): void {
    this.isInterrupted = true;
    this.inner.interrupt();
  }

  /** @returns the sums of each metric over all steps */
  private async takeSteps(round: number, replica: number): Promise<number[] | 'broken' | 'interrupted'> {
    const { local } = this.rule;
    const { plan, data } = this.runMemory;
    const threads = { from: 0, to: this.threads.threads };
    const first = firstInnerStep(local, round, replica);
    const batch = innerBatch(this.rule);
    const sums = plan.metrics.map(() => 0);
    for (let done = 0; done < local.steps; ) {
      const { position, size } = stepPlace(first + done, data.manifest.samples, batch);
      const alike = Math.max(1, Math.floor((data.manifest.samples - position) / batch));
      const count = Math.min(local.steps - done, alike, STEPS_PER_EXECUTION_MAX);
      const leaves = { from: 0, to: leafCount(size, this.runMemory.leafSize) };
      const scalars = Array.from({ length: count }, (_, i) => this.scalarsOf(done + i));
      const outcome = await this.inner.execute(first + done, [{ threads, leaves }], scalars);
      if (this.isInterrupted) return 'interrupted';
      if (outcome.isBroken) return 'broken';
      for (const row of outcome.metrics)
        for (const [i, sum] of row.entries()) sums[i] = Math.fround((sums[i] as number) + sum);
      done += outcome.metrics.length;
    }
    return sums;
  }

  private scalarsOf(step: number): readonly number[] {
    const { scalars, scalarCount } = this.round;
    return [...this.runMemory.memory.f32(scalars + step * scalarCount * 4, scalarCount)];
  }

  /** The copy becomes what the round begins with. */
  private emitBegin(to: CommandSink, { from, to: end }: Span): void {
    const n = end - from;
    const at = from * 4;
    to.emit('copyVector', { out: this.weights + at, a: this.round.weights + at, n });
    for (const [i, vector] of this.state.entries()) {
      const a = this.round.state[i];
      if (a === undefined) to.emit('fill', { out: vector + at, n, value: 0 });
      else to.emit('copyVector', { out: vector + at, a: a + at, n });
    }
  }

  /** The result: how far the weights have come down, and the averaged vectors of the optimizer. */
  private emitEnd(to: CommandSink, { from, to: end }: Span, out: number): void {
    const n = end - from;
    const at = from * 4;
    const bytes = this.runMemory.plan.parameterFloats * 4;
    to.emit('blendVectors', {
      a: this.weights + at,
      b: this.round.weights + at,
      out: out + at,
      n,
      p: -1,
      q: 1,
    });
    for (const i of this.round.state.keys())
      to.emit('copyVector', { out: out + (1 + i) * bytes + at, a: (this.state[i] as number) + at, n });
  }

  /** The same, encoded. The copies serve as space. */
  private emitEncodedEnd(to: CommandSink, span: Span, codec: RoundCodec, encoded: number): void {
    const { weights, round, counter } = this;
    const at = span.from * 4;
    const n = span.to - span.from;
    to.emit('subtractVectors', { out: weights + at, a: round.weights + at, b: weights + at, n });
    const exact = exactPart(codec, { vector: weights, encoded }, span);
    if (exact !== undefined) to.emit('copyVector', { out: exact.encoded, a: exact.vector, n: exact.n });
    for (const i of codec.vectors.keys()) {
      const vector = i === 0 ? weights : (this.state[i - 1] as number);
      emitVectorEncode(to, codec, i, { vector, encoded, counter }, span);
    }
  }

  private get slices(): readonly Span[] {
    return evenSpans(this.runMemory.plan.parameterFloats, this.threads.threads);
  }

  /** Runs a command buffer for each thread's slice of the parameters. */
  private runSlices(
    key: string,
    slices: readonly Span[],
    emit: (to: CommandSink, span: Span) => void,
  ): Promise<void> {
    return this.threads.run(
      slices.map((span, i) =>
        span.from >= span.to
          ? undefined
          : this.commandBuffers.get(`${key} ${i}`, (commandBuffer) => emit(commandBuffer, span)),
      ),
    );
  }
}

type CommandSink = Parameters<Parameters<CommandBufferCache['get']>[1]>[0];
