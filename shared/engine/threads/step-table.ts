import { assert } from '../../errors.js';
import type { ComputeMemory } from '../memory.js';

/** Words of a cursor: {order, position, step}. A row of the table begins with them. */
export const CURSOR_WORDS = 3;

/** What changes from step to step. */
export interface StepRow {
  /** Byte offset of the epoch's sample order. */
  readonly order: number;
  /** Position of the batch's first sample in that order. */
  readonly position: number;
  /** Steps of the run before this one. */
  readonly step: number;
  /** The optimizer's scalars. */
  readonly scalars: readonly number[];
}

/** The steps of an execution, written before it: rows of {order u32, position u32, step u32, scalars f32[]}. */
export class StepTable {
  /** Byte offset of the first row. */
  readonly offset: number;

  constructor(
    private readonly memory: ComputeMemory,
    /** Most steps of an execution. */
    readonly rows: number,
    readonly scalarCount: number,
  ) {
    this.offset = memory.allocate(rows * this.rowBytes, 'step tables');
  }

  /** Writes a row, from 0. No execution that reads the table may be running. */
  set(row: number, { order, position, step, scalars }: StepRow): void {
    assert(Number.isInteger(row) && row >= 0 && row < this.rows, `row ${row} of ${this.rows}`);
    assert(scalars.length === this.scalarCount, `${scalars.length} scalars, not ${this.scalarCount}`);
    const at = this.offset + row * this.rowBytes;
    this.memory.u32(at, CURSOR_WORDS).set([order, position, step]);
    this.memory.f32(at + CURSOR_WORDS * 4, this.scalarCount).set(scalars);
  }

  private get rowBytes(): number {
    return (CURSOR_WORDS + this.scalarCount) * 4;
  }
}
