/*
 * Products and normalisations.
 */
import type { Tensor } from '../../../../shared/graph/graph.js';
import { elementsOf } from '../../../../shared/graph/shape.js';
import { Untranslatable } from '../../untranslatable.js';
import { type Constant, constantOf, inOrder, isConstant, sizesOf, tensorOf, type Value } from './operands.js';
import type { Operator, OperatorUse } from './operator.js';
import { rearranged, vector } from './weights.js';

/** Samples that batchNormalization takes its statistics of, when training goes on. */
const VIRTUAL_BATCH = 32;

type Pair = readonly [number, number];

/** x W + b, along the last axis. @param isTransposed whether W is [units, inputs] */
function product(
  use: OperatorUse,
  x: Value,
  weight: Constant,
  bias: Constant | undefined,
  isTransposed: boolean,
): Value {
  if (weight.shape.length !== 2) throw new Untranslatable('a kernel of other than two axes');
  const { tensor, order } = use.builder.withLast(x, x.order.length - 1);
  const [first, second] = weight.shape as Pair;
  const [inputs, units] = isTransposed ? [second, first] : [first, second];
  if (bias !== undefined && bias.values.length !== units) throw new Untranslatable('a bias of another size');
  const result = use.builder.add({
    op: 'dense',
    inputs: [tensor],
    attributes: { units, useBias: bias !== undefined },
    weights: {
      kernel: rearranged(weight, isTransposed ? [1, 0] : [0, 1], [inputs, units]),
      bias: bias && vector(bias),
    },
    after: weight.name,
  });
  return { tensor: result, order };
}

/** A product of matrices of one sample; axes before them that have one element are repeated. */
function matrixProduct({ builder }: OperatorUse, first: Value, second: Value): Value {
  const [a, b] = [builder.canonical(first), builder.canonical(second)];
  if (a.shape.length !== b.shape.length || a.shape.length < 2)
    throw new Untranslatable('factors of different numbers of axes');
  const grown = (x: Tensor, other: Tensor): Tensor =>
    other.shape
      .slice(0, -2)
      .reduce(
        (result, size, axis) => (x.shape[axis] === 1 ? builder.expanded(result, axis, size) : result),
        x,
      );
  return inOrder(builder.add({ op: 'matmul', inputs: [grown(a, b), grown(b, a)] }));
}

const matMul: Operator = (use) => {
  const second = use.inputs[1];
  if (second !== undefined && !isConstant(second)) return matrixProduct(use, tensorOf(use.inputs[0]), second);
  const weight = constantOf(use.inputs[1], 'second factor');
  const bias = use.inputs[2];
  return product(use, tensorOf(use.inputs[0]), weight, bias && constantOf(bias, 'bias'), false);
};

const gemm: Operator = (use) => {
  const { inputs, attribute } = use;
  for (const name of ['alpha', 'beta'])
    if ((attribute(name) ?? 1) !== 1) throw new Untranslatable(`${name} other than 1`);
  if ((attribute('transA') ?? 0) !== 0) throw new Untranslatable('a transposed first factor');
  const bias = inputs[2] && constantOf(inputs[2], 'bias');
  return product(use, tensorOf(inputs[0]), constantOf(inputs[1], 'kernel'), bias, attribute('transB') === 1);
};

const batchNormalization: Operator = (use) => {
  const { builder, inputs, attribute } = use;
  const [, gamma, beta, movingMean, movingVariance] = inputs.map((input, i) =>
    i === 0 ? undefined : vector(constantOf(input, 'statistics')),
  );
  const x = tensorOf(inputs[0]);
  const { tensor, order } = x.order.length === 4 ? withChannelsLast(use, x) : builder.withLast(x, 1);
  const result = builder.add({
    op: 'batchNormalization',
    inputs: [tensor],
    attributes: {
      epsilon: (attribute('epsilon') as number | undefined) ?? 1e-5,
      momentum: (attribute('momentum') as number | undefined) ?? 0.9,
      virtualBatchSize: VIRTUAL_BATCH,
    },
    weights: { gamma, beta, movingMean, movingVariance },
    after: constantOf(inputs[1], 'scale').name,
  });
  return { tensor: result, order };
};

function withChannelsLast(use: OperatorUse, x: Value): { tensor: Tensor; order: readonly number[] } {
  const order = [0, 3, 1, 2];
  return { tensor: use.builder.arranged(x, order), order };
}

/** Along the last axes; the network's is along one. */
const layerNormalization: Operator = (use) => {
  const { builder, inputs, attribute } = use;
  const x = tensorOf(inputs[0]);
  const rank = sizesOf(x).length;
  const axis = (attribute('axis') as number | undefined) ?? -1;
  if (axis !== -1 && axis !== rank - 1) throw new Untranslatable('several axes');
  const { tensor, order } = builder.withLast(x, rank - 1);
  const gamma = constantOf(inputs[1], 'scale');
  const zeros = { shape: [...gamma.shape], values: new Float32Array(elementsOf(gamma.shape)) };
  const result = builder.add({
    op: 'layerNormalization',
    inputs: [tensor],
    attributes: { epsilon: (attribute('epsilon') as number | undefined) ?? 1e-5 },
    weights: { gamma: vector(gamma), beta: inputs[2] ? vector(constantOf(inputs[2], 'bias')) : zeros },
    after: gamma.name,
  });
  return { tensor: result, order };
};

export const LAYER_OPERATORS: Readonly<Record<string, Operator>> = {
  MatMul: matMul,
  Gemm: gemm,
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
};
