import { assert } from '../errors.js';
import type { ComputeMemory } from './memory.js';

/** Words of a row before its scalars: {order, position, step}. */
export const PLACE_WORDS = 3;

/** What changes from step to step. */
export interface StepRow {
  /** Byte offset of the epoch's order of samples. */
  readonly order: number;
  /** Position in it of the batch's first sample. */
  readonly position: number;
  /** Steps of the run before this one. */
  readonly step: number;
  /** The optimizer's scalars. */
  readonly scalars: readonly number[];
}

/** The steps of a stride, laid down ahead in shared memory: rows of {order u32, position u32, step u32, scalars f32[]}. */
export class StepTable {
  /** Byte offset of the first row. */
  readonly offset: number;

  constructor(
    private readonly memory: ComputeMemory,
    /** Most steps of a stride. */
    readonly rows: number,
    readonly scalarCount: number,
  ) {
    this.offset = memory.allocate(rows * this.rowBytes, 'tables of steps');
  }

  /** Writes a row, from 0. No stride that reads the table may be under way. */
  set(row: number, { order, position, step, scalars }: StepRow): void {
    assert(Number.isInteger(row) && row >= 0 && row < this.rows, `row ${row} of ${this.rows}`);
    assert(scalars.length === this.scalarCount, `${scalars.length} scalars, not ${this.scalarCount}`);
    const at = this.offset + row * this.rowBytes;
    this.memory.u32(at, PLACE_WORDS).set([order, position, step]);
    this.memory.f32(at + PLACE_WORDS * 4, this.scalarCount).set(scalars);
  }

  private get rowBytes(): number {
    return (PLACE_WORDS + this.scalarCount) * 4;
  }
}
