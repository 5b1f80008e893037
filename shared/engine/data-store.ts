import { chunkBytes, type Manifest } from '../data/manifest.js';
import { sampleOrder } from '../data/order.js';
import { assert } from '../errors.js';
import type { DataPlacement } from '../graph/job.js';
import type { ComputeMemory } from './memory.js';

/**
 * One data set in a node's memory: its chunks, and the order in which an epoch visits the samples.
 *
 * Chunks are put in as they arrive and are never moved. Two epoch orders are kept, so that the next epoch's can be
 * laid down while the last steps of this one still read theirs.
 */
export class DataStore {
  private readonly chunkTable: number;
  private readonly orders: readonly [number, number];
  private readonly epochs: [number, number] = [-1, -1];
  private readonly present: boolean[];
  private identity: number | undefined;

  constructor(
    private readonly memory: ComputeMemory,
    readonly manifest: Manifest,
    /** The run's seed: with the epoch's number it decides the order, with the step's what is drawn at random. */
    readonly seed: number,
  ) {
    this.present = new Array(manifest.chunkHashes.length).fill(false);
    this.chunkTable = memory.allocate(this.present.length * 4, 'data');
    this.orders = [
      memory.allocate(manifest.samples * 4, 'orders of samples'),
      memory.allocate(manifest.samples * 4, 'orders of samples'),
    ];
  }

  /** Indices of the chunks not yet here, ascending. */
  missing(): number[] {
    return this.present.flatMap((here, index) => (here ? [] : [index]));
  }

  /** Lays a chunk down; a chunk that is here already is left as it is. The bytes must have been verified. */
  put(index: number, bytes: Uint8Array): void {
    if (this.present[index] !== false) return;
    const at = this.memory.allocate(bytes.byteLength, 'data');
    this.memory.u8(at, bytes.byteLength).set(bytes);
    this.memory.u32(this.chunkTable, this.present.length)[index] = at;
    this.present[index] = true;
  }

  /** A copy of a chunk that is here, for those who ask for it from elsewhere. @throws AssertionError when it is not here */
  chunk(index: number): Uint8Array {
    assert(this.present[index] === true, `chunk ${index} of ${this.manifest.name} is not here`);
    const at = this.memory.u32(this.chunkTable, this.present.length)[index] as number;
    return this.memory.u8(at, chunkBytes(this.manifest, index)).slice();
  }

  /** Byte offset of an epoch's order (u32 sample ids), made when it is not there yet. */
  order(epoch: number): number {
    const place = (epoch & 1) as 0 | 1;
    if (this.epochs[place] !== epoch) {
      this.memory
        .u32(this.orders[place], this.manifest.samples)
        .set(sampleOrder(this.seed, epoch, this.manifest.samples));
      this.epochs[place] = epoch;
    }
    return this.orders[place];
  }

  /** Byte offset of the order 0, 1, 2 …: how a data set is visited for evaluation. */
  straightOrder(): number {
    if (this.identity === undefined) {
      this.identity = this.memory.allocate(this.manifest.samples * 4, 'orders of samples');
      const ids = this.memory.u32(this.identity, this.manifest.samples);
      for (let i = 0; i < ids.length; i++) ids[i] = i;
    }
    return this.identity;
  }

  /** What a job needs to gather samples, given the cell that holds {order, position, step}. */
  placement(cursor: number): DataPlacement {
    const { chunkSamples, recordBytes, fields } = this.manifest;
    const { seed } = this;
    return { chunkTable: this.chunkTable, cursor, seed, chunkSamples, recordBytes, fields };
  }
}
