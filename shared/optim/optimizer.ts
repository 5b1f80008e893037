/*
 * An optimizer: how a gradient moves the weights. It knows nothing of backprop, networks or machines. What it remembers
 * is of two kinds: a few numbers, plain data that survives JSON unchanged, and `slots` vectors as long as the weights,
 * which begin as zeros.
 */
import type { Tape } from '../kernels/tape.js';

/** Where calls of the update go. */
type KernelSink = Pick<Tape, 'emit'>;

/** Most scalars of a step. */
export const SCALARS_MAX = 24;

/** The numbers that an optimizer remembers from step to step. */
export type OptimizerState = Readonly<Record<string, number>>;

/** One step's numbers for the kernel, written to memory as float32 before the tape runs. */
export interface OptimizerStep {
  readonly state: OptimizerState;
  /** At most SCALARS_MAX. */
  readonly scalars: readonly number[];
}

/** A stretch of the weights to update. Byte offsets. */
export interface UpdatePlace {
  readonly weights: number;
  readonly gradient: number;
  /** One for each of the optimizer's slots. */
  readonly slots: readonly number[];
  /** Floats. */
  readonly n: number;
  /** Float32 scalars of the step. */
  readonly scalars: number;
  /** Weight decay passes these weights over. Default: it does not. */
  readonly isExempt?: boolean;
}

/** A whole matrix to update, [rows, cols]. Byte offsets. */
export interface MatrixPlace extends Omit<UpdatePlace, 'n' | 'isExempt'> {
  readonly rows: number;
  readonly cols: number;
  /** As many floats as it needs; contents are lost. */
  readonly scratch: number;
}

/** An update that needs all of a matrix: one thread does it. */
export interface MatrixUpdate {
  scratchFloats(rows: number, cols: number): number;
  emit(to: KernelSink, place: MatrixPlace): void;
}

export interface Optimizer {
  /** Vectors of state beside the weights. */
  readonly slots: number;
  /** Some weights decay, and others (`UpdatePlace.isExempt`) do not. */
  readonly hasDecay: boolean;
  /** The state before the first step. */
  init(): OptimizerState;
  /** The state after a step more, and that step's scalars. Pure: additions, multiplications and divisions only. */
  update(state: OptimizerState, learningRate: number): OptimizerStep;
  /** How the matrices between the first and the last layer are updated, where not as the rest. */
  readonly matrices?: MatrixUpdate;
  /** Writes the update of a stretch of the weights: element by element, so stretches can be updated in any order. */
  emit(to: KernelSink, place: UpdatePlace): void;
}
