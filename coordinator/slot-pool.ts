import type { ComputeMemory } from '../shared/engine/memory.js';
import { ProtocolError } from '../shared/protocol/parse.js';

/**
 * Places in memory for the partial sums that come over the wire. A place is used again and again: as many are laid
 * out as one step ever needed at once.
 */
export class SlotPool {
  private readonly free: number[] = [];
  private readonly lent = new Set<number>();

  constructor(
    private readonly memory: ComputeMemory,
    private readonly vectorFloats: number,
  ) {}

  /** Bytes of one vector. */
  get vectorBytes(): number {
    return this.vectorFloats * 4;
  }

  /**
   * Copies vectors that lie one after the other into places of their own.
   * @returns the byte offset of each
   * @throws ProtocolError when the payload is not so many vectors
   */
  takeIn(payload: Uint8Array, vectors: number): number[] {
    const bytes = this.vectorBytes;
    if (payload.byteLength !== vectors * bytes) {
      throw new ProtocolError(
        `partial sums of ${payload.byteLength} bytes came in place of ${vectors * bytes}`,
      );
    }
    return Array.from({ length: vectors }, (_, i) => {
      const slot = this.free.pop() ?? this.memory.allocate(bytes, 'partial sums');
      this.memory.u8(slot, bytes).set(payload.subarray(i * bytes, (i + 1) * bytes));
      this.lent.add(slot);
      return slot;
    });
  }

  /** Gives places back; whatever is not this pool's (a local node's own slot) is left alone. */
  release(slots: readonly number[]): void {
    for (const slot of slots) if (this.lent.delete(slot)) this.free.push(slot);
  }
}
