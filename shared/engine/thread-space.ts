import { SCALARS_MAX } from '../optim/optimizer.js';
import type { ComputeMemory } from './memory.js';

/** Bytes of a thread's cursor cell: u32 {byte offset of the epoch's order, position of the batch in it, step}. */
const CURSOR_BYTES = 12;

/**
 * The memory that belongs to one compute thread: the cells that change from step to step, a scratch region for
 * activations, and slots for partial sums. Regions grow when a larger range is handed out, and are never given back:
 * growth doubles, so what is left behind is at most as much as what is in use.
 */
export class ThreadSpace {
  readonly cursor: number;
  /** Where the cursor tells the step. */
  readonly step: number;
  readonly scalars: number;
  /** Two floats: the sum of squares of a gradient, as `sumSquares` takes it. */
  readonly total: number;
  private matricesAt = 0;
  private matrixBytes = 0;
  private scratchAt = 0;
  private scratchSize = 0;
  private slots: number[] = [];

  constructor(
    private readonly memory: ComputeMemory,
    private readonly vectorBytes: number,
  ) {
    this.cursor = memory.allocate(CURSOR_BYTES, 'cells');
    this.step = this.cursor + 8;
    this.scalars = memory.allocate(SCALARS_MAX * 4, 'cells');
    this.total = memory.allocate(8, 'cells');
  }

  /** A scratch region of at least so many bytes. Its address changes when it grows. */
  scratch(bytes: number): number {
    if (bytes > this.scratchSize) {
      this.scratchSize = Math.max(bytes, this.scratchSize * 2);
      this.scratchAt = this.memory.allocate(this.scratchSize, 'activations');
    }
    return this.scratchAt;
  }

  /** Room of at least so many bytes for updates of whole matrices. An address that was given out stays good. */
  matrices(bytes: number): number {
    if (bytes > this.matrixBytes) {
      this.matrixBytes = bytes;
      this.matricesAt = this.memory.allocate(bytes, 'updates of matrices');
    }
    return this.matricesAt;
  }

  /** The byte offset of the thread's i-th slot for a partial sum. */
  slot(index: number): number {
    while (this.slots.length <= index)
      this.slots.push(this.memory.allocate(this.vectorBytes, 'partial sums'));
    return this.slots[index] as number;
  }
}
