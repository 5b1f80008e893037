/*
 * Every op of a network in PyTorch, for prediction: what exists only in training is left out. Tensors have the batch as first
 * axis and images their channels last, as in the network; weights have PyTorch's layouts.
 */
import { UserError } from '../../../shared/errors.js';
import type { OpName } from '../../../shared/graph/ops/table.js';
import { lastOf, positionsOf } from '../../../shared/graph/shape.js';
import { permuted } from '../reordered.js';
import { averagePool, conv2d, conv2dTranspose, conv3d, maxPool } from './images.js';
import {
  type Code,
  flag,
  type NetworkWriter,
  type TorchOpWriter,
  type TorchUse,
  tuple,
} from './network-writer.js';
import { gru, lstm, simpleRnn } from './recurrent.js';

type Pair = readonly [number, number];

/** An expression of one input. */
const unary =
  (code: (x: Code) => Code): TorchOpWriter =>
  (to, { inputs: [x] }) =>
    to.line(code(x));

const combined =
  (operator: string): TorchOpWriter =>
  (to, { inputs }) =>
    to.line(inputs.join(` ${operator} `));

const trainingOnly: TorchOpWriter = (to, { node, inputs: [x] }) => {
  to.lines.push(`# ${node.name} (${node.op}) acts in training only`);
  return x;
};

/** `nn.Linear` has its weight transposed; Conv1D, the layer of GPT-2, has not. */
const dense: TorchOpWriter = (to, use) => {
  const kernel = to.needed(use, 'kernel');
  const bias = to.weight(use, 'bias');
  const [inputs, units] = kernel.shape as Pair;
  const isConv1d = /\.c_\w+$/.test(to.knownPath(use) ?? '');
  const layer = to.submodule(use, {
    code: isConv1d
      ? `Conv1D(${units}, ${inputs})`
      : `nn.Linear(${inputs}, ${units}, bias=${flag(bias !== undefined)})`,
    state: { weight: isConv1d ? kernel : permuted(kernel, [1, 0]), bias },
  });
  return to.line(`${layer}(${use.inputs[0]})`);
};

const table: (to: NetworkWriter, use: TorchUse) => Code = (to, use) => {
  const { shape, values } = to.needed(use, 'table');
  const sizes = [positionsOf(shape), lastOf(shape)];
  return to.submodule(use, {
    code: `nn.Embedding(${sizes.join(', ')})`,
    state: { weight: { shape: sizes, values } },
  });
};

export const WRITERS: Readonly<Record<OpName, TorchOpWriter>> = {
  add: combined('+'),
  multiply: combined('*'),
  affine(to, { node, inputs: [x] }) {
    const { factor, summand } = node.attributes as { factor: number; summand: number };
    return to.line(`${x} * ${factor} + ${summand}`);
  },
  exp: unary((x) => `torch.exp(${x})`),
  log: unary((x) => `torch.log(${x})`),
  sqrt: unary((x) => `torch.sqrt(${x})`),
  reciprocal: unary((x) => `1 / ${x}`),
  scaleGradient: unary((x) => x),
  step: unary((x) => `(${x} > 0).float()`),
  where: (to, { inputs: [condition, a, b] }) => to.line(`torch.where(${condition} > 0, ${a}, ${b})`),
  reduceSum(to, { node, inputs: [x] }) {
    const { axis } = node.attributes as { axis: number };
    return to.line(`${x}.sum(${axis + 1})`);
  },
  repeat(to, { node, inputs: [x] }) {
    const { axis, times } = node.attributes as { axis: number; times: number };
    return to.line(`${x}.unsqueeze(${axis + 1}).repeat_interleave(${times}, ${axis + 1})`);
  },
  repeatVector(to, { node, inputs: [x] }) {
    const { times } = node.attributes as { times: number };
    return to.line(`${x}.unsqueeze(1).repeat_interleave(${times}, 1)`);
  },
  /** Losses are no part of prediction, unless a layer computes with their terms. */
  lossTerms(_, { node }) {
    throw new UserError(
      `${node.name} computes a loss in prediction, which has no counterpart in PyTorch; keep it in the loss`,
    );
  },
  relu: unary((x) => `F.relu(${x})`),
  sigmoid: unary((x) => `torch.sigmoid(${x})`),
  tanh: unary((x) => `torch.tanh(${x})`),
  softmax: unary((x) => `F.softmax(${x}, -1)`),
  logSoftmax: unary((x) => `F.log_softmax(${x}, -1)`),
  silu: unary((x) => `F.silu(${x})`),
  gelu: unary((x) => `F.gelu(${x})`),
  leakyRelu: (to, { node, inputs: [x] }) =>
    to.line(`F.leaky_relu(${x}, ${(node.attributes as { slope: number }).slope})`),
  dropout: trainingOnly,
  gaussianNoise: trainingOnly,
  maskBands: trainingOnly,
  randomShift: trainingOnly,
  /** The middle window, as in prediction. */
  randomCrop(to, { node, inputs: [x] }) {
    const { size } = node.attributes as { size: Pair };
    const [rows, columns] = [0, 1].map((axis) => {
      const from = Math.floor(((node.inputShapes[0][axis] as number) - (size[axis] as number)) / 2);
      return `${from}:${from + (size[axis] as number)}`;
    });
    return to.line(`${x}[:, ${rows}, ${columns}]`);
  },
  dense,
  conv2d,
  conv2dTranspose,
  conv3d,
  maxPool,
  averagePool,
  attention(to, { node, inputs }) {
    const { heads, causal, masked } = node.attributes as { heads: number; causal: boolean; masked: boolean };
    const tensors = masked ? inputs.slice(0, -1) : inputs;
    const mask = masked ? inputs.at(-1) : 'None';
    const width = node.shape[1] as number;
    const [q, kv] = tensors;
    const parts = kv === undefined ? `${q}.split(${width}, -1)` : `(${q}, *${kv}.split(${width}, -1))`;
    return to.line(`attention(*${parts}, heads=${heads}, causal=${flag(causal)}, mask=${mask})`);
  },
  lstm,
  gru,
  simpleRnn,
  embedding: (to, use) => to.line(`embed(${table(to, use)}, ${use.inputs[0]})`),
  reverseEmbedding: (to, use) => to.line(`F.linear(${use.inputs[0]}, ${table(to, use)}.weight)`),
  positionalEmbedding: (to, use) =>
    to.line(`${use.inputs[0]} + ${table(to, use)}.weight.reshape(${tuple(use.node.shape)})`),
  positionalEncoding: unary((x) => `${x} + sinusoids(${x}.shape[1], ${x}.shape[2])`),
  layerNormalization(to, use) {
    const { epsilon } = use.node.attributes as { epsilon: number };
    const gamma = to.needed(use, 'gamma');
    const layer = to.submodule(use, {
      code: `nn.LayerNorm(${gamma.shape[0]}, eps=${epsilon})`,
      state: { weight: gamma, bias: to.needed(use, 'beta') },
    });
    return to.line(`${layer}(${use.inputs[0]})`);
  },
  /** Channels are last: every position is a sample of BatchNorm1d. */
  batchNormalization(to, use) {
    const { epsilon, momentum } = use.node.attributes as { epsilon: number; momentum: number };
    const gamma = to.needed(use, 'gamma');
    const layer = to.submodule(use, {
      code: `nn.BatchNorm1d(${gamma.shape[0]}, eps=${epsilon}, momentum=${1 - momentum})`,
      state: {
        weight: gamma,
        bias: to.needed(use, 'beta'),
        running_mean: to.needed(use, 'movingMean'),
        running_var: to.needed(use, 'movingVariance'),
      },
    });
    const [x] = use.inputs;
    return to.line(`${layer}(${x}.flatten(0, -2)).reshape(${x}.shape)`);
  },
  reshape: (to, { node, inputs: [x] }) => to.line(`${x}.reshape(${['-1', ...node.shape].join(', ')})`),
  permute(to, { node, inputs: [x] }) {
    const { dims } = node.attributes as { dims: readonly number[] };
    return to.line(`${x}.permute(${[0, ...dims].join(', ')})`);
  },
  slice(to, { node, inputs: [x] }) {
    const { axis, from, to: end } = node.attributes as { axis: number; from: number; to: number };
    return to.line(`${x}.narrow(${axis + 1}, ${from}, ${end - from})`);
  },
  matmul: (to, { inputs: [a, b] }) => to.line(`torch.matmul(${a}, ${b})`),
  /** An index that is none gives zeros. */
  gather(to, { node, inputs: [x, indices] }) {
    const entries = node.inputShapes[0][0] as number;
    const at = to.line(
      `torch.where((${indices} >= 0) & (${indices} < ${entries}), ${indices}, ${entries}).long()`,
    );
    return to.line(`torch.stack([torch.cat([r, torch.zeros_like(r[:1])])[i] for r, i in zip(${x}, ${at})])`);
  },
  /** The same for every sample. */
  parameter(to, use) {
    const { shape, values } = to.needed(use, 'value');
    const layer = to.submodule(use, {
      code: `nn.Embedding(1, ${values.length})`,
      state: { weight: { shape: [1, values.length], values } },
    });
    const sizes = ['-1', ...shape].join(', ');
    return to.line(`${layer}.weight.expand(${use.inputs[0]}.shape[0], -1).reshape(${sizes})`);
  },
  rotary(to, { node, inputs }) {
    const { heads, base } = node.attributes as { heads: number; base: number };
    if (inputs.length > 1)
      throw new UserError(`${node.name} has positions of its own, which an export has no form for`);
    const [positions = 0, width = 0] = node.shape;
    const half = width / heads / 2;
    const angles = to.line(
      `torch.arange(${positions})[:, None, None] * ${base} ** (-torch.arange(${half}) / ${half})`,
    );
    const split = to.line(`${inputs[0]}.unflatten(2, (${heads}, ${2 * half}))`);
    const [first, second] = [to.line(`${split}[..., :${half}]`), to.line(`${split}[..., ${half}:]`)];
    const [cosines, sines] = [to.line(`torch.cos(${angles})`), to.line(`torch.sin(${angles})`)];
    const parts = [
      `${first} * ${cosines} - ${second} * ${sines}`,
      `${second} * ${cosines} + ${first} * ${sines}`,
    ];
    return to.line(`torch.cat([${parts.join(', ')}], -1).flatten(2)`);
  },
  concatenate(to, { node, inputs }) {
    const { axis } = node.attributes as { axis: number };
    return to.line(`torch.cat([${inputs.join(', ')}], ${axis + 1})`);
  },
};
