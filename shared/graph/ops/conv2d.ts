/*
 * conv2d:  y[oy, ox, o] = sum over (ky, kx, i) of x[iy, ix, i] w[ky, kx, i, o] + b[o]
 *
 *     iy = oy * stride - pad + ky * dilation, ix likewise; taps outside of the image are skipped
 *     dx[iy, ix, i] = sum over (oy, ox, o) of dy[oy, ox, o] w[ky, kx, i, o]
 *     dw[ky, kx, i, o] = sum over samples and (oy, ox) of x[iy, ix, i] dy[oy, ox, o]      db = sum of dy
 *
 * x [height, width, inputs]   w [kernel height, kernel width, inputs / groups, filters]   b [filters]. Channels and filters
 * are split into groups, and the filters of a group read only its channels.
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { imageOf, Padding, Pair, placeWindow } from './image.js';
import { type KernelOp, type OpUse, Size } from './op.js';

const Conv2dAttributes = v.strictObject({
  filters: Size,
  kernelSize: Pair,
  strides: Pair,
  padding: Padding,
  dilation: Pair,
  groups: Size,
  useBias: v.boolean(),
});
export type Conv2dAttributes = v.InferOutput<typeof Conv2dAttributes>;

const NO_ACTIVATION = 0;

export const conv2dOp: KernelOp<Conv2dAttributes, 'kernel' | 'bias'> = {
  kind: 'kernel',
  attributes: Conv2dAttributes,
  arity: { min: 1, max: 1 },
  roles: ['kernel', 'bias'],
  parameters({ name, inputs: [input], attributes: { filters, kernelSize, groups, useBias } }) {
    const kernel = [...kernelSize, imageOf(name, input).channels / groups, filters];
    return useBias ? { kernel, bias: [filters] } : { kernel };
  },
  shape(use) {
    const { filters, groups } = use.attributes;
    const { channels } = imageOf(use.name, use.inputs[0]);
    if (channels % groups !== 0 || filters % groups !== 0) {
      throw new UserError(
        `layer ${use.name}: ${channels} channels and ${filters} filters cannot both be split into ${groups} groups; ` +
          'choose a number that divides both',
      );
    }
    const { outHeight, outWidth } = geometryOf(use);
    return [outHeight, outWidth, filters];
  },
  backwardReads: { inputs: true, output: false },
  errorTerm: 'emitted',

  forward(to, { rows, inputs, attributes, weights, x, y }) {
    const geometry = { rows, ...geometryOf({ name: '', inputs, attributes }) };
    const operands = { x: x[0], w: weights.kernel, bias: weights.bias, y };
    to.emit('convolution', { ...operands, ...geometry, activation: NO_ACTIVATION });
  },

  backward(to, { rows, inputs, attributes, weights, dy, dx }) {
    const geometry = { rows, ...geometryOf({ name: '', inputs, attributes }) };
    const operands = { y: dy, w: weights.kernel, bias: 0, x: dx[0] };
    to.emit('convolutionTransposed', { ...operands, ...geometry, activation: NO_ACTIVATION });
  },

  parameterGradients(to, { rows, leafRows, inputs, attributes, x, dy, gradients }) {
    const geometry = geometryOf({ name: '', inputs, attributes });
    const { kernel, bias } = gradients;
    if (kernel !== 0) {
      to.emit('treeConvolutionWeights', { x: x[0], dy, dw: kernel, rows, ...geometry, leafRows });
    }
    if (bias !== 0) {
      const pixels = geometry.outHeight * geometry.outWidth;
      const sums = { rows: rows * pixels, n: attributes.filters, leafRows: leafRows * pixels };
      to.emit('treeSumRows', { a: dy, out: bias, ...sums });
    }
  },
};

/** The arguments of the kernels except the tensors and their rows. */
function geometryOf({ name, inputs: [input], attributes }: OpUse<Conv2dAttributes>) {
  const { filters, kernelSize, strides, padding, dilation, groups } = attributes;
  const { size, channels } = imageOf(name, input);
  const { results, pad } = placeWindow(name, size, { window: kernelSize, strides, padding, dilation });
  return {
    height: size[0],
    width: size[1],
    inputs: channels,
    outHeight: results[0],
    outWidth: results[1],
    outputs: filters,
    kernelHeight: kernelSize[0],
    kernelWidth: kernelSize[1],
    strideY: strides[0],
    strideX: strides[1],
    padTop: pad[0],
    padLeft: pad[1],
    dilationY: dilation[0],
    dilationX: dilation[1],
    groups,
  };
}
