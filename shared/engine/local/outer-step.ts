import type { CommandBuffer } from '../../kernels/command-buffer.js';
import type { RunMemory } from '../run-memory.js';
import { CommandBufferCache } from '../step/command-buffer-cache.js';
import type { PartialSum } from '../step/partial-sum-addition.js';
import type { Outcome } from '../step/step-executor.js';
import type { Span } from '../step/update-partition.js';
import { areFinite } from '../threads/step-loop.js';
import type { Threads } from '../threads/thread-pool.js';
import { EncodedOuterRule } from './encoded-outer-rule.js';
import { FloatOuterRule } from './float-outer-rule.js';
import type { OuterEmitter } from './outer-emitter.js';
import type { OuterVectors, RoundMemory, RoundRule } from './round-memory.js';

/**
 * The end of a round: adds the results of all replicas by the tree, divides by their number, takes the outer step with the
 * mean change of the weights, and puts the mean vectors of the optimizer in place; see shared/optim/local-updates.ts. Moving
 * averages of the network are averaged without the outer rate and momentum.
 */
export class OuterStep {
  private readonly emitter: OuterEmitter;
  private readonly commandBuffers: CommandBufferCache;

  constructor(
    private readonly threads: Threads,
    private readonly runMemory: RunMemory,
    private readonly round: RoundMemory,
    rule: RoundRule,
    vectors: OuterVectors,
  ) {
    this.commandBuffers = new CommandBufferCache(runMemory.memory);
    this.emitter =
      rule.codec === undefined
        ? new FloatOuterRule(threads.threads, runMemory, round, rule, vectors)
        : new EncodedOuterRule(threads.threads, runMemory, round, rule, { ...vectors, codec: rule.codec });
  }

  /** Puts the optimizer's scalars of a round's steps where its replicas read them. No replica may be under way. */
  begin(scalars: readonly (readonly number[])[]): void {
    const { scalars: at, scalarCount } = this.round;
    const floats = this.runMemory.memory.f32(at, scalars.length * scalarCount);
    floats.set(scalars.flat());
    this.emitter.update?.complete(floats);
  }

  /**
   * @param results of all replicas
   * @returns the metric sums of the round. If the sums are not finite, nothing has changed
   */
  async finish(results: readonly PartialSum[]): Promise<Outcome<number[]>> {
    const { memory, plan } = this.runMemory;
    const { sumSpans, updateSpans, guard } = this.emitter;
    const outer = this.emitter.plan(results);
    await this.run(`add ${outer.key}`, sumSpans, (to, span) => outer.emitSum(to, span));
    const isBroken = !areFinite(memory.i32(guard.offset, guard.floats), { ...guard, offset: 0 });
    const metrics = [...memory.f32(outer.metrics, plan.metrics.length)];
    if (!isBroken)
      await this.run(`update ${outer.key}`, updateSpans, (to, span) => outer.emitUpdate(to, span));
    return { metrics, isBroken };
  }

  /** The encoded update from the latest round to the next, in a run with a codec: a view, valid until the next round. */
  get updateBytes(): Uint8Array | undefined {
    return this.emitter.update?.bytes;
  }

  private run(
    key: string,
    spans: readonly Span[],
    emit: (to: CommandBuffer, span: Span) => void,
  ): Promise<void> {
    return this.threads.run(
      spans.map((span, thread) =>
        span.from >= span.to
          ? undefined
          : this.commandBuffers.get(`${key} ${thread}`, (to) => emit(to, span)),
      ),
    );
  }
}
