/*
 * What the operators of an ONNX graph compute with. ONNX has the axes of images and sequences in another order than the network; a
 * value remembers where its axes are, so that most changes of the order cost nothing.
 */
import type { Tensor } from '../../../../shared/graph/graph.js';
import { elementsOf } from '../../../../shared/graph/shape.js';
import { Untranslatable } from '../../untranslatable.js';

/** Numbers that are known: weights, sizes, settings. The size of the batch is NaN. */
export interface Constant {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

/** A tensor of the network. */
export interface Value {
  readonly tensor: Tensor;
  /** For each axis of ONNX, the axis here: 0 for the batch, i + 1 for axis i of a sample. */
  readonly order: readonly number[];
}

export type Operand = Constant | Value;

export const isConstant = (operand: Operand): operand is Constant => 'values' in operand;

/** A value whose axes are in the order of ONNX. */
export function inOrder(tensor: Tensor): Value {
  return { tensor, order: [0, ...tensor.shape.map((_, axis) => axis + 1)] };
}

/** The sizes of the axes of ONNX; NaN for the batch. */
export function sizesOf(operand: Operand): number[] {
  if (isConstant(operand)) return [...operand.shape];
  const { tensor, order } = operand;
  return order.map((axis) => (axis === 0 ? Number.NaN : (tensor.shape[axis - 1] as number)));
}

/** An axis of ONNX, which may be counted from the end. */
export function axisOf(axis: number, rank: number): number {
  const result = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(result) && result >= 0 && result < rank) return result;
  throw new Untranslatable(`axis ${axis} of ${rank} axes`);
}

/** The only number of a constant; undefined for other operands. */
export function scalarOf(operand: Operand | undefined): number | undefined {
  return operand !== undefined && isConstant(operand) && operand.values.length === 1
    ? operand.values[0]
    : undefined;
}

/** Numbers of a constant. @param what the numbers are, for errors */
export function numbersOf(operand: Operand | undefined, what: string): number[] {
  if (operand !== undefined && isConstant(operand)) return [...operand.values];
  throw new Untranslatable(`${what} computed from the inputs`);
}

/** A tensor of the network. */
export function tensorOf(operand: Operand | undefined): Value {
  if (operand !== undefined && !isConstant(operand)) return operand;
  throw new Untranslatable(operand === undefined ? 'a missing input' : 'a constant in place of a tensor');
}

/** A constant. @param what it is, for errors */
export function constantOf(operand: Operand | undefined, what: string): Constant {
  if (operand !== undefined && isConstant(operand)) return operand;
  throw new Untranslatable(operand === undefined ? `no ${what}` : `${what} computed from the inputs`);
}

/** A constant with further axes of one element before its own, and its numbers repeated to the sizes. */
export function expandConstant(constant: Constant, sizes: readonly number[]): Constant {
  const own = padded(constant.shape, sizes.length);
  const result = new Float64Array(elementsOf(sizes));
  const steps = own.map((size, axis) => (size === 1 ? 0 : elementsOf(own.slice(axis + 1))));
  for (let at = 0; at < result.length; at++) {
    let rest = at;
    let from = 0;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      const size = sizes[axis] as number;
      from += (rest % size) * (steps[axis] as number);
      rest = Math.floor(rest / size);
    }
    result[at] = constant.values[from] as number;
  }
  return { name: constant.name, shape: sizes, values: result };
}

/** A shape with ones before it. */
export function padded(shape: readonly number[], rank: number): number[] {
  return [...Array.from({ length: rank - shape.length }, () => 1), ...shape];
}
