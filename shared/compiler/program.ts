/*
 * A program: a list of instructions that read and write row tensors, before memory is allocated for these. Each row tensor
 * is written exactly once, except that the backward pass of an op may overwrite what its forward pass has saved: no other
 * instruction reads it.
 */

import type { KernelSink } from '../graph/ops/op.js';
import type { BatchRows } from './batch-rows.js';

/** A tensor [rows, elements] in scratch memory. */
export interface RowTensor {
  readonly id: number;
  readonly elements: number;
}

/** The tensors that exist, each once. */
export function present(tensors: readonly (RowTensor | undefined)[]): RowTensor[] {
  return [...new Set(tensors.filter((tensor) => tensor !== undefined))];
}

/** The context in which the kernel calls of an instruction are emitted. */
export interface EmitContext<R extends BatchRows> {
  readonly range: R;
  /** Byte offset of a row tensor; 0 for none. */
  at(tensor: RowTensor | undefined): number;
  /** Byte offset of the extra scratch memory (see Program.extraFloats). */
  readonly extra: number;
}

export interface Instruction<R extends BatchRows> {
  readonly reads: readonly RowTensor[];
  readonly writes: readonly RowTensor[];
  /** Those of `reads` whose memory writes[0] may use, if no later instruction reads them. */
  readonly replaces: readonly RowTensor[];
  /** Names of the parameters that it reads; those that an earlier instruction has read may be left out. */
  readonly parameters?: readonly string[];
  /** The parameter whose gradient is complete after it. */
  readonly gradientOf?: string;
  /** The metric sums are complete after it. */
  readonly isMetrics?: boolean;
  emit(to: KernelSink, context: EmitContext<R>): void;
}

/** A list of instructions under construction. */
export class Program<R extends BatchRows> {
  readonly instructions: Instruction<R>[] = [];
  /** Floats of scratch memory that instructions need in addition to row tensors, as a function of the number of rows. */
  extraFloats: (rows: number) => number = () => 0;
  private count = 0;

  /** Creates a row tensor. */
  rowTensor(elements: number): RowTensor {
    return { id: this.count++, elements };
  }

  /** Appends an instruction. */
  add(instruction: Omit<Instruction<R>, 'replaces'> & Partial<Instruction<R>>): void {
    this.instructions.push({ replaces: [], ...instruction });
  }
}
