/*
 * conv2dTranspose, the transposed mapping of a convolution, from its results to its image:
 *
 *     y[iy, ix, o] = sum over (oy, ox, i) of x[oy, ox, i] w[ky, kx, o, i] + b[o]      iy = oy * stride - pad + ky * dilation
 *     dx is the convolution of dy with w, dw the weight gradient of that convolution, db = sum of dy      (see conv2d)
 *
 * x [height, width, inputs]   w [kernel height, kernel width, filters, inputs]   b [filters]   y: an image for
 * which that convolution has results of the shape of x: the smallest one ('valid') or the one of height * stride rows ('same').
 */
import * as v from 'valibot';
import { imageOf, Padding, Pair, placeWindow } from './image.js';
import { type KernelOp, type OpUse, Size } from './op.js';

const Conv2dTransposeAttributes = v.strictObject({
  filters: Size,
  kernelSize: Pair,
  strides: Pair,
  padding: Padding,
  dilation: Pair,
  useBias: v.boolean(),
});
export type Conv2dTransposeAttributes = v.InferOutput<typeof Conv2dTransposeAttributes>;

const NO_ACTIVATION = 0;

export const conv2dTransposeOp: KernelOp<Conv2dTransposeAttributes, 'kernel' | 'bias'> = {
  kind: 'kernel',
  attributes: Conv2dTransposeAttributes,
  arity: { min: 1, max: 1 },
  roles: ['kernel', 'bias'],
  parameters({ name, inputs: [input], attributes: { filters, kernelSize, useBias } }) {
    const kernel = [...kernelSize, filters, imageOf(name, input).channels];
    return useBias ? { kernel, bias: [filters] } : { kernel };
  },
  shape(use) {
    const { height, width, inputs } = geometryOf(use);
    return [height, width, inputs];
  },
  backwardReads: { inputs: true, output: false },
  errorTerm: 'emitted',

  forward(to, { rows, inputs, attributes, weights, x, y }) {
    const geometry = { rows, ...geometryOf({ name: '', inputs, attributes }) };
    const operands = { y: x[0], w: weights.kernel, bias: weights.bias, x: y };
    to.emit('convolutionTransposed', { ...operands, ...geometry, activation: NO_ACTIVATION });
  },

  backward(to, { rows, inputs, attributes, weights, dy, dx }) {
    const geometry = { rows, ...geometryOf({ name: '', inputs, attributes }) };
    const operands = { x: dy, w: weights.kernel, bias: 0, y: dx[0] };
    to.emit('convolution', { ...operands, ...geometry, activation: NO_ACTIVATION });
  },

  parameterGradients(to, { rows, leafRows, inputs, attributes, x, dy, gradients }) {
    const geometry = geometryOf({ name: '', inputs, attributes });
    const { kernel, bias } = gradients;
    if (kernel !== 0) {
      to.emit('treeConvolutionWeights', { x: dy, dy: x[0], dw: kernel, rows, ...geometry, leafRows });
    }
    if (bias !== 0) {
      const pixels = geometry.height * geometry.width;
      const sums = { rows: rows * pixels, n: attributes.filters, leafRows: leafRows * pixels };
      to.emit('treeSumRows', { a: dy, out: bias, ...sums });
    }
  },
};

/** The arguments of the kernels for the convolution from y, the image, to x, the results. */
function geometryOf({ name, inputs: [input], attributes }: OpUse<Conv2dTransposeAttributes>) {
  const { filters, kernelSize, strides, padding, dilation } = attributes;
  const { size, channels } = imageOf(name, input);
  const sideOf = (axis: 0 | 1): number => {
    const extent = (kernelSize[axis] - 1) * dilation[axis] + 1;
    const more = padding === 'valid' ? Math.max(extent - strides[axis], 0) : 0;
    return size[axis] * strides[axis] + more;
  };
  const [height, width] = [sideOf(0), sideOf(1)];
  const { pad } = placeWindow(name, [height, width], { window: kernelSize, strides, padding, dilation });
  return {
    height,
    width,
    inputs: filters,
    outHeight: size[0],
    outWidth: size[1],
    outputs: channels,
    kernelHeight: kernelSize[0],
    kernelWidth: kernelSize[1],
    strideY: strides[0],
    strideX: strides[1],
    padTop: pad[0],
    padLeft: pad[1],
    dilationY: dilation[0],
    dilationX: dilation[1],
    groups: 1,
  };
}
