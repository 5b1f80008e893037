/*
 * Operators that compute element by element, and sums along axes.
 */

import type { Tensor } from '../../../../shared/graph/graph.js';
import type { OpName } from '../../../../shared/graph/ops/table.js';
import { elementsOf } from '../../../../shared/graph/shape.js';
import { Untranslatable } from '../../untranslatable.js';
import type { GraphBuilder } from './graph-builder.js';
import {
  type Constant,
  expandConstant,
  isConstant,
  type Operand,
  padded,
  scalarOf,
  tensorOf,
  type Value,
} from './operands.js';
import type { Operator, OperatorUse } from './operator.js';

type Elementwise = (builder: GraphBuilder, x: Tensor) => Tensor;

/** An operator of one input. @param fold of numbers */
const unary =
  (compute: Elementwise, fold?: (x: number) => number): Operator =>
  ({ builder, inputs }) => {
    const [x] = inputs;
    if (x !== undefined && fold !== undefined && isConstant(x)) return { ...x, values: x.values.map(fold) };
    const { tensor, order } = tensorOf(x);
    return { tensor: compute(builder, tensor), order };
  };

const one =
  (op: OpName): Elementwise =>
  (builder, x) =>
    builder.add({ op, inputs: [x] });

const negated: Elementwise = (builder, x) => builder.affine(x, -1, 0);

/** x where it lies on one side of a bound, else the bound; exact, as the bound is not subtracted from x for good. */
function bounded(builder: GraphBuilder, x: Tensor, distance: Tensor, bound: number): Tensor {
  return builder.add({ op: 'where', inputs: [distance, x, builder.affine(x, 0, bound)] });
}

const atLeast = (builder: GraphBuilder, x: Tensor, bound: number): Tensor =>
  bounded(builder, x, builder.affine(x, 1, -bound), bound);

const atMost = (builder: GraphBuilder, x: Tensor, bound: number): Tensor =>
  bounded(builder, x, builder.affine(x, -1, bound), bound);

function clipped(builder: GraphBuilder, x: Tensor, low: number, high: number): Tensor {
  const above = low === 0 ? one('relu')(builder, x) : low > -3e38 ? atLeast(builder, x, low) : x;
  return high < 3e38 ? atMost(builder, above, high) : above;
}

const clip: Operator = ({ builder, inputs, attribute }) => {
  const { tensor, order } = tensorOf(inputs[0]);
  const bound = (at: number, name: string, none: number): number => {
    const given = inputs[at];
    const value = given === undefined ? ((attribute(name) as number | undefined) ?? none) : scalarOf(given);
    if (value === undefined) throw new Untranslatable('bounds computed from the inputs');
    return value;
  };
  return { tensor: clipped(builder, tensor, bound(1, 'min', -Infinity), bound(2, 'max', Infinity)), order };
};

const hardSigmoid =
  (slope?: number): Elementwise =>
  (builder, x) =>
    clipped(builder, builder.affine(x, slope ?? 0.2, 0.5), 0, 1);

/** How a binary operator computes. */
interface Binary {
  /** Of numbers. */
  readonly fold: (a: number, b: number) => number;
  /** Of tensors of one shape. */
  readonly tensors?: (builder: GraphBuilder, a: Tensor, b: Tensor) => Tensor;
  /** Of a tensor and a number. */
  readonly number: (builder: GraphBuilder, x: Tensor, c: number) => Tensor;
  /** Of a number and a tensor. */
  readonly numberFirst?: (builder: GraphBuilder, c: number, x: Tensor) => Tensor;
  /** Of a tensor and numbers for each element of the last axis: what to multiply with, or to add. */
  readonly vector?: (c: number) => { readonly factor: number } | { readonly summand: number };
}

const combined =
  (op: OpName) =>
  (builder: GraphBuilder, a: Tensor, b: Tensor): Tensor =>
    builder.add({ op, inputs: [a, b] });

const BINARY: Readonly<Record<string, Binary>> = {
  Add: {
    fold: (a, b) => a + b,
    tensors: combined('add'),
    number: (builder, x, c) => builder.affine(x, 1, c),
    vector: (c) => ({ summand: c }),
  },
  Sub: {
    fold: (a, b) => a - b,
    tensors: (builder, a, b) => combined('add')(builder, a, negated(builder, b)),
    number: (builder, x, c) => builder.affine(x, 1, -c),
    numberFirst: (builder, c, x) => builder.affine(x, -1, c),
    vector: (c) => ({ summand: -c }),
  },
  Mul: {
    fold: (a, b) => a * b,
    tensors: combined('multiply'),
    number: (builder, x, c) => builder.affine(x, c, 0),
    vector: (c) => ({ factor: c }),
  },
  Div: {
    fold: (a, b) => a / b,
    tensors: (builder, a, b) => combined('multiply')(builder, a, one('reciprocal')(builder, b)),
    number: (builder, x, c) => builder.affine(x, 1 / c, 0),
    numberFirst: (builder, c, x) => builder.affine(one('reciprocal')(builder, x), c, 0),
    vector: (c) => ({ factor: 1 / c }),
  },
  Max: {
    fold: Math.max,
    number: atLeast,
    numberFirst: (builder, c, x) => atLeast(builder, x, c),
    tensors: (builder, a, b) =>
      combined('add')(builder, b, one('relu')(builder, combined('add')(builder, a, negated(builder, b)))),
  },
  Min: {
    fold: Math.min,
    number: atMost,
    numberFirst: (builder, c, x) => atMost(builder, x, c),
    tensors: (builder, a, b) =>
      combined('add')(
        builder,
        b,
        negated(builder, one('relu')(builder, combined('add')(builder, b, negated(builder, a)))),
      ),
  },
  Pow: {
    fold: (a, b) => a ** b,
    number(builder, x, c) {
      if (c === 0.5) return one('sqrt')(builder, x);
      if (c === -1) return one('reciprocal')(builder, x);
      if (!Number.isInteger(c) || c < 1 || c > 16) throw new Untranslatable(`a power of ${c}`);
      return c === 1 ? x : builder.add({ op: 'multiply', inputs: Array.from({ length: c }, () => x) });
    },
  },
};

const binary =
  (operation: Binary): Operator =>
  ({ builder, inputs }) => {
    const [a, b] = inputs as readonly [Operand, Operand];
    if (isConstant(a) && isConstant(b)) return folded(a, b, operation.fold);
    if (isConstant(a)) {
      const { numberFirst, vector } = operation;
      const c = scalarOf(a);
      const { tensor, order } = tensorOf(b);
      if (c !== undefined && numberFirst !== undefined)
        return { tensor: numberFirst(builder, c, tensor), order };
      if (vector === undefined || (c === undefined && numberFirst !== undefined))
        throw new Untranslatable('a constant before a tensor');
      return withConstant(builder, tensorOf(b), a, operation);
    }
    if (isConstant(b)) return withConstant(builder, a, b, operation);
    if (operation.tensors === undefined) throw new Untranslatable('a second tensor');
    const [left, right, order] = broadcast(builder, a, b);
    return { tensor: operation.tensors(builder, left, right), order };
  };

/** With more than two inputs. */
const chained =
  (operation: Binary): Operator =>
  (use) =>
    (use.inputs as readonly Operand[]).reduce(
      (result, operand) => binary(operation)({ ...use, inputs: [result, operand] }) as Operand,
    );

function folded(a: Constant, b: Constant, fold: Binary['fold']): Constant {
  const rank = Math.max(a.shape.length, b.shape.length);
  const [left, right] = [padded(a.shape, rank), padded(b.shape, rank)];
  const shape = left.map((size, axis) => Math.max(size, right[axis] as number));
  const [x, y] = [expandConstant(a, shape), expandConstant(b, shape)];
  return { name: a.name, shape, values: x.values.map((value, i) => fold(value, y.values[i] as number)) };
}

function withConstant(builder: GraphBuilder, x: Value, c: Constant, { number, vector }: Binary): Value {
  const only = scalarOf(c);
  if (only !== undefined) return { tensor: number(builder, x.tensor, only), order: x.order };
  if (vector === undefined) throw new Untranslatable('a constant of several numbers');
  const rank = x.order.length;
  const shape = padded(c.shape.slice(Math.max(0, c.shape.length - rank)), rank);
  if (elementsOf(shape) !== c.values.length || shape[x.order.indexOf(0)] !== 1)
    throw new Untranslatable(`a constant of shape [${c.shape.join(', ')}]`);
  const wide = x.order.reduce(
    (tensor, own, axis) =>
      own !== 0 && tensor.shape[own - 1] === 1
        ? builder.expanded(tensor, own - 1, shape[axis] as number)
        : tensor,
    x.tensor,
  );
  const value = { tensor: wide, order: x.order };
  const axes = shape.flatMap((size, axis) => (size > 1 ? [axis] : []));
  const [axis] = axes as [number];
  if (axes.length === 1) {
    const { tensor, order } = builder.withLast(value, axis);
    return { tensor: scaled(builder, tensor, c, vector), order };
  }
  // All elements of a sample as one axis.
  const tensor = builder.canonical(value);
  const all = expandConstant({ ...c, shape: shape.slice(1) }, tensor.shape);
  const flat = builder.reshape(tensor, [elementsOf(tensor.shape)]);
  const result = builder.reshape(scaled(builder, flat, all, vector), tensor.shape);
  return { tensor: result, order: x.order.map((_, at) => at) };
}

function scaled(
  builder: GraphBuilder,
  x: Tensor,
  c: Constant,
  vector: NonNullable<Binary['vector']>,
): Tensor {
  const each = Array.from(c.values, vector);
  const [first] = each as [ReturnType<typeof vector>];
  const numbers = Float32Array.from(each, (one) => ('factor' in one ? one.factor : one.summand));
  return builder.perChannel(x, 'factor' in first ? { factors: numbers } : { summands: numbers }, c.name);
}

/** Two tensors with their axes at the same places, of the same sizes. */
function broadcast(builder: GraphBuilder, a: Value, b: Value): [Tensor, Tensor, readonly number[]] {
  if (a.order.length !== b.order.length) throw new Untranslatable('tensors of different numbers of axes');
  const left = a.tensor;
  const right = builder.arranged(b, a.order);
  const grown = (x: Tensor, other: Tensor): Tensor =>
    other.shape.reduce(
      (result, size, axis) => (x.shape[axis] === 1 ? builder.expanded(result, axis, size) : result),
      x,
    );
  return [grown(left, right), grown(right, left), a.order];
}

const activation =
  (compute: (use: OperatorUse) => Elementwise): Operator =>
  (use) =>
    unary(compute(use))(use);
const alphaOf = ({ attribute }: OperatorUse, none: number): number =>
  (attribute('alpha') as number | undefined) ?? none;

export const ARITHMETIC_OPERATORS: Readonly<Record<string, Operator>> = {
  ...Object.fromEntries(Object.entries(BINARY).map(([name, operation]) => [name, chained(operation)])),
  Sum: chained(BINARY.Add as Binary),
  Relu: unary(one('relu')),
  Sigmoid: unary(one('sigmoid')),
  Tanh: unary(one('tanh')),
  Exp: unary(one('exp'), Math.exp),
  Log: unary(one('log'), Math.log),
  Sqrt: unary(one('sqrt'), Math.sqrt),
  Reciprocal: unary(one('reciprocal'), (x) => 1 / x),
  Neg: unary(negated, (x) => -x),
  Abs: unary((builder, x) =>
    combined('add')(builder, one('relu')(builder, x), one('relu')(builder, negated(builder, x))),
  ),
  Gelu({ builder, inputs, attribute }) {
    if (attribute('approximate') === 'tanh') throw new Untranslatable('the approximation by tanh');
    return unary(one('gelu'))({ builder, inputs } as unknown as OperatorUse);
  },
  LeakyRelu: activation(
    (use) => (builder, x) =>
      builder.add({ op: 'leakyRelu', inputs: [x], attributes: { slope: alphaOf(use, 0.01) } }),
  ),
  Clip: clip,
  HardSigmoid: activation((use) => (builder, x) => {
    const beta = (use.attribute('beta') as number | undefined) ?? 0.5;
    return clipped(builder, builder.affine(x, alphaOf(use, 0.2), beta), 0, 1);
  }),
  HardSwish: unary((builder, x) => combined('multiply')(builder, x, hardSigmoid(1 / 6)(builder, x))),
};
