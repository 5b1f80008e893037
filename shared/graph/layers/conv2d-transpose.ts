import type { Layer, LayerIdentity } from '../graph.js';
import { checkLayerOptions } from '../layer-options.js';
import { applyActivation } from './activation.js';
import type { Conv2dOptions } from './conv2d.js';
import { pairOf, type Sides } from './sides.js';

/** The options of conv2d without groups. */
export type Conv2dTransposeOptions = Omit<Conv2dOptions, 'groups'>;

/**
 * A transposed convolution, which enlarges images: [height, width, channels] to [height * strides, .., filters]; with
 * 'valid' padding larger by the difference of kernel size and strides, if the kernel is larger.
 * Parameters: `<name>/kernel` [kernel height, kernel width, filters, channels] and, unless `useBias` is false,
 * `<name>/bias` [filters].
 */
export function conv2dTranspose(
  filters: number,
  kernelSize: Sides,
  options: Conv2dTransposeOptions = {},
): Layer {
  checkLayerOptions('conv2dTranspose()', options, [
    'strides',
    'padding',
    'dilation',
    'activation',
    'kernelInitializer',
    'kernelRegularizer',
    'biasInitializer',
    'useBias',
    'name',
  ]);
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
