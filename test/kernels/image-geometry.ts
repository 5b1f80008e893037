import type { ConvolutionGeometry } from './reference-convolutions.js';

/** The arguments of a convolution kernel, with the same padding below as above and right as left. */
export function geometryOf(
  shape: readonly [number, number, number, number, number],
  [kernelHeight, kernelWidth]: readonly [number, number],
  [strideY, strideX]: readonly [number, number] = [1, 1],
  [padTop, padLeft]: readonly [number, number] = [0, 0],
  [dilationY, dilationX]: readonly [number, number] = [1, 1],
  groups = 1,
): ConvolutionGeometry {
  const [rows, height, width, inputs, outputs] = shape;
  const results = (pixels: number, taps: number, stride: number, pad: number, dilation: number) =>
    Math.floor((pixels + 2 * pad - (taps - 1) * dilation - 1) / stride) + 1;
  return {
    ...{ rows, height, width, inputs, outputs, kernelHeight, kernelWidth },
    outHeight: results(height, kernelHeight, strideY, padTop, dilationY),
    outWidth: results(width, kernelWidth, strideX, padLeft, dilationX),
    ...{ strideY, strideX, padTop, padLeft, dilationY, dilationX, groups },
  };
}
