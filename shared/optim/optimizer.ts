/*
 * The interface of optimizers. An optimizer computes how a gradient changes the weights, and does not depend on backprop,
 * networks or machines. Its state has two parts: a few numbers, plain data that JSON preserves exactly, and `buffers` vectors
 * of the length of the weights, initially zeros.
 */
import type { CommandBuffer } from '../kernels/command-buffer.js';

/** Receives kernel calls. */
type KernelSink = Pick<CommandBuffer, 'emit'>;

/** Largest number of scalars of a step: sets of 24 for eight rules; see learning-rules.ts. */
export const SCALARS_MAX = 192;

/** The numbers that an optimizer keeps from step to step. */
export type OptimizerState = Readonly<Record<string, number>>;

/** The numbers of one step for the kernel, written to memory as float32 before the command buffer runs. */
export interface OptimizerStep {
  readonly state: OptimizerState;
  /** At most SCALARS_MAX. */
  readonly scalars: readonly number[];
}

/** Arguments of the update of a span of the weights. Offsets are bytes. */
export interface UpdateCall {
  readonly weights: number;
  readonly gradient: number;
  /** The same span of each buffer of the optimizer. */
  readonly buffers: readonly number[];
  /** Floats. */
  readonly n: number;
  /** Float32 scalars of the step. */
  readonly scalars: number;
  /** Whether these weights are exempt from weight decay. Default: false. */
  readonly isExempt?: boolean;
  /** Number of the learning rule of these weights; see learning-rules.ts. Default: 0, the plain one. */
  readonly rule?: number;
}

/** Arguments of the update of a whole matrix [rows, cols]. Offsets are bytes. */
export interface MatrixUpdateCall extends Omit<UpdateCall, 'n' | 'isExempt'> {
  readonly rows: number;
  readonly cols: number;
  /** `scratchFloats` floats, which are overwritten. */
  readonly scratch: number;
}

/** An update that needs a whole matrix; one thread computes it. */
export interface MatrixUpdate {
  scratchFloats(rows: number, cols: number): number;
  emit(to: KernelSink, call: MatrixUpdateCall): void;
}

export interface Optimizer {
  /** Number of state vectors. */
  readonly buffers: number;
  /** Whether there is weight decay, from which some weights (`UpdateCall.isExempt`) are exempt. */
  readonly hasDecay: boolean;
  /** The state before the first step. */
  init(): OptimizerState;
  /** The state after the next step, and the scalars of this step. Pure; only additions, multiplications and divisions. */
  update(state: OptimizerState, learningRate: number): OptimizerStep;
  /** The update of the matrices between the first and the last layer, if it differs from that of other weights. */
  readonly matrices?: MatrixUpdate;
  /** Emits the update of a span of the weights. It is elementwise, so spans can be updated in any order. */
  emit(to: KernelSink, call: UpdateCall): void;
}
