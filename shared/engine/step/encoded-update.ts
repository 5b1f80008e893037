import { SCALARS_MAX } from '../../optim/optimizer.js';
import type { ComputeMemory } from '../memory.js';
import type { SumCodec } from './sum-codec.js';

/** The encoded update of a run with a codec, in memory. */
export class EncodedUpdate {
  /** @param at byte offset */
  constructor(
    private readonly memory: ComputeMemory,
    private readonly at: number,
    private readonly codec: SumCodec,
  ) {}

  /** A view, valid until the next step. */
  get bytes(): Uint8Array {
    return this.memory.u8(this.at, this.codec.updateBytes);
  }

  /** The optimizer's scalars of its step, and zeros behind them. */
  get scalars(): Float32Array {
    return this.memory.f32(this.at + this.codec.scalarsAt, SCALARS_MAX);
  }

  /** Completes the update that the kernels have written with the optimizer's scalars. */
  complete(scalars: readonly number[]): void {
    this.scalars.set(scalars);
  }
}
