/*
 * conv3d:  y[oz, oy, ox, o] = sum over (ky, kx, kz, i) of x[iz, iy, ix, i] w[ky, kx, kz, i, o] + b[o]
 *
 *     iz = oz * stride - pad + kz * dilation, iy and ix likewise; taps outside of the volume are skipped
 *     dx[iz, iy, ix, i] = sum over (oz, oy, ox, o) of dy[oz, oy, ox, o] w[ky, kx, kz, i, o]
 *     dw[ky, kx, kz, i, o] = sum over samples and (oz, oy, ox) of x[iz, iy, ix, i] dy[oz, oy, ox, o]      db = sum of dy
 *
 * x [depth, height, width, inputs]   w [kernel height, kernel width, kernel depth, inputs / groups, filters]   b [filters].
 * Channels and filters are split into groups, and the filters of a group read only its channels.
 *
 * It is conv2d over the slices of the result: u[oz, iy, ix, (g, kz, i)] = x[iz, iy, ix, (g, i)] has the depth that a slice reads as
 * channels, so that one product sums over all taps of a group g. w has the axes in this order for the same reason.
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { formatShape, type Shape } from '../shape.js';
import { Padding, placeAxis, placeWindow } from './image.js';
import { type KernelOp, type KernelSink, type OpUse, Size } from './op.js';

const Triple = v.tuple([Size, Size, Size]);

const Conv3dAttributes = v.strictObject({
  filters: Size,
  kernelSize: Triple,
  strides: Triple,
  padding: Padding,
  dilation: Triple,
  /** Absent: 1. */
  groups: v.optional(Size),
  useBias: v.boolean(),
});
export type Conv3dAttributes = v.InferOutput<typeof Conv3dAttributes>;

const NO_ACTIVATION = 0;

export const conv3dOp: KernelOp<Conv3dAttributes, 'kernel' | 'bias'> = {
  kind: 'kernel',
  attributes: Conv3dAttributes,
  arity: { min: 1, max: 1 },
  roles: ['kernel', 'bias'],
  parameters({ name, inputs: [input], attributes: { filters, kernelSize, groups = 1, useBias } }) {
    const [depth, height, width] = kernelSize;
    const kernel = [height, width, depth, volumeOf(name, input).channels / groups, filters];
    return useBias ? { kernel, bias: [filters] } : { kernel };
  },
  shape(use) {
    const { slices, image } = geometryOf(use);
    return [slices.results, image.outHeight, image.outWidth, image.outputs];
  },
  // u, its error term, and the part of that for one tap.
  saved: (use) => {
    const { slices, taps, plane } = geometryOf(use);
    const part = slices.results * plane;
    return [part * taps, part * taps, part];
  },
  backwardReads: { inputs: false, output: false },
  errorTerm: 'emitted',

  forward(to, { rows, inputs, attributes, weights, x, y, saved: [u = 0] }) {
    const geometry = geometryOf({ name: '', inputs, attributes });
    const { slices, taps, plane, channels, groups, image } = geometry;
    if (slices.isPadded) to.emit('fill', { out: u, n: rows * slices.results * plane * taps, value: 0 });
    eachRun(rows, geometry, ({ tap, inVolume, inSlices, count }) => {
      const width = channels / groups;
      for (let group = 0; group < groups; group++)
        to.emit('copyRows', {
          a: x[0] + 4 * (inVolume * plane + group * width),
          out: u + 4 * (inSlices * plane * taps + (group * taps + tap) * width),
          ...{ rows: (count * plane) / channels, width, aPitch: channels, outPitch: channels * taps },
        });
    });
    const operands = { x: u, w: weights.kernel, bias: weights.bias, y, rows: rows * slices.results };
    to.emit('convolution', { ...operands, ...image, activation: NO_ACTIVATION });
  },

  backward(to, { rows, inputs, attributes, weights, dy, dx: [dx], saved: [, du = 0, part = 0] }) {
    const geometry = geometryOf({ name: '', inputs, attributes });
    const { slices, depth, plane, image } = geometry;
    const operands = { y: dy, w: weights.kernel, bias: 0, x: du, rows: rows * slices.results };
    to.emit('convolutionTransposed', { ...operands, ...image, activation: NO_ACTIVATION });
    to.emit('fill', { out: dx, n: rows * depth * plane, value: 0 });
    let copied = -1;
    eachRun(rows, geometry, ({ tap, inVolume, inSlices, count }) => {
      if (tap !== copied) emitPart(to, { du, part, tap, rows }, geometry);
      copied = tap;
      const at = dx + 4 * inVolume * plane;
      to.emit('addVectors', { out: at, a: at, b: part + 4 * inSlices * plane, n: count * plane });
    });
  },

  parameterGradients(to, { rows, leafRows, inputs, attributes, dy, gradients, saved: [u = 0] }) {
    const { slices, image } = geometryOf({ name: '', inputs, attributes });
    const { kernel, bias } = gradients;
    // The slices of a sample stay together: a leaf is that of its samples.
    const sizes = { rows: rows * slices.results, leafRows: leafRows * slices.results };
    if (kernel !== 0) to.emit('treeConvolutionWeights', { x: u, dy, dw: kernel, ...sizes, ...image });
    if (bias !== 0) {
      const pixels = image.outHeight * image.outWidth;
      const sums = { rows: sizes.rows * pixels, n: attributes.filters, leafRows: sizes.leafRows * pixels };
      to.emit('treeSumRows', { a: dy, out: bias, ...sums });
    }
  },
};

/** Consecutive slices of the result that read consecutive slices of a volume with a tap. */
interface Run {
  readonly tap: number;
  /** The first slice of the input, and of the result, counted over all rows. */
  readonly inVolume: number;
  readonly inSlices: number;
  readonly count: number;
}

/** Calls back for every run, tap by tap. */
function eachRun(rows: number, { depth, taps, slices }: Geometry, visit: (run: Run) => void): void {
  const { results, stride, pad, dilation } = slices;
  for (let tap = 0; tap < taps; tap++) {
    const shift = tap * dilation - pad;
    const first = Math.max(0, Math.ceil(-shift / stride));
    const end = Math.min(results, Math.floor((depth - 1 - shift) / stride) + 1);
    const count = stride === 1 ? end - first : 1;
    for (let row = 0; row < rows; row++)
      for (let slice = first; slice < end; slice += count)
        visit({
          tap,
          inVolume: row * depth + slice * stride + shift,
          inSlices: row * results + slice,
          count,
        });
  }
}

/** Emits: the error term of what one tap reads, without those of other taps. */
function emitPart(
  to: KernelSink,
  { du, part, tap, rows }: { du: number; part: number; tap: number; rows: number },
  { slices, taps, plane, channels, groups }: Geometry,
): void {
  const width = channels / groups;
  for (let group = 0; group < groups; group++)
    to.emit('copyRows', {
      ...{ a: du + 4 * (group * taps + tap) * width, out: part + 4 * group * width },
      rows: (rows * slices.results * plane) / channels,
      ...{ width, aPitch: channels * taps, outPitch: channels },
    });
}

type Geometry = ReturnType<typeof geometryOf>;

function geometryOf({ name, inputs: [input], attributes }: OpUse<Conv3dAttributes>) {
  const { filters, kernelSize, strides, padding, dilation, groups = 1 } = attributes;
  const { depth, size, channels } = volumeOf(name, input);
  if (channels % groups !== 0 || filters % groups !== 0)
    throw new UserError(
      `layer ${name}: ${channels} channels and ${filters} filters cannot both be split into ${groups} groups; use a number that ` +
        'divides both',
    );
  const [taps, kernelHeight, kernelWidth] = kernelSize;
  const along = placeAxis(depth, { taps, stride: strides[0], padding, dilation: dilation[0] });
  if (along.results < 1)
    throw new UserError(
      `layer ${name}: its window of depth ${along.extent} does not fit a volume of depth ${depth}; use padding 'same' or a ` +
        'smaller window',
    );
  const { results, pad } = placeWindow(name, size, {
    ...{ window: [kernelHeight, kernelWidth], strides: [strides[1], strides[2]], padding },
    dilation: [dilation[1], dilation[2]],
  });
  const reached = (along.results - 1) * strides[0] + along.extent - along.pad;
  return {
    depth,
    channels,
    groups,
    taps,
    /** Floats of a slice of the input. */
    plane: size[0] * size[1] * channels,
    slices: {
      ...{ results: along.results, stride: strides[0], pad: along.pad, dilation: dilation[0] },
      isPadded: along.pad > 0 || reached > depth,
    },
    /** The arguments of the kernels of conv2d except the tensors and their rows. */
    image: {
      height: size[0],
      width: size[1],
      inputs: channels * taps,
      outHeight: results[0],
      outWidth: results[1],
      outputs: filters,
      kernelHeight,
      kernelWidth,
      strideY: strides[1],
      strideX: strides[2],
      padTop: pad[0],
      padLeft: pad[1],
      dilationY: dilation[1],
      dilationX: dilation[2],
      groups,
    },
  };
}

/**
 * The axes of a volume.
 * @throws UserError when the input of the layer `name` is none
 */
export function volumeOf(
  name: string,
  input: Shape,
): { readonly depth: number; readonly size: readonly [number, number]; readonly channels: number } {
  const [depth, height, width, channels] = input;
  if (
    input.length !== 4 ||
    depth === undefined ||
    height === undefined ||
    width === undefined ||
    channels === undefined
  )
    throw new UserError(
      `layer ${name}: an input of shape ${formatShape(input)} is not a volume [depth, height, width, channels]; reshape it, ` +
        'to one channel if it has no channels',
    );
  return { depth, size: [height, width], channels };
}
