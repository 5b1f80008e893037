import type { DataPlacement } from '../compiler/batch-rows.js';
import { chunkBytes, type Manifest } from '../data/manifest.js';
import { sampleOrder } from '../data/order.js';
import { assert } from '../errors.js';
import type { ComputeMemory } from './memory.js';

/**
 * One data set in a machine's memory: its chunks, and the order in which an epoch visits the samples.
 *
 * Chunks are stored as they arrive and never move. The first one stands in for those that are not stored: as no chunk is
 * larger, whatever is read of them lies inside it. Two epoch orders are kept, or more, so that the next epoch's can be written
 * while the last steps of this epoch still read theirs.
 */
export class DataStore {
  private readonly chunkTable: number;
  private readonly orders: readonly number[];
  /** The epochs of the orders; -1: not written yet. */
  private readonly epochs: number[];
  private readonly present: boolean[];
  private identity: number | undefined;

  constructor(
    private readonly memory: ComputeMemory,
    readonly manifest: Manifest,
    /** The run's seed. With the epoch it decides the order, with the step the random numbers of ops. */
    readonly seed: number,
    /** Epoch orders that are in use at a time. */
    ordersKept = 2,
  ) {
    this.present = new Array(manifest.chunkHashes.length).fill(false);
    this.chunkTable = memory.allocate(this.present.length * 4, 'data');
    this.orders = Array.from({ length: ordersKept }, () =>
      memory.allocate(manifest.samples * 4, 'sample orders'),
    );
    this.epochs = this.orders.map(() => -1);
  }

  /** Indices of the chunks that are not stored yet, ascending. */
  missing(): number[] {
    return this.present.flatMap((here, index) => (here ? [] : [index]));
  }

  /** Stores a chunk, whose bytes must have been verified. A chunk that is stored already stays as it is. */
  put(index: number, bytes: Uint8Array): void {
    if (this.present[index] !== false) return;
    const at = this.memory.allocate(bytes.byteLength, 'data');
    this.memory.u8(at, bytes.byteLength).set(bytes);
    this.present[index] = true;
    const table = this.memory.u32(this.chunkTable, this.present.length);
    table[index] = at;
    if (index === 0) for (const missing of this.missing()) table[missing] = at;
  }

  /** The bytes of a stored chunk: a view. @throws AssertionError when it is not stored */
  chunk(index: number): Uint8Array {
    assert(this.present[index] === true, `chunk ${index} of ${this.manifest.name} is not stored`);
    const at = this.memory.u32(this.chunkTable, this.present.length)[index] as number;
    return this.memory.u8(at, chunkBytes(this.manifest, index));
  }

  /** Byte offset of an epoch's order: u32 sample indices. It is computed when it is not in memory. */
  order(epoch: number): number {
    const place = epoch % this.orders.length;
    const order = this.orders[place] as number;
    if (this.epochs[place] !== epoch) {
      this.memory.u32(order, this.manifest.samples).set(sampleOrder(this.seed, epoch, this.manifest.samples));
      this.epochs[place] = epoch;
    }
    return order;
  }

  /** Byte offset of the order 0, 1, 2, ..., in which an evaluation visits the samples. */
  identityOrder(): number {
    if (this.identity === undefined) {
      this.identity = this.memory.allocate(this.manifest.samples * 4, 'sample orders');
      const ids = this.memory.u32(this.identity, this.manifest.samples);
      for (let i = 0; i < ids.length; i++) ids[i] = i;
    }
    return this.identity;
  }

  /** What the kernels need to gather samples. @param cursor byte offset of {order, position, step}, u32[3] */
  placement(cursor: number): DataPlacement {
    const { chunkSamples, recordBytes, fields } = this.manifest;
    const { seed } = this;
    return { chunkTable: this.chunkTable, cursor, seed, chunkSamples, recordBytes, fields };
  }
}
