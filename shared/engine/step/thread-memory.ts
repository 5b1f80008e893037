import { SCALARS_MAX } from '../../optim/optimizer.js';
import type { ComputeMemory } from '../memory.js';

/** Bytes of a thread's cursor: u32 {byte offset of the epoch's order, position of the batch in it, step}. */
const CURSOR_BYTES = 12;

/**
 * The memory of one compute thread: the cells that change from step to step, a scratch region for activations, and
 * buffers for partial sums. A larger range needs a larger scratch region; the old one is not freed. Its size at least
 * doubles each time, so the regions left behind take at most as much memory as the one in use.
 */
export class ThreadMemory {
  /** Byte offset of the cursor. */
  readonly cursor: number;
  /** Byte offset of the cursor's step. */
  readonly step: number;
  /** Byte offset of the optimizer's scalars: f32[SCALARS_MAX]. */
  readonly scalars: number;
  /** Byte offset of two floats: the sum of squares of a gradient, as the kernel `sumSquares` writes it. */
  readonly total: number;
  private matricesAt = 0;
  private matrixBytes = 0;
  private scratchAt = 0;
  private scratchSize = 0;
  private buffers: number[] = [];

  constructor(
    private readonly memory: ComputeMemory,
    private readonly vectorBytes: number,
    /** What a partial sum is encoded to lies behind its vector. */
    private readonly encodedBytes = 0,
  ) {
    this.cursor = memory.allocate(CURSOR_BYTES, 'thread cells');
    this.step = this.cursor + 8;
    this.scalars = memory.allocate(SCALARS_MAX * 4, 'thread cells');
    this.total = memory.allocate(8, 'thread cells');
  }

  /** Byte offset of a scratch region of at least so many bytes. It changes when the region grows. */
  scratch(bytes: number): number {
    if (bytes > this.scratchSize) {
      this.scratchSize = Math.max(bytes, this.scratchSize * 2);
      this.scratchAt = this.memory.allocate(this.scratchSize, 'activations');
    }
    return this.scratchAt;
  }

  /** Byte offset of a region of at least so many bytes for updates of whole matrices. Earlier regions stay valid. */
  matrices(bytes: number): number {
    if (bytes > this.matrixBytes) {
      this.matrixBytes = bytes;
      this.matricesAt = this.memory.allocate(bytes, 'matrix updates');
    }
    return this.matricesAt;
  }

  /** Byte offset of the thread's i-th buffer for a partial sum. */
  buffer(index: number): number {
    while (this.buffers.length <= index)
      this.buffers.push(this.memory.allocate(this.vectorBytes + this.encodedBytes, 'partial sums'));
    return this.buffers[index] as number;
  }
}
