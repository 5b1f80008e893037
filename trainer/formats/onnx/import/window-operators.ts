/*
 * Convolutions and pooling. ONNX has channels before height and width; signals are images of one row.
 */
import type { Tensor } from '../../../../shared/graph/graph.js';
import {
  averagePooling3d,
  globalAveragePooling3d,
  globalMaxPooling3d,
  maxPooling3d,
} from '../../../../shared/graph/layers/pooling3d.js';
import { Untranslatable } from '../../untranslatable.js';
import { windowSides } from '../../window-sides.js';
import { type Constant, constantOf, tensorOf, type Value } from './operands.js';
import type { Operator, OperatorUse } from './operator.js';
import { rearranged, vector } from './weights.js';

/** Less than every number that a network computes. */
const LOWEST = -3.4e38;

/** The axes of a volume with its channels last. */
const VOLUME_ORDER = [0, 4, 1, 2, 3];

type Pair = readonly [number, number];
type Triple = readonly [number, number, number];

/** A tensor as an image with its channels last, and back. */
interface ImageOfTensor {
  readonly tensor: Tensor;
  /** The result with the number of axes that the operator has. */
  readonly back: (result: Tensor) => Value;
}

/** Signals are images of one row. */
function imageOf({ builder }: OperatorUse, x: Value): ImageOfTensor {
  const rank = x.order.length;
  if (rank === 4) {
    const order = [0, 3, 1, 2];
    return { tensor: builder.arranged(x, order), back: (tensor) => ({ tensor, order }) };
  }
  if (rank !== 3) throw new Untranslatable(`a tensor of ${rank} axes`);
  const order = [0, 2, 1];
  const signal = builder.arranged(x, order);
  return {
    tensor: builder.reshape(signal, [1, ...signal.shape]),
    back: (tensor) => ({ tensor: builder.reshape(tensor, tensor.shape.slice(1)), order }),
  };
}

/** Numbers for height and width. */
function pairOf({ attribute }: OperatorUse, name: string, none: number, rank: number): Pair {
  const given =
    (attribute(name) as readonly number[] | undefined) ?? Array.from({ length: rank }, () => none);
  return (rank === 1 ? [none === 0 ? 0 : 1, given[0] as number] : given) as unknown as Pair;
}

/** Padding as the network has it, and the image with what must be added before. */
function placed(
  use: OperatorUse,
  x: Tensor,
  windows: { readonly window: Pair; readonly strides: Pair; readonly dilation: Pair },
  filler: number | undefined,
): { readonly x: Tensor; readonly padding: 'valid' | 'same' } {
  const { attribute } = use;
  const auto = (attribute('auto_pad') as string | undefined) ?? 'NOTSET';
  if (auto === 'SAME_UPPER') return { x, padding: 'same' };
  if (auto === 'SAME_LOWER') throw new Untranslatable('auto_pad SAME_LOWER');
  const given = (attribute('pads') as readonly number[] | undefined) ?? [];
  const pads = given.length === 2 ? [0, given[0], 0, given[1]] : given;
  const sides = [0, 1].map((axis) => ({
    before: auto === 'VALID' ? 0 : (pads[axis] ?? 0),
    after: auto === 'VALID' ? 0 : (pads[axis + 2] ?? 0),
  })) as [{ before: number; after: number }, { before: number; after: number }];
  if (attribute('ceil_mode') === 1) checkWholeWindows(x, windows, sides);
  if (sides.every(({ before, after }) => before === 0 && after === 0)) return { x, padding: 'valid' };
  const same = windowSides('window', x.shape, { ...windows, padding: 'same' });
  if (sides.every(({ before, after }, i) => before === same[i]?.before && after === same[i]?.after))
    return { x, padding: 'same' };
  if (filler === undefined) throw new Untranslatable(`pads [${given.join(', ')}] that do not count`);
  return { x: use.builder.surrounded(x, sides, filler), padding: 'valid' };
}

/** @throws Untranslatable when a window would reach beyond the image */
function checkWholeWindows(
  x: Tensor,
  { window, strides, dilation }: { readonly window: Pair; readonly strides: Pair; readonly dilation: Pair },
  sides: readonly { readonly before: number; readonly after: number }[],
): void {
  for (const axis of [0, 1] as const) {
    const { before, after } = sides[axis] as { before: number; after: number };
    const free = (x.shape[axis] as number) + before + after - (window[axis] - 1) * dilation[axis] - 1;
    if (free % strides[axis] !== 0) throw new Untranslatable('ceil_mode with windows beyond the image');
  }
}

/** A convolution of volumes. */
const conv3d: Operator = (use) => {
  const { builder, inputs, attribute } = use;
  const weight = constantOf(inputs[1], 'kernel');
  const bias = inputs[2] && constantOf(inputs[2], 'bias');
  const groups = (attribute('group') as number | undefined) ?? 1;
  if ((attribute('auto_pad') ?? 'NOTSET') !== 'NOTSET') throw new Untranslatable('auto_pad of a volume');
  const [filters = 0, channels = 0, ...kernelSize] = weight.shape;
  const [depth = 0, height = 0, width = 0] = kernelSize;
  const pads = (attribute('pads') as readonly number[] | undefined) ?? [0, 0, 0, 0, 0, 0];
  const sides = [0, 1, 2].map((axis) => ({ before: pads[axis] as number, after: pads[axis + 3] as number }));
  const volume = builder.arranged(tensorOf(inputs[0]), VOLUME_ORDER);
  const isPadded = pads.some((size) => size !== 0);
  const tensor = builder.add({
    op: 'conv3d',
    inputs: [isPadded ? builder.surrounded(volume, sides, 0) : volume],
    attributes: {
      ...{ filters, kernelSize, padding: 'valid', useBias: bias !== undefined },
      strides: attribute('strides') ?? [1, 1, 1],
      dilation: attribute('dilations') ?? [1, 1, 1],
      ...(groups !== 1 && { groups }),
    },
    weights: {
      kernel: rearranged(weight, [3, 4, 2, 1, 0], [height, width, depth, channels, filters]),
      bias: bias && vector(bias),
    },
    after: weight.name,
  });
  return { tensor, order: VOLUME_ORDER };
};

/** Pooling of volumes. */
function poolVolumes(use: OperatorUse, op: 'maxPool' | 'averagePool'): Value {
  const { builder, inputs, attribute } = use;
  const triple = (name: string, none: number): readonly number[] =>
    (attribute(name) as readonly number[] | undefined) ?? [none, none, none];
  const [poolSize, strides] = [triple('kernel_shape', 1), triple('strides', 1)] as unknown as [
    Triple,
    Triple,
  ];
  const volume = builder.arranged(tensorOf(inputs[0]), VOLUME_ORDER);
  if (!['NOTSET', 'VALID'].includes((attribute('auto_pad') as string | undefined) ?? 'NOTSET'))
    throw new Untranslatable('auto_pad of a volume');
  if (triple('dilations', 1).some((size) => size !== 1)) throw new Untranslatable('dilations other than 1');
  if (op === 'maxPool' && use.isRead(1)) throw new Untranslatable('the output Indices');
  const pads = (attribute('pads') as readonly number[] | undefined) ?? [0, 0, 0, 0, 0, 0];
  const sides = [0, 1, 2].map((axis) => ({ before: pads[axis] as number, after: pads[axis + 3] as number }));
  const isPadded = pads.some((size) => size !== 0);
  if (isPadded && op === 'averagePool' && attribute('count_include_pad') !== 1)
    throw new Untranslatable(`pads [${pads.join(', ')}] that do not count`);
  const whole = isPadded ? builder.surrounded(volume, sides, op === 'maxPool' ? LOWEST : 0) : volume;
  const isCut = poolSize.some(
    (size, axis) => ((whole.shape[axis] as number) - size) % (strides[axis] as number) !== 0,
  );
  if (attribute('ceil_mode') === 1 && isCut)
    throw new Untranslatable('ceil_mode with windows beyond the volume');
  const layer = op === 'maxPool' ? maxPooling3d : averagePooling3d;
  return { tensor: layer({ poolSize, strides })(whole), order: VOLUME_ORDER };
}

const conv: Operator = (use) => {
  const { builder, inputs, attribute } = use;
  const weight = constantOf(inputs[1], 'kernel');
  const bias = inputs[2] && constantOf(inputs[2], 'bias');
  const rank = weight.shape.length - 2;
  if (rank === 3) return conv3d(use);
  const { tensor, back } = imageOf(use, tensorOf(inputs[0]));
  const [filters = 0, channels = 0, ...sizes] = weight.shape;
  const kernelSize = (rank === 1 ? [1, ...sizes] : sizes) as unknown as Pair;
  const strides = pairOf(use, 'strides', 1, rank);
  const dilation = pairOf(use, 'dilations', 1, rank);
  const { x, padding } = placed(use, tensor, { window: kernelSize, strides, dilation }, 0);
  const image: Constant = { ...weight, shape: [filters, channels, ...kernelSize] };
  const result = builder.add({
    op: 'conv2d',
    inputs: [x],
    attributes: {
      ...{ filters, kernelSize, strides, padding, dilation, useBias: bias !== undefined },
      groups: (attribute('group') as number | undefined) ?? 1,
    },
    weights: {
      kernel: rearranged(image, [2, 3, 1, 0], [...kernelSize, channels, filters]),
      bias: bias && vector(bias),
    },
    after: weight.name,
  });
  return back(result);
};

const convTranspose: Operator = (use) => {
  const { builder, inputs, attribute } = use;
  const weight = constantOf(inputs[1], 'kernel');
  const bias = inputs[2] && constantOf(inputs[2], 'bias');
  if (weight.shape.length !== 4 || (attribute('group') ?? 1) !== 1 || attribute('output_shape') !== undefined)
    throw new Untranslatable('groups, signals or a given output_shape');
  const { tensor, back } = imageOf(use, tensorOf(inputs[0]));
  const [channels = 0, filters = 0, ...sizes] = weight.shape;
  const kernelSize = sizes as unknown as Pair;
  const strides = pairOf(use, 'strides', 1, 2);
  const dilation = pairOf(use, 'dilations', 1, 2);
  const pads = (attribute('pads') as readonly number[] | undefined) ?? [0, 0, 0, 0];
  const more = (attribute('output_padding') as readonly number[] | undefined) ?? [0, 0];
  if ((attribute('auto_pad') ?? 'NOTSET') !== 'NOTSET') throw new Untranslatable('auto_pad');
  // Where the image of ONNX ends, and how much of it lies beyond the image here: the kernel does not reach it, so it is the bias alone.
  const ends = [0, 1].map((axis) => {
    const before = ((tensor.shape[axis] as number) - 1) * (strides[axis] as number);
    const reached = before + ((kernelSize[axis] as number) - 1) * (dilation[axis] as number) + 1;
    return {
      end: reached + (more[axis] as number) - (pads[axis + 2] as number),
      own: Math.max(reached, before + (strides[axis] as number)),
    };
  });
  const sides = ends.map(({ end, own }) => ({ before: 0, after: Math.max(0, end - own) }));
  const isBeyond = sides.some(({ after }) => after > 0);
  const useBias = bias !== undefined && !isBeyond;
  const whole = builder.add({
    op: 'conv2dTranspose',
    inputs: [tensor],
    attributes: { filters, kernelSize, strides, padding: 'valid', dilation, useBias },
    weights: {
      kernel: rearranged(weight, [2, 3, 1, 0], [...kernelSize, filters, channels]),
      bias: useBias ? vector(bias) : undefined,
    },
    after: weight.name,
  });
  const cut = [0, 1].reduce((x, axis) => {
    const { end, own } = ends[axis] as { end: number; own: number };
    return builder.sliced(x, axis, pads[axis] as number, Math.min(end, own));
  }, whole);
  if (!isBeyond) return back(cut);
  const grown = builder.surrounded(cut, sides, 0);
  if (bias === undefined) return back(grown);
  return back(builder.perChannel(grown, { summands: vector(bias).values }, bias.name));
};

const pool =
  (op: 'maxPool' | 'averagePool'): Operator =>
  (use) => {
    const { builder, inputs, attribute } = use;
    const rank = (attribute('kernel_shape') as readonly number[]).length;
    if (rank === 3) return poolVolumes(use, op);
    const { tensor, back } = imageOf(use, tensorOf(inputs[0]));
    const poolSize = pairOf(use, 'kernel_shape', 1, rank);
    const strides = pairOf(use, 'strides', 1, rank);
    const dilation = pairOf(use, 'dilations', 1, rank);
    if (dilation.some((size) => size !== 1)) throw new Untranslatable('dilations other than 1');
    if (op === 'maxPool' && use.isRead(1)) throw new Untranslatable('the output Indices');
    const counts = op === 'averagePool' && attribute('count_include_pad') === 1;
    // Pixels outside of an image count as zeros, or not at all.
    const filler = op === 'maxPool' ? LOWEST : counts ? 0 : undefined;
    const windows = { window: poolSize, strides, dilation };
    const around = counts ? padsAround(use, tensor) : undefined;
    const { x, padding } = around ?? placed(use, tensor, windows, filler);
    return back(builder.add({ op, inputs: [x], attributes: { poolSize, strides, padding } }));
  };

/** The image with zeros that count; undefined where there are none. */
function padsAround(use: OperatorUse, x: Tensor): { x: Tensor; padding: 'valid' } | undefined {
  const given = (use.attribute('pads') as readonly number[] | undefined) ?? [];
  if (given.every((size) => size === 0)) return undefined;
  const pads = given.length === 2 ? [0, given[0] as number, 0, given[1] as number] : given;
  if (use.attribute('ceil_mode') === 1) throw new Untranslatable('ceil_mode with pads that count');
  const sides = [0, 1].map((axis) => ({ before: pads[axis] as number, after: pads[axis + 2] as number }));
  return { x: use.builder.surrounded(x, sides, 0), padding: 'valid' };
}

const globalPool =
  (op: 'maxPool' | 'averagePool'): Operator =>
  (use) => {
    const x = tensorOf(use.inputs[0]);
    if (x.order.length === 5) {
      const layer = op === 'maxPool' ? globalMaxPooling3d : globalAveragePooling3d;
      const pooled = layer()(use.builder.arranged(x, VOLUME_ORDER));
      const tensor = use.builder.reshape(pooled, [1, 1, 1, ...pooled.shape]);
      return { tensor, order: VOLUME_ORDER };
    }
    const { tensor, back } = imageOf(use, x);
    const size = tensor.shape.slice(0, 2);
    return back(
      use.builder.add({
        op,
        inputs: [tensor],
        attributes: { poolSize: size, strides: size, padding: 'valid' },
      }),
    );
  };

export const WINDOW_OPERATORS: Readonly<Record<string, Operator>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: pool('maxPool'),
  AveragePool: pool('averagePool'),
  GlobalMaxPool: globalPool('maxPool'),
  GlobalAveragePool: globalPool('averagePool'),
};
