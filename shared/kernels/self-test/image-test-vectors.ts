import { input, output, type Size } from './test-vector.js';

/** One of two geometries: odd `rows` give strides, dilation, and windows with gaps between them. */
function imageOf({ rows, inner, cols }: Size) {
  const odd = rows % 2;
  const image = { rows: 1 + (rows % 4), height: 5, width: 7 };
  const steps = { strideY: 1 + odd, strideX: 1 + 2 * odd, padTop: 1, padLeft: odd };
  return { image, steps, inputs: 1 + (inner % 18), outputs: cols, isOdd: odd === 1 };
}

/** Number of results along one axis, with the same padding on both sides. */
function results(pixels: number, taps: number, stride: number, pad: number, dilation: number): number {
  return Math.floor((pixels + 2 * pad - (taps - 1) * dilation - 1) / stride) + 1;
}

function convolutionOf(size: Size) {
  const { image, steps, inputs, outputs, isOdd } = imageOf(size);
  const [kernelHeight, kernelWidth, dilationY, dilationX] = isOdd ? [2, 3, 3, 1] : [3, 2, 1, 2];
  const outHeight = results(image.height, kernelHeight, steps.strideY, steps.padTop, dilationY);
  const outWidth = results(image.width, kernelWidth, steps.strideX, steps.padLeft, dilationX);
  const groups = inputs % 2 === 0 && outputs % 2 === 0 ? 2 : 1;
  return {
    xWords: image.rows * image.height * image.width * inputs,
    yWords: image.rows * outHeight * outWidth * outputs,
    wWords: (kernelHeight * kernelWidth * inputs * outputs) / groups,
    bias: (words: number) => (isOdd ? input(words) : (0 as const)),
    activation: isOdd ? 1 : 0,
    args: {
      ...image,
      inputs,
      outHeight,
      outWidth,
      outputs,
      kernelHeight,
      kernelWidth,
      ...steps,
      dilationY,
      dilationX,
      groups,
    },
  };
}

function poolOf(size: Size) {
  const { image, steps, outputs: channels, isOdd } = imageOf(size);
  const [poolHeight, poolWidth] = [3, 2];
  const outHeight = results(image.height, poolHeight, steps.strideY, steps.padTop, 1);
  const outWidth = results(image.width, poolWidth, steps.strideX, steps.padLeft, 1);
  return {
    xWords: image.rows * image.height * image.width * channels,
    yWords: image.rows * outHeight * outWidth * channels,
    activation: isOdd ? 1 : 0,
    args: { ...image, channels, outHeight, outWidth, poolHeight, poolWidth, ...steps },
  };
}

/** Test vectors of convolutions and pooling. */
export const IMAGE_TEST_VECTORS = {
  convolution: (size: Size) => {
    const { xWords, yWords, wWords, bias, activation, args } = convolutionOf(size);
    const buffers = { x: input(xWords), w: input(wWords), bias: bias(args.outputs), y: output(yWords) };
    return { ...buffers, ...args, activation };
  },
  convolutionTransposed: (size: Size) => {
    const { xWords, yWords, wWords, bias, activation, args } = convolutionOf(size);
    const buffers = { y: input(yWords), w: input(wWords), bias: bias(args.inputs), x: output(xWords) };
    return { ...buffers, ...args, activation };
  },
  treeConvolutionWeights: (size: Size) => {
    const { xWords, yWords, wWords, args } = convolutionOf(size);
    return { x: input(xWords), dy: input(yWords), dw: output(wWords), ...args, leafRows: 1 };
  },
  maxPoolForward: (size: Size) => {
    const { xWords, yWords, args } = poolOf(size);
    return { x: input(xWords), y: output(yWords), ...args };
  },
  maxPoolBackward: (size: Size) => {
    const { xWords, yWords, args, activation } = poolOf(size);
    // Only four different numbers: many elements equal the given maximum, several of them in one window.
    const given = { x: input(xWords, 'digit'), y: input(yWords, 'digit') };
    return { ...given, dy: input(yWords), dx: output(xWords), ...args, activation };
  },
  averagePoolForward: (size: Size) => {
    const { xWords, yWords, args } = poolOf(size);
    return { x: input(xWords), y: output(yWords), ...args };
  },
  averagePoolBackward: (size: Size) => {
    const { xWords, yWords, args } = poolOf(size);
    return { dy: input(yWords), dx: output(xWords), ...args };
  },
} as const;
