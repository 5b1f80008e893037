import type { Tensor } from '../../../../shared/graph/graph.js';
import { elementsOf } from '../../../../shared/graph/shape.js';
import { Untranslatable } from '../../untranslatable.js';
import { activated, clipped } from './activations.js';
import type { Config } from './layer-config.js';
import { expect, type LayerReader, type LayerUse, numberOf } from './layer-use.js';
import type { WeightValues } from './layer-weights.js';

/** Samples that batchNormalization takes its statistics of, when training goes on. */
const VIRTUAL_BATCH = 32;

const identity: LayerReader = ({ inputs }) => inputs[0];

const dense: LayerReader = (use) => {
  const { builder, config, inputs } = use;
  const useBias = config.use_bias !== false;
  expect(config, 'lora_rank', undefined);
  const [kernel, bias] = use.weights(['kernel', useBias && 'bias']);
  const result = builder.add({
    ...{ op: 'dense', inputs: [inputs[0]], layer: use.identity('dense') },
    attributes: { units: numberOf(config, 'units'), useBias },
    weights: { kernel, bias },
  });
  return activated(use, result, config.activation);
};

/** @throws Untranslatable unless the axis is the last one */
function lastAxis({ config, inputs }: LayerUse): number {
  const given = config.axis ?? -1;
  const axis = Array.isArray(given) && given.length === 1 ? given[0] : given;
  const { length } = inputs[0].shape;
  if (axis !== -1 && axis !== length)
    throw new Untranslatable(`the axis ${JSON.stringify(given)}, not the last one`);
  return inputs[0].shape[length - 1] as number;
}

const filled = (size: number, value: number): WeightValues => ({
  shape: [size],
  values: new Float32Array(size).fill(value),
});

const batchNormalization: LayerReader = (use) => {
  const { builder, config, inputs } = use;
  const size = lastAxis(use);
  const [hasScale, hasCenter] = [config.scale !== false, config.center !== false];
  const roles = [hasScale && 'gamma', hasCenter && 'beta', 'moving_mean', 'moving_variance'];
  const [gamma, beta, movingMean, movingVariance] = use.weights(roles);
  return builder.add({
    ...{ op: 'batchNormalization', inputs: [inputs[0]], layer: use.identity('batchNormalization') },
    attributes: {
      ...{ epsilon: numberOf(config, 'epsilon', 1e-3), momentum: numberOf(config, 'momentum', 0.99) },
      virtualBatchSize: VIRTUAL_BATCH,
    },
    weights: { gamma: gamma ?? filled(size, 1), beta: beta ?? filled(size, 0), movingMean, movingVariance },
  });
};

const layerNormalization: LayerReader = (use) => {
  const { builder, config, inputs } = use;
  const size = lastAxis(use);
  expect(config, 'rms_scaling', false);
  const [gamma, beta] = use.weights([config.scale !== false && 'gamma', config.center !== false && 'beta']);
  return builder.add({
    ...{ op: 'layerNormalization', inputs: [inputs[0]], layer: use.identity('layerNormalization') },
    attributes: { epsilon: numberOf(config, 'epsilon', 1e-3) },
    weights: { gamma: gamma ?? filled(size, 1), beta: beta ?? filled(size, 0) },
  });
};

const embedding: LayerReader = (use) => {
  const { builder, config, inputs } = use;
  if (config.mask_zero === true) throw new Untranslatable('a mask that follows from ids (mask_zero)');
  const [table] = use.weights(['embeddings']);
  return builder.add({
    ...{ op: 'embedding', inputs: [inputs[0]], layer: use.identity('embedding') },
    attributes: { entries: numberOf(config, 'input_dim'), width: numberOf(config, 'output_dim') },
    weights: { table },
  });
};

const dropout =
  (sharedAxes?: number): LayerReader =>
  ({ builder, config, inputs: [x] }) => {
    const rate = numberOf(config, 'rate');
    const noise = config.noise_shape;
    const shared =
      sharedAxes ?? (Array.isArray(noise) ? noise.slice(1).filter((size) => size === 1).length : 0);
    if (rate === 0) return x;
    return builder.add({ op: 'dropout', inputs: [x], attributes: { rate, sharedAxes: shared } });
  };

const trainingOnly: LayerReader = ({ inputs, note, config }) => {
  note(`${String(config.name)} acts in training only, and is left out`);
  return inputs[0];
};

/** Tensors of one shape: axes of one element are repeated. */
function alike({ builder, inputs }: LayerUse): Tensor[] {
  const rank = inputs[0].shape.length;
  if (inputs.some(({ shape }) => shape.length !== rank))
    throw new Untranslatable('inputs of different numbers of axes');
  const sizes = inputs[0].shape.map((_, axis) =>
    Math.max(...inputs.map(({ shape }) => shape[axis] as number)),
  );
  return inputs.map((x) => sizes.reduce((grown, size, axis) => builder.expanded(grown, axis, size), x));
}

const merged =
  (op: 'add' | 'multiply'): LayerReader =>
  (use) =>
    alike(use).reduce((sum, x) => use.builder.add({ op, inputs: [sum, x] }));

/** max(a, b) = b + relu(a - b); min(a, b) = b - relu(b - a) */
const extreme =
  (sign: 1 | -1): LayerReader =>
  (use) => {
    const { builder } = use;
    return alike(use).reduce((b, a) => {
      const [from, minus] = sign === 1 ? [a, b] : [b, a];
      const difference = builder.add({ op: 'add', inputs: [from, builder.affine(minus, -1, 0)] });
      const above = builder.add({ op: 'relu', inputs: [difference] });
      return builder.add({ op: 'add', inputs: [b, builder.affine(above, sign, 0)] });
    });
  };

const dot: LayerReader = (use) => {
  const { builder, config, inputs } = use;
  expect(config, 'normalize', false);
  const [a, b] = inputs;
  const axes = Array.isArray(config.axes) ? config.axes : [config.axes, config.axes];
  if (b === undefined || a.shape.length !== 2 || b.shape.length !== 2)
    throw new Untranslatable('a dot product of other than matrices');
  const [first, second] = axes.map((axis) => (axis < 0 ? axis + 3 : axis)) as [number, number];
  const turned = (x: Tensor, isTurned: boolean): Tensor =>
    isTurned ? builder.add({ op: 'permute', inputs: [x], attributes: { dims: [2, 1] } }) : x;
  return builder.add({ op: 'matmul', inputs: [turned(a, first === 1), turned(b, second === 2)] });
};

const reshape: LayerReader = ({ builder, config, inputs: [x] }) => {
  const target = config.target_shape;
  if (!Array.isArray(target)) throw new Untranslatable('a missing target_shape');
  const known = elementsOf(target.filter((size) => size !== -1 && size !== null));
  const shape = target.map((size) => (size === -1 || size === null ? elementsOf(x.shape) / known : size));
  return builder.reshape(x, shape);
};

const leakyRelu: LayerReader = ({ builder, config, inputs }) => {
  const slope = numberOf(config, config.negative_slope === undefined ? 'alpha' : 'negative_slope', 0.3);
  return builder.add({ op: 'leakyRelu', inputs: [inputs[0]], attributes: { slope } });
};

const relu: LayerReader = ({ builder, config, inputs: [x] }) => {
  for (const name of ['negative_slope', 'threshold']) expect(config, name, 0);
  const { max_value: bound } = config;
  return typeof bound === 'number' ? clipped(builder, x, bound) : builder.add({ op: 'relu', inputs: [x] });
};

export const PLAIN_LAYERS: Readonly<Record<string, LayerReader>> = {
  Dense: dense,
  Activation: (use) => activated(use, use.inputs[0], use.config.activation),
  ReLU: relu,
  LeakyReLU: leakyRelu,
  Softmax(use) {
    lastAxis(use);
    return use.builder.add({ op: 'softmax', inputs: [use.inputs[0]] });
  },
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  Embedding: embedding,
  Dropout: dropout(),
  SpatialDropout1D: dropout(1),
  SpatialDropout2D: dropout(2),
  GaussianNoise: ({ builder, config, inputs }) =>
    builder.add({
      ...{ op: 'gaussianNoise', inputs: [inputs[0]] },
      attributes: { deviation: numberOf(config, 'stddev') },
    }),
  GaussianDropout: trainingOnly,
  AlphaDropout: trainingOnly,
  ActivityRegularization: trainingOnly,
  Identity: identity,
  Add: merged('add'),
  Multiply: merged('multiply'),
  Subtract(use) {
    const [a, b] = alike(use) as [Tensor, Tensor];
    return use.builder.add({ op: 'add', inputs: [a, use.builder.affine(b, -1, 0)] });
  },
  Average: (use) => use.builder.affine(merged('add')(use), 1 / use.inputs.length, 0),
  Maximum: extreme(1),
  Minimum: extreme(-1),
  Concatenate({ builder, config, inputs }) {
    const axis = numberOf(config, 'axis', -1);
    const own = axis < 0 ? axis + inputs[0].shape.length : axis - 1;
    return builder.add({ op: 'concatenate', inputs, attributes: { axis: own } });
  },
  Dot: dot,
  Rescaling: ({ builder, config, inputs }) =>
    builder.affine(inputs[0], numberOf(config, 'scale'), numberOf(config, 'offset', 0)),
  Flatten({ builder, config, inputs }) {
    expect(config, 'data_format', 'channels_last');
    return builder.reshape(inputs[0], [elementsOf(inputs[0].shape)]);
  },
  Reshape: reshape,
  Permute: ({ builder, config, inputs }) =>
    builder.add({ op: 'permute', inputs: [inputs[0]], attributes: { dims: config.dims } }),
  RepeatVector: ({ builder, config, inputs }) =>
    builder.add({ op: 'repeatVector', inputs: [inputs[0]], attributes: { times: numberOf(config, 'n') } }),
  /** What computes along the last axis does so at every step. */
  TimeDistributed(use) {
    const { class_name: className, config } = (use.config.layer ?? {}) as Config;
    const reader = { Dense: dense, Activation: PLAIN_LAYERS.Activation, Dropout: dropout() }[
      String(className)
    ];
    if (reader === undefined) throw new Untranslatable(`${String(className)} at every step`);
    return reader({
      ...use,
      config: config as Config,
      identity: use.identity,
      weights: (roles) => use.weights(roles, { keras: 'layer', tfjs: '' }),
    });
  },
};
