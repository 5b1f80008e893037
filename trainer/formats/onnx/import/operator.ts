import type { ReadAttribute } from './decode.js';
import type { GraphBuilder } from './graph-builder.js';
import type { Operand } from './operands.js';

/** A use of an operator. */
export interface OperatorUse {
  readonly builder: GraphBuilder;
  /** Undefined where an input is left out. */
  readonly inputs: readonly (Operand | undefined)[];
  /** Number of outputs. */
  readonly outputs: number;
  /** Whether an output is read. */
  readonly isRead: (output: number) => boolean;
  readonly attribute: (name: string) => ReadAttribute;
  /** Version of the operators. */
  readonly opset: number;
}

/**
 * Translates a use.
 * @returns its outputs
 * @throws Untranslatable when the network's ops cannot compute it
 */
export type Operator = (use: OperatorUse) => Operand | readonly (Operand | undefined)[];
