import type { CommandBuffer } from '../../kernels/command-buffer.js';
import type { RunMemory } from '../run-memory.js';
import { CommandBufferCache } from '../step/command-buffer-cache.js';
import type { Span } from '../step/update-partition.js';
import type { Threads } from '../threads/thread-pool.js';
import { codedSpans, emitVectorDecode, exactPart, type RoundCodec } from './round-codec.js';
import type { RoundMemory } from './round-memory.js';

/**
 * The encoded update of a round in memory: what changes the state that a round begins with to that of the next. The coordinator
 * writes it and sends it, and every machine, the coordinator too, applies the same bytes.
 */
export class RoundUpdate {
  /** Byte offset. */
  readonly at: number;
  /** Byte offset of a vector that the change of the weights is decoded to. */
  readonly change: number;
  private commandBuffers: CommandBufferCache | undefined;

  constructor(
    private readonly runMemory: RunMemory,
    private readonly round: RoundMemory,
    private readonly codec: RoundCodec,
  ) {
    const { memory, plan } = runMemory;
    this.at = memory.allocate(codec.updateBytes, 'updates');
    this.change = memory.allocate(plan.parameterFloats * 4, 'updates');
  }

  /** A view, valid until the next round. */
  get bytes(): Uint8Array {
    return this.runMemory.memory.u8(this.at, this.codec.updateBytes);
  }

  /** Adds the optimizer's scalars of the round that follows: f32[steps][scalarCount]. */
  complete(scalars: Float32Array): void {
    this.runMemory.memory.f32(this.at + this.codec.scalarsAt, scalars.length).set(scalars);
  }

  /** Applies the update of another machine, which lies in its place, with the optimizer's scalars of the next round. */
  async apply(threads: Threads): Promise<void> {
    const { memory, plan } = this.runMemory;
    const { scalarsAt, updateBytes } = this.codec;
    const floats = (updateBytes - scalarsAt) / 4;
    memory.f32(this.round.scalars, floats).set(memory.f32(this.at + scalarsAt, floats));
    this.commandBuffers ??= new CommandBufferCache(memory);
    const { commandBuffers } = this;
    await threads.run(
      codedSpans(plan, threads.threads).map((span, i) =>
        span.from >= span.to ? undefined : commandBuffers.get(`${i}`, (to) => this.emitApply(to, span)),
      ),
    );
  }

  /** Emits for a span: the state becomes what the update makes of it, and `change` that of the weights. */
  emitApply(to: Pick<CommandBuffer, 'emit'>, span: Span): void {
    const { codec, at: encoded, change } = this;
    const { weights, state } = this.round;
    const n = span.to - span.from;
    const at = 4 * span.from;
    emitVectorDecode(to, codec, 0, { vector: change, encoded }, span);
    const exact = exactPart(codec, { vector: change, encoded }, span);
    if (exact !== undefined) to.emit('copyVector', { out: exact.vector, a: exact.encoded, n: exact.n });
    to.emit('addVectors', { out: weights + at, a: weights + at, b: change + at, n });
    for (const [i, vector] of state.entries()) emitVectorDecode(to, codec, 1 + i, { vector, encoded }, span);
  }
}
