import type { ComputeMemory } from '../../shared/engine/memory.js';
import type { VectorCut } from '../../shared/reduction/segments.js';
import type { SumStore } from './incoming-sums.js';

/**
 * Buffers in memory for the partial sums that arrive over links. Buffers are reused: the pool has as many as one step ever
 * needed at once.
 */
export class PartialSumBuffers implements SumStore {
  private readonly free: number[] = [];
  private readonly lent = new Set<number>();

  constructor(
    private readonly memory: ComputeMemory,
    readonly cut: VectorCut,
    /** Buffers go back to the pool. */
    private readonly onRelease: (buffers: readonly number[]) => void = () => {},
  ) {}

  take(vectors: number): number[] {
    return Array.from({ length: vectors }, () => {
      const buffer = this.free.pop() ?? this.memory.allocate(this.cut.bytes, 'partial sums');
      this.lent.add(buffer);
      return buffer;
    });
  }

  write(buffer: number, at: number, bytes: Uint8Array): void {
    this.memory.u8(buffer + at, bytes.byteLength).set(bytes);
  }

  /** Returns buffers to the pool. Those that are not the pool's (a local worker's own) are left alone. */
  release(buffers: readonly number[]): void {
    this.onRelease(buffers);
    for (const buffer of buffers) if (this.lent.delete(buffer)) this.free.push(buffer);
  }
}
