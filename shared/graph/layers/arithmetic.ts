/*
 * Arithmetic on tensors, for losses and layers that are composed in the user's own file. Every function adds ops to the graph of
 * its inputs. Tensors that are combined have the same shape; a number stands for a tensor of it.
 */
import { UserError } from '../../errors.js';
import type { Tensor } from '../graph.js';
import type { OpName } from '../ops/table.js';
import { elementsOf, formatShape } from '../shape.js';

/** A tensor, or a number in its place. One of two operands is a tensor. */
export type Operand = Tensor | number;

/** e^x */
export function exp(x: Tensor): Tensor {
  return apply('exp', [x]);
}

/** The natural logarithm of x > 0. */
export function log(x: Tensor): Tensor {
  return apply('log', [x]);
}

/** The square root of x > 0. */
export function sqrt(x: Tensor): Tensor {
  return apply('sqrt', [x]);
}

/** x^2 */
export function square(x: Tensor): Tensor {
  return apply('multiply', [x, x]);
}

/** |x| */
export function abs(x: Tensor): Tensor {
  return plus(apply('relu', [x]), apply('relu', [affine(x, -1, 0)]));
}

/** factor * x + summand, of two numbers */
export function affine(x: Tensor, factor: number, summand: number): Tensor {
  return apply('affine', [x], { factor, summand });
}

/** a + b */
export function plus(a: Operand, b: Operand): Tensor {
  if (typeof a === 'number') return affine(tensorOf('plus', b), 1, a);
  return typeof b === 'number' ? affine(a, 1, b) : apply('add', [a, b]);
}

/** a - b */
export function minus(a: Operand, b: Operand): Tensor {
  if (typeof a === 'number') return affine(tensorOf('minus', b), -1, a);
  return typeof b === 'number' ? affine(a, 1, -b) : apply('add', [a, affine(b, -1, 0)]);
}

/** a * b */
export function times(a: Operand, b: Operand): Tensor {
  if (typeof a === 'number') return affine(tensorOf('times', b), a, 0);
  return typeof b === 'number' ? affine(a, b, 0) : apply('multiply', [a, b]);
}

/** a / b, for b from 1e-19 to 1e19 in size */
export function over(a: Operand, b: Operand): Tensor {
  if (typeof a === 'number') return affine(apply('reciprocal', [tensorOf('over', b)]), a, 0);
  return typeof b === 'number' ? affine(a, 1 / b, 0) : times(a, apply('reciprocal', [b]));
}

/** The larger of a and b, element by element. */
export function maximum(a: Operand, b: Operand): Tensor {
  return plus(apply('relu', [minus(a, b)]), b);
}

/** The smaller of a and b, element by element. */
export function minimum(a: Operand, b: Operand): Tensor {
  return minus(a, apply('relu', [minus(a, b)]));
}

/** x, but at least `low` and at most `high`. */
export function clip(x: Tensor, low: number, high: number): Tensor {
  if (!(low <= high)) throw new UserError(`clip() takes two limits in order, not ${low} and ${high}`);
  return minimum(maximum(x, low), high);
}

/** 1 where a > b, else 0. It has no gradient. */
export function greater(a: Operand, b: Operand): Tensor {
  return apply('step', [minus(a, b)]);
}

/**
 * x, whose gradient is multiplied by a factor. With -1, what comes before learns the opposite of what follows (gradient
 * reversal): a generator and its discriminator learn in one step, from one loss.
 */
export function scaleGradient(x: Tensor, factor: number): Tensor {
  return apply('scaleGradient', [x], { factor });
}

/** x without its gradient: what comes before does not learn from what follows. */
export function stopGradient(x: Tensor): Tensor {
  return scaleGradient(x, 0);
}

/** a where condition > 0, else b. The condition has no gradient. */
export function where(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  return apply('where', [condition, a, b]);
}

/**
 * The sum along one axis, which disappears; without an axis of all elements, a single number.
 * @param axis of the tensor of one sample, from 0; negative ones count from the end
 */
export function sum(x: Tensor, axis?: number): Tensor {
  if (axis === undefined) return apply('reduceSum', [flat(x)], { axis: 0 });
  return apply('reduceSum', [x], { axis: fromStart(axis, x.shape.length, x) });
}

/** The mean along one axis, which disappears; without an axis of all elements, a single number. See sum. */
export function mean(x: Tensor, axis?: number): Tensor {
  const count = axis === undefined ? elementsOf(x.shape) : x.shape[fromStart(axis, x.shape.length, x)];
  return affine(sum(x, axis), 1 / (count as number), 0);
}

/** x, `count` times along a new axis. @param axis its place in the result, from 0; negative ones count from the end */
export function repeat(x: Tensor, count: number, axis: number): Tensor {
  return apply('repeat', [x], { times: count, axis: fromStart(axis, x.shape.length + 1, x) });
}

/**
 * The largest element along one axis, which disappears. Its error term goes to the first largest element.
 * @param axis of the tensor of one sample, from 0; negative ones count from the end
 */
export function max(x: Tensor, axis: number): Tensor {
  const at = fromStart(axis, x.shape.length, x);
  const [before, count, after] = [x.shape.slice(0, at), x.shape[at] as number, x.shape.slice(at + 1)];
  const image = apply('reshape', [x], { shape: [elementsOf(before), count, elementsOf(after)] });
  const window = { poolSize: [1, count], strides: [1, 1], padding: 'valid' };
  return apply('reshape', [apply('maxPool', [image], window)], { shape: [...before, ...after] });
}

/** The matrix product of [m, k] and [k, n], or of as many pairs of matrices as the axes before have. */
export function matmul(a: Tensor, b: Tensor): Tensor {
  return apply('matmul', [a, b]);
}

/** x with its last two axes exchanged. */
export function transpose(x: Tensor): Tensor {
  const axes = x.shape.length;
  if (axes < 2) throw new UserError(`${x.name} of shape ${formatShape(x.shape)} has no two axes to exchange`);
  const dims = x.shape.map((_, axis) => (axis < axes - 2 ? axis + 1 : axes - (axis - axes + 2)));
  return apply('permute', [x], { dims });
}

/** Entries of x along its first axis. @param indices whole numbers as float32; one that is no index of x gives zeros */
export function gather(x: Tensor, indices: Tensor): Tensor {
  return apply('gather', [x, indices]);
}

/** 1 where a < b, else 0. It has no gradient. */
export function less(a: Operand, b: Operand): Tensor {
  return apply('step', [affine(minus(a, b), -1, 0)]);
}

function flat(x: Tensor): Tensor {
  return x.shape.length === 1 ? x : apply('reshape', [x], { shape: [elementsOf(x.shape)] });
}

function fromStart(axis: number, axes: number, { name, shape }: Tensor): number {
  const at = axis < 0 ? axes + axis : axis;
  if (Number.isInteger(at) && at >= 0 && at < axes) return at;
  throw new UserError(
    `${name} of shape ${formatShape(shape)} has no axis ${axis}; take one from ${-axes} to ${axes - 1}`,
  );
}

function apply(
  op: OpName,
  inputs: readonly Tensor[],
  attributes: Readonly<Record<string, unknown>> = {},
): Tensor {
  const graph = inputs[0]?.graph;
  if (graph === undefined || inputs.some((input) => input?.graph === undefined))
    throw new UserError(`${op} takes tensors: the results of graph.input() and of layers`);
  return graph.add({ layer: { kind: op }, op, inputs, attributes });
}

/** The tensor among two operands, of which the other is a number. @throws UserError when both are numbers */
function tensorOf(op: string, operand: Operand): Tensor {
  if (typeof operand !== 'number') return operand;
  throw new UserError(`${op}() of two numbers needs no op; one of its operands is a tensor`);
}
