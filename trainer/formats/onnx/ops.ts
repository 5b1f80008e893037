/*
 * Every op of a network as ONNX operators (opset 17), for prediction: what exists only in training is left out. Tensors have the
 * batch as first axis and images their channels last, as in the network.
 */
import type { OpName } from '../../../shared/graph/ops/table.js';
import { elementsOf, lastOf } from '../../../shared/graph/shape.js';
import { reordered } from '../reordered.js';
import {
  affine,
  exp,
  gather,
  log,
  lossTerms,
  matmul,
  parameter,
  reciprocal,
  reduceSum,
  repeat,
  rotary,
  sqrt,
  step,
  where,
} from './arithmetic.js';
import { attention } from './attention.js';
import type { Name } from './graph-writer.js';
import { averagePool, conv2d, conv2dTranspose, conv3d, maxPool } from './images.js';
import { constant, needed, type OpWriter } from './node-use.js';
import { gru, lstm, simpleRnn } from './recurrent.js';

const unary =
  (op: string, attributes = {}): OpWriter =>
  (to, { node, inputs }) =>
    to.add(op, node.name, [inputs[0]], attributes);

const combined =
  (op: string): OpWriter =>
  (to, { node, inputs: [first, ...others] }) =>
    others.reduce<Name>((sum, other) => to.add(op, node.name, [sum, other]), first);

const trainingOnly: OpWriter = (_, { inputs: [x] }) => x;

export const WRITERS: Readonly<Record<OpName, OpWriter>> = {
  ...{ affine, exp, log, lossTerms, reciprocal, reduceSum, repeat, sqrt, step, where },
  ...{ gather, matmul, parameter, rotary },
  scaleGradient: trainingOnly,
  add: combined('Add'),
  multiply: combined('Mul'),
  relu: unary('Relu'),
  sigmoid: unary('Sigmoid'),
  tanh: unary('Tanh'),
  softmax: unary('Softmax', { axis: -1 }),
  logSoftmax: unary('LogSoftmax', { axis: -1 }),
  leakyRelu: (to, { node, inputs }) =>
    to.add('LeakyRelu', node.name, [inputs[0]], {
      alpha: { float: (node.attributes as { slope: number }).slope },
    }),
  silu: (to, { node: { name }, inputs: [x] }) => to.add('Mul', name, [x, to.add('Sigmoid', name, [x])]),
  gelu(to, { node: { name }, inputs: [x] }) {
    const erf = to.add('Erf', name, [to.add('Mul', name, [x, to.number(Math.SQRT1_2)])]);
    const half = to.add('Mul', name, [x, to.number(0.5)]);
    return to.add('Mul', name, [half, to.add('Add', name, [erf, to.number(1)])]);
  },
  dropout: trainingOnly,
  gaussianNoise: trainingOnly,
  maskBands: trainingOnly,
  randomShift: trainingOnly,
  /** The middle window, as in prediction. */
  randomCrop(to, { node, inputs: [x] }) {
    const { size } = node.attributes as { size: readonly [number, number] };
    return [0, 1].reduce((part, axis) => {
      const from = Math.floor(((node.inputShapes[0][axis] as number) - (size[axis] as number)) / 2);
      return to.slice(node.name, part, axis + 1, from, from + (size[axis] as number));
    }, x);
  },
  dense(to, use) {
    const { node, inputs } = use;
    const product = to.add('MatMul', node.name, [inputs[0], constant(to, needed(use, 'kernel'))]);
    const bias = use.weight('bias');
    return bias === undefined ? product : to.add('Add', node.name, [product, constant(to, bias)]);
  },
  conv2d,
  conv2dTranspose,
  conv3d,
  maxPool,
  averagePool,
  attention,
  lstm,
  gru,
  simpleRnn,
  /** Ids that are no entries give zeros: an additional row of the table. */
  embedding(to, use) {
    const { node, inputs } = use;
    const [x] = inputs;
    const { name } = node;
    const { entries, width } = node.attributes as { entries: number; width: number };
    const zeros = to.floats(`zeros:1,${width}`, [1, width], new Float32Array(width));
    const table = to.add('Concat', name, [constant(to, needed(use, 'table')), zeros], { axis: 0 });
    const isEntry = to.add('And', name, [
      to.add('GreaterOrEqual', name, [x, to.number(0)]),
      to.add('Less', name, [x, to.number(entries)]),
    ]);
    const id = to.add('Cast', name, [to.add('Where', name, [isEntry, x, to.number(entries)])], { to: 7 });
    return to.add('Gather', name, [table, id], { axis: 0 });
  },
  reverseEmbedding(to, use) {
    const { name, shape, values } = needed(use, 'table');
    const transposed = to.floats(
      `${name}:transposed`,
      [...shape].reverse(),
      reordered(values, shape, [1, 0]),
    );
    return to.add('MatMul', use.node.name, [use.inputs[0], transposed]);
  },
  positionalEmbedding: (to, use) =>
    to.add('Add', use.node.name, [use.inputs[0], constant(to, needed(use, 'table'))]),
  positionalEncoding(to, { node, inputs: [x] }) {
    const shape = node.inputShapes[0];
    const width = lastOf(shape);
    const table = Float32Array.from({ length: elementsOf(shape) }, (_, at) => {
      const i = at % width;
      const angle = Math.floor(at / width) / 10_000 ** ((2 * Math.floor(i / 2)) / width);
      return i % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    });
    return to.add('Add', node.name, [x, to.floats(`${node.name}:sinusoids`, shape, table)]);
  },
  layerNormalization(to, use) {
    const { epsilon } = use.node.attributes as { epsilon: number };
    const [gamma, beta] = ['gamma', 'beta'].map((role) => constant(to, needed(use, role))) as [Name, Name];
    return to.add('LayerNormalization', use.node.name, [use.inputs[0], gamma, beta], {
      axis: -1,
      epsilon: { float: epsilon },
    });
  },
  /** With the moving averages; channels are last, and ONNX's own operator has them first. */
  batchNormalization(to, use) {
    const { name } = use.node;
    const { epsilon } = use.node.attributes as { epsilon: number };
    const of = (role: string): Name => constant(to, needed(use, role));
    const centred = to.add('Sub', name, [use.inputs[0], of('movingMean')]);
    const variance = to.add('Add', name, [of('movingVariance'), to.number(epsilon)]);
    const scaled = to.add('Div', name, [centred, to.add('Sqrt', name, [variance])]);
    return to.add('Add', name, [to.add('Mul', name, [scaled, of('gamma')]), of('beta')]);
  },
  reshape: (to, { node, inputs: [x] }) => to.reshape(node.name, x, node.shape),
  permute(to, { node, inputs: [x] }) {
    const { dims } = node.attributes as { dims: readonly number[] };
    return to.transpose(node.name, x, [0, ...dims]);
  },
  slice(to, { node, inputs: [x] }) {
    const { axis, from, to: end } = node.attributes as { axis: number; from: number; to: number };
    return to.slice(node.name, x, axis + 1, from, end);
  },
  concatenate: (to, { node, inputs }) =>
    to.add('Concat', node.name, inputs, { axis: (node.attributes as { axis: number }).axis + 1 }),
  repeatVector(to, { node, inputs: [x] }) {
    const { times } = node.attributes as { times: number };
    const repeats = to.integers([1, times, ...node.inputShapes[0].map(() => 1)]);
    return to.add('Tile', node.name, [to.unsqueeze(node.name, x, 1), repeats]);
  },
};
