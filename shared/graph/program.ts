/*
 * What has to be computed, in order, before anyone decides where it lies: instructions that read and write row tensors,
 * each of which is written exactly once (what an op has saved, its backward pass may write over: nobody else reads it).
 */
import type { RowsJob } from './job.js';
import type { KernelSink } from './ops/op.js';

/** A row tensor that lives in scratch memory: [rows, elements]. */
export interface RowTensor {
  readonly id: number;
  readonly elements: number;
}

/** What an instruction is told when its kernel calls are written. */
export interface Frame<J extends RowsJob> {
  readonly job: J;
  /** Byte offset of a row tensor; 0 for none. */
  at(tensor: RowTensor | undefined): number;
  /** Byte offset of room for floats that do not come in rows (see Program.roomFloats). */
  readonly room: number;
}

export interface Instruction<J extends RowsJob> {
  readonly reads: readonly RowTensor[];
  readonly writes: readonly RowTensor[];
  /** Of `reads`: what writes[0] may lie on, when nobody reads it afterwards. */
  readonly replaces: readonly RowTensor[];
  emit(to: KernelSink, frame: Frame<J>): void;
}

/** A list of instructions under construction. */
export class Program<J extends RowsJob> {
  readonly instructions: Instruction<J>[] = [];
  /** Floats of room that instructions need beside row tensors, as a function of the rows. */
  roomFloats: (rows: number) => number = () => 0;
  private count = 0;

  /** A new row tensor. */
  rowTensor(elements: number): RowTensor {
    return { id: this.count++, elements };
  }

  /** Appends an instruction. */
  add(instruction: Omit<Instruction<J>, 'replaces'> & Partial<Instruction<J>>): void {
    this.instructions.push({ replaces: [], ...instruction });
  }
}
