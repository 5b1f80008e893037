/*
 * Convolutions, pooling and changes of the size of images. Sequences are images of one column.
 */
import type { Tensor } from '../../../../shared/graph/graph.js';
import { permuted } from '../../reordered.js';
import { Untranslatable } from '../../untranslatable.js';
import { activated } from './activations.js';
import { expect, type LayerReader, type LayerUse, numberOf, numbersOf } from './layer-use.js';
import type { WeightValues } from './layer-weights.js';

type Pair = readonly [number, number];

/** An image and how its result is turned back. @param rank number of axes without channels */
function imageOf({ builder, config }: LayerUse, x: Tensor, rank: number) {
  expect(config, 'data_format', 'channels_last');
  if (x.shape.length !== rank + 1) throw new Untranslatable(`an input of ${x.shape.length} axes`);
  if (rank === 2) return { image: x, back: (result: Tensor) => result };
  const [steps = 0, channels = 0] = x.shape;
  return {
    image: builder.reshape(x, [steps, 1, channels]),
    back: (result: Tensor) => builder.reshape(result, [result.shape[0] as number, result.shape[2] as number]),
  };
}

const pair = (sizes: readonly number[]): Pair => [sizes[0] as number, sizes[1] ?? 1];

/** @throws Untranslatable when it is another padding */
function paddingOf(padding: unknown = 'valid'): 'valid' | 'same' {
  if (padding === 'valid' || padding === 'same') return padding;
  throw new Untranslatable(`padding ${JSON.stringify(padding)}`);
}

/** How a window moves, with 1 along the only column of a sequence. */
function windowOf({ config }: LayerUse, rank: number, size: string) {
  const padding = paddingOf(config.padding);
  const window = numbersOf(config, size, rank);
  const isPool = size === 'pool_size';
  const strides =
    config.strides === null && isPool ? window : numbersOf(config, 'strides', rank, isPool ? undefined : 1);
  return {
    ...{ window: pair(window), strides: pair(strides), padding },
    dilation: isPool ? ([1, 1] as const) : pair(numbersOf(config, 'dilation_rate', rank, 1)),
  };
}

/** A kernel of a sequence is one of an image. */
function imageKernel({ shape, values }: WeightValues, rank: number): WeightValues {
  return { shape: rank === 2 ? shape : [shape[0] as number, 1, ...shape.slice(1)], values };
}

const convolution =
  (rank: number): LayerReader =>
  (use) => {
    const { builder, config, inputs } = use;
    const { image, back } = imageOf(use, inputs[0], rank);
    const { window, strides, padding, dilation } = windowOf(use, rank, 'kernel_size');
    const useBias = config.use_bias !== false;
    const [kernel, bias] = use.weights(['kernel', useBias && 'bias']);
    const result = builder.add({
      ...{ op: 'conv2d', inputs: [image], layer: use.identity('conv2d') },
      attributes: {
        ...{ filters: numberOf(config, 'filters'), kernelSize: window, strides, padding, dilation, useBias },
        groups: numberOf(config, 'groups', 1),
      },
      weights: { kernel: imageKernel(kernel as WeightValues, rank), bias },
    });
    return activated(use, back(result), config.activation);
  };

const conv3d: LayerReader = (use) => {
  const { builder, config, inputs } = use;
  expect(config, 'data_format', 'channels_last');
  const groups = numberOf(config, 'groups', 1);
  const padding = paddingOf(config.padding);
  const useBias = config.use_bias !== false;
  const [kernel, bias] = use.weights(['kernel', useBias && 'bias']);
  const result = builder.add({
    ...{ op: 'conv3d', inputs: [inputs[0]], layer: use.identity('conv3d') },
    attributes: {
      ...{ filters: numberOf(config, 'filters'), padding, useBias },
      kernelSize: numbersOf(config, 'kernel_size', 3),
      strides: numbersOf(config, 'strides', 3, 1),
      dilation: numbersOf(config, 'dilation_rate', 3, 1),
      ...(groups !== 1 && { groups }),
    },
    // Keras has the depth of a kernel before its height.
    weights: { kernel: permuted(kernel as WeightValues, [1, 2, 0, 3, 4]), bias },
  });
  return activated(use, result, config.activation);
};

/** [height, width, channels, multiplier] is [height, width, 1, channels * multiplier]: the filters of a channel are consecutive. */
function depthwise(
  use: LayerUse,
  x: Tensor,
  kernel: WeightValues,
  bias: WeightValues | undefined,
  part?: string,
): Tensor {
  const { builder } = use;
  const { window, strides, padding, dilation } = windowOf(use, 2, 'kernel_size');
  const [height = 0, width = 0, channels = 0, multiplier = 0] = kernel.shape;
  const filters = channels * multiplier;
  return builder.add({
    ...{ op: 'conv2d', inputs: [x], layer: use.identity('conv2d', part) },
    attributes: {
      ...{ filters, kernelSize: window, strides, padding, dilation },
      ...{ groups: channels, useBias: bias !== undefined },
    },
    weights: { kernel: { shape: [height, width, 1, filters], values: kernel.values }, bias },
  });
}

/** @param role of its kernel, which differs between Keras 3 and TensorFlow.js */
const depthwiseConv2d: LayerReader = (use) => {
  const { config, inputs } = use;
  const { image } = imageOf(use, inputs[0], 2);
  // By number in a file of Keras, by name in one of TensorFlow.js.
  const [kernel, bias] = use.weights(['depthwise_kernel', config.use_bias !== false && 'bias']);
  return activated(use, depthwise(use, image, kernel as WeightValues, bias), config.activation);
};

const separableConv2d: LayerReader = (use) => {
  const { builder, config, inputs } = use;
  const { image } = imageOf(use, inputs[0], 2);
  const useBias = config.use_bias !== false;
  const [deep, point, bias] = use.weights(['depthwise_kernel', 'pointwise_kernel', useBias && 'bias']);
  const result = builder.add({
    ...{ op: 'conv2d', layer: use.identity('conv2d') },
    inputs: [depthwise(use, image, deep as WeightValues, undefined, 'depthwise')],
    attributes: {
      ...{ filters: numberOf(config, 'filters'), kernelSize: [1, 1], strides: [1, 1], padding: 'valid' },
      ...{ dilation: [1, 1], groups: 1, useBias },
    },
    weights: { kernel: point, bias },
  });
  return activated(use, result, config.activation);
};

const conv2dTranspose: LayerReader = (use) => {
  const { builder, config, inputs } = use;
  expect(config, 'output_padding', undefined);
  const { image } = imageOf(use, inputs[0], 2);
  const { window, strides, padding, dilation } = windowOf(use, 2, 'kernel_size');
  if (dilation.some((size) => size !== 1)) throw new Untranslatable('a dilation');
  const useBias = config.use_bias !== false;
  const [kernel, bias] = use.weights(['kernel', useBias && 'bias']);
  const result = builder.add({
    ...{ op: 'conv2dTranspose', inputs: [image], layer: use.identity('conv2dTranspose') },
    attributes: {
      filters: numberOf(config, 'filters'),
      kernelSize: window,
      strides,
      padding,
      dilation,
      useBias,
    },
    weights: { kernel, bias },
  });
  return activated(use, result, config.activation);
};

const pooling =
  (op: 'maxPool' | 'averagePool', rank: number): LayerReader =>
  (use) => {
    const { image, back } = imageOf(use, use.inputs[0], rank);
    const { window, strides, padding } = windowOf(use, rank, 'pool_size');
    return back(use.builder.add({ op, inputs: [image], attributes: { poolSize: window, strides, padding } }));
  };

const globalPooling =
  (op: 'maxPool' | 'averagePool', rank: number): LayerReader =>
  (use) => {
    const { builder, config, inputs } = use;
    const { image } = imageOf(use, inputs[0], rank);
    const poolSize = image.shape.slice(0, 2);
    const attributes = { poolSize, strides: [1, 1], padding: 'valid' };
    const pooled = builder.add({ op, inputs: [image], attributes });
    const channels = image.shape[2] as number;
    const sizes = Array.from({ length: rank }, () => 1);
    return builder.reshape(pooled, config.keepdims === true ? [...sizes, channels] : [channels]);
  };

/** Numbers before and after each axis: one for all, one for each axis, or two for each. */
function sidesOf({ config }: LayerUse, name: string, rank: number): { before: number; after: number }[] {
  const value = config[name];
  const list = Array.isArray(value) && (rank > 1 || Array.isArray(value[0])) ? value : [value];
  const axes = list.length === 1 && rank > 1 ? Array.from({ length: rank }, () => list[0]) : list;
  const sides = axes.map((entry) => (Array.isArray(entry) ? entry : [entry, entry]));
  if (sides.length !== rank || !sides.flat().every((size) => Number.isInteger(size) && size >= 0))
    throw new Untranslatable(`${name} ${JSON.stringify(value)}`);
  return sides.map(([before, after]) => ({ before, after: after ?? before }));
}

const cropping =
  (rank: number): LayerReader =>
  (use) => {
    expect(use.config, 'data_format', 'channels_last');
    return sidesOf(use, 'cropping', rank).reduce(
      (x, { before, after }, axis) => use.builder.sliced(x, axis, before, (x.shape[axis] as number) - after),
      use.inputs[0],
    );
  };

const zeroPadding =
  (rank: number): LayerReader =>
  (use) => {
    expect(use.config, 'data_format', 'channels_last');
    return use.builder.surrounded(use.inputs[0], sidesOf(use, 'padding', rank), 0);
  };

const upSampling =
  (rank: number): LayerReader =>
  (use) => {
    const { builder, config, inputs } = use;
    expect(config, 'data_format', 'channels_last');
    expect(config, 'interpolation', 'nearest');
    return numbersOf(config, 'size', rank).reduce((x, times, axis) => {
      if (times === 1) return x;
      const grown = builder.add({ op: 'repeat', inputs: [x], attributes: { axis: axis + 1, times } });
      return builder.reshape(
        grown,
        x.shape.map((size, at) => (at === axis ? size * times : size)),
      );
    }, inputs[0]);
  };

export const WINDOW_LAYERS: Readonly<Record<string, LayerReader>> = {
  Conv1D: convolution(1),
  Conv2D: convolution(2),
  Conv3D: conv3d,
  DepthwiseConv2D: depthwiseConv2d,
  SeparableConv2D: separableConv2d,
  Conv2DTranspose: conv2dTranspose,
  MaxPooling1D: pooling('maxPool', 1),
  MaxPooling2D: pooling('maxPool', 2),
  AveragePooling1D: pooling('averagePool', 1),
  AveragePooling2D: pooling('averagePool', 2),
  GlobalMaxPooling1D: globalPooling('maxPool', 1),
  GlobalMaxPooling2D: globalPooling('maxPool', 2),
  GlobalAveragePooling1D: globalPooling('averagePool', 1),
  GlobalAveragePooling2D: globalPooling('averagePool', 2),
  Cropping1D: cropping(1),
  Cropping2D: cropping(2),
  ZeroPadding1D: zeroPadding(1),
  ZeroPadding2D: zeroPadding(2),
  UpSampling1D: upSampling(1),
  UpSampling2D: upSampling(2),
};
