import type { Layer, LayerIdentity } from '../graph.js';
import { applyActivation } from './activation.js';
import type { Conv2dOptions } from './conv2d.js';
import { pairOf, type Sides } from './sides.js';

/** As those of conv2d; groups there are none. */
export type Conv2dTransposeOptions = Omit<Conv2dOptions, 'groups'>;

/**
 * A transposed convolution, which makes images larger: [height, width, channels] to [height * strides, .., filters], and
 * with 'valid' padding to as much more as the kernel is larger than the strides.
 * Parameters: `<name>/kernel` [kernel height, kernel width, filters, channels] and, unless `useBias` is false,
 * `<name>/bias` [filters].
 */
export function conv2dTranspose(
  filters: number,
  kernelSize: Sides,
  options: Conv2dTransposeOptions = {},
): Layer {
  const { strides = 1, padding = 'valid', dilation = 1 } = options;
  const { activation = 'linear', useBias = true } = options;
  const { kernelInitializer = 'glorotUniform', biasInitializer = 'zeros' } = options;
  const layer: LayerIdentity = { kind: 'conv2dTranspose', name: options.name };
  const window = { kernelSize: pairOf(kernelSize), strides: pairOf(strides), dilation: pairOf(dilation) };
  return (x) => {
    const z = x.graph.add({
      layer,
      op: 'conv2dTranspose',
      inputs: [x],
      attributes: { filters, ...window, padding, useBias },
      initializers: { kernel: { kind: kernelInitializer }, bias: { kind: biasInitializer } },
      regularizers: { kernel: options.kernelRegularizer },
    });
    return applyActivation(z, activation, { layer, part: activation });
  };
}
