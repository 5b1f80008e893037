import { assert } from '../errors.js';
import type { ComputeMemory } from './memory.js';

/** Words of a row before its scalars: {order, position}. */
export const PLACE_WORDS = 2;

/** What changes from step to step. */
export interface StepRow {
  /** Byte offset of the epoch's order of samples. */
  readonly order: number;
  /** Position in it of the batch's first sample. */
  readonly position: number;
  /** The optimizer's scalars. */
  readonly scalars: readonly number[];
}

/** The steps of a stride, laid down ahead in shared memory: rows of {order u32, position u32, scalars f32[]}. */
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

  /** Writes the row of the stride's `step`, from 0. No stride that reads the table may be under way. */
  set(step: number, { order, position, scalars }: StepRow): void {
    assert(Number.isInteger(step) && step >= 0 && step < this.rows, `step ${step} of ${this.rows}`);
    assert(scalars.length === this.scalarCount, `${scalars.length} scalars, not ${this.scalarCount}`);
    const at = this.offset + step * this.rowBytes;
    this.memory.u32(at, PLACE_WORDS).set([order, position]);
    this.memory.f32(at + PLACE_WORDS * 4, this.scalarCount).set(scalars);
  }

  private get rowBytes(): number {
    return (PLACE_WORDS + this.scalarCount) * 4;
  }
}
