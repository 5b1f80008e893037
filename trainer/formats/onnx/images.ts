/*
 * Ops on images and volumes. ONNX has channels before height and width.
 */
import type { Conv3dAttributes } from '../../../shared/graph/ops/conv3d.js';
import type { WindowSettings } from '../../../shared/graph/ops/image.js';
import type { Shape } from '../../../shared/graph/shape.js';
import { reordered } from '../reordered.js';
import { transposedSides, volumeSides, windowSides } from '../window-sides.js';
import type { GraphWriter, Name } from './graph-writer.js';
import { constant, type NodeUse, needed, type OpWriter } from './node-use.js';

const CHANNELS_FIRST = [0, 3, 1, 2];
const CHANNELS_LAST = [0, 2, 3, 1];
const CHANNELS_FIRST_3D = [0, 4, 1, 2, 3];
const CHANNELS_LAST_3D = [0, 2, 3, 4, 1];

interface ConvolutionAttributes {
  readonly kernelSize: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: 'valid' | 'same';
  readonly dilation: readonly [number, number];
  readonly groups?: number;
}

/** Padding on all sides, top left bottom right, for windows on an image. */
function padsOf(name: string, input: Shape, settings: WindowSettings): number[] {
  const sides = windowSides(name, input, settings);
  return [...sides.map(({ before }) => before), ...sides.map(({ after }) => after)];
}

export const conv2d: OpWriter = (to, use) => {
  const { node, inputs } = use;
  const { name } = node;
  const attributes = node.attributes as ConvolutionAttributes;
  const { kernelSize, strides, padding, dilation, groups = 1 } = attributes;
  const settings = { window: kernelSize, strides, padding, dilation };
  return convolved(to, use, 'Conv', [3, 2, 0, 1], {
    ...{ kernel_shape: kernelSize, strides, dilations: dilation, group: groups },
    pads: padsOf(name, node.inputShapes[0], settings),
  })(inputs[0]);
};

export const conv2dTranspose: OpWriter = (to, use) => {
  const { node, inputs } = use;
  const { kernelSize, strides, padding, dilation } = node.attributes as ConvolutionAttributes;
  const settings = { window: kernelSize, strides, padding, dilation };
  const sides = transposedSides(node.name, node.inputShapes[0], node.shape, settings);
  return convolved(to, use, 'ConvTranspose', [3, 2, 0, 1], {
    ...{ kernel_shape: kernelSize, strides, dilations: dilation },
    pads: [...sides.map(({ before }) => before), ...sides.map(({ after }) => after)],
    output_padding: sides.map(({ more }) => more),
  })(inputs[0]);
};

export const conv3d: OpWriter = (to, use) => {
  const { node, inputs } = use;
  const attributes = node.attributes as Conv3dAttributes;
  const sides = volumeSides(node.name, node.inputShapes[0], attributes);
  return convolved(to, use, 'Conv', [4, 3, 2, 0, 1], {
    kernel_shape: attributes.kernelSize,
    strides: attributes.strides,
    dilations: attributes.dilation,
    group: attributes.groups ?? 1,
    pads: [...sides.map(({ before }) => before), ...sides.map(({ after }) => after)],
  })(inputs[0]);
};

/** A convolution between two changes of the order of axes. @param order axes of the kernel as ONNX has them */
function convolved(
  to: GraphWriter,
  use: NodeUse,
  op: string,
  order: readonly number[],
  attributes: Parameters<GraphWriter['add']>[3],
): (x: Name) => Name {
  const { name } = use.node;
  const kernel = needed(use, 'kernel');
  const shape = order.map((axis) => kernel.shape[axis] as number);
  const weights = to.floats(`${kernel.name}:${op}`, shape, reordered(kernel.values, kernel.shape, order));
  const bias = use.weight('bias');
  const operands = bias === undefined ? [weights] : [weights, constant(to, bias)];
  const [first, last] =
    order.length === 5 ? [CHANNELS_FIRST_3D, CHANNELS_LAST_3D] : [CHANNELS_FIRST, CHANNELS_LAST];
  return (x) => {
    const result = to.add(op, name, [to.transpose(name, x, first), ...operands], attributes);
    return to.transpose(name, result, last);
  };
}

const pooled =
  (op: string, more = {}): OpWriter =>
  (to, { node, inputs }) => {
    const { poolSize, strides, padding } = node.attributes as {
      poolSize: readonly [number, number];
      strides: readonly [number, number];
      padding: 'valid' | 'same';
    };
    const settings = { window: poolSize, strides, padding, dilation: [1, 1] } as const;
    const attributes = {
      kernel_shape: poolSize,
      strides,
      pads: padsOf(node.name, node.inputShapes[0], settings),
    };
    const x = to.transpose(node.name, inputs[0], CHANNELS_FIRST);
    return to.transpose(node.name, to.add(op, node.name, [x], { ...attributes, ...more }), CHANNELS_LAST);
  };

export const maxPool = pooled('MaxPool');
/** Pixels outside of the image do not count. */
export const averagePool = pooled('AveragePool', { count_include_pad: 0 });
