/* The ops of composed losses and layers as ONNX operators (opset 17). */
import { UserError } from '../../../shared/errors.js';
import { constant, needed, type OpWriter } from './node-use.js';

const unary =
  (op: string): OpWriter =>
  (to, { node, inputs }) =>
    to.add(op, node.name, [inputs[0]]);

/** ONNX's number of the type float32. */
const FLOAT32 = 1;
/** The same of int64. */
const INT64 = 7;

export const exp = unary('Exp');
export const log = unary('Log');
export const sqrt = unary('Sqrt');
export const reciprocal = unary('Reciprocal');

export const affine: OpWriter = (to, { node, inputs: [x] }) => {
  const { factor, summand } = node.attributes as { factor: number; summand: number };
  return to.add('Add', node.name, [to.add('Mul', node.name, [x, to.number(factor)]), to.number(summand)]);
};

export const reduceSum: OpWriter = (to, { node, inputs: [x] }) => {
  const { axis } = node.attributes as { axis: number };
  return to.add('ReduceSum', node.name, [x, to.integers([axis + 1])], { keepdims: 0 });
};

export const repeat: OpWriter = (to, { node, inputs: [x] }) => {
  const { axis, times } = node.attributes as { axis: number; times: number };
  const ones = [1, ...node.inputShapes[0].map(() => 1)];
  const repeats = to.integers([...ones.slice(0, axis + 1), times, ...ones.slice(axis + 1)]);
  return to.add('Tile', node.name, [to.unsqueeze(node.name, x, axis + 1), repeats]);
};

export const step: OpWriter = (to, { node, inputs: [x] }) =>
  to.add('Cast', node.name, [to.add('Greater', node.name, [x, to.number(0)])], { to: FLOAT32 });

export const where: OpWriter = (to, { node, inputs }) => {
  const [condition, a, b] = inputs as unknown as [string, string, string];
  return to.add('Where', node.name, [to.add('Greater', node.name, [condition, to.number(0)]), a, b]);
};

export const matmul: OpWriter = (to, { node, inputs }) => to.add('MatMul', node.name, inputs);

/** The same for every sample. */
export const parameter: OpWriter = (to, use) => {
  const { node, inputs } = use;
  const { name, shape } = node;
  const samples = to.add('Gather', name, [to.add('Shape', name, [inputs[0]]), to.integers([0])], { axis: 0 });
  const target =
    shape.length === 0 ? samples : to.add('Concat', name, [samples, to.integers(shape)], { axis: 0 });
  return to.add('Expand', name, [constant(to, needed(use, 'value')), target]);
};

/** An index that is none gives zeros. */
export const gather: OpWriter = (to, { node, inputs }) => {
  const { name, inputShapes } = node;
  const [x, at] = inputs as unknown as [string, string];
  const [[entries = 0, ...rest], indices = []] = inputShapes;
  const isEntry = to.add('And', name, [
    to.add('GreaterOrEqual', name, [at, to.number(0)]),
    to.add('Less', name, [at, to.number(entries)]),
  ]);
  const id = to.add('Cast', name, [to.add('Where', name, [isEntry, at, to.number(0)])], { to: INT64 });
  const found = to.add('GatherND', name, [x, to.unsqueeze(name, id, indices.length + 1)], { batch_dims: 1 });
  const shown = to.add('Cast', name, [isEntry], { to: FLOAT32 });
  const spread = to.reshape(name, shown, [...indices, ...rest.map(() => 1)]);
  return to.add('Mul', name, [found, spread]);
};

export const rotary: OpWriter = (to, { node, inputs }) => {
  const { name, attributes, shape } = node;
  const { heads, base } = attributes as { heads: number; base: number };
  if (inputs.length > 1)
    throw new UserError(`${name} has positions of its own, which an export has no form for`);
  const [positions = 0, width = 0] = shape;
  const half = width / heads / 2;
  const table = (what: string, of: (angle: number) => number): string => {
    const values = Float32Array.from({ length: positions * half }, (_, i) =>
      of(Math.floor(i / half) / base ** ((i % half) / half)),
    );
    return to.floats(`${name}:${what}`, [positions, 1, half], values);
  };
  const [cosines, sines] = [table('cosines', Math.cos), table('sines', Math.sin)];
  const split = to.reshape(name, inputs[0], [positions, heads, width / heads]);
  const [first, second] = [to.slice(name, split, 3, 0, half), to.slice(name, split, 3, half, 2 * half)];
  const times = (a: string, b: string): string => to.add('Mul', name, [a, b]);
  const parts = [
    to.add('Sub', name, [times(first, cosines), times(second, sines)]),
    to.add('Add', name, [times(second, cosines), times(first, sines)]),
  ];
  return to.reshape(name, to.add('Concat', name, parts, { axis: 3 }), shape);
};

/** Losses are no part of prediction, unless a layer computes with their terms. */
export const lossTerms: OpWriter = (_, { node }) => {
  throw new UserError(
    `${node.name} computes a loss in prediction, which ONNX has no operator for; keep it in the loss`,
  );
};
