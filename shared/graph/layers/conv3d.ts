import type { Layer, LayerIdentity } from '../graph.js';
import { checkLayerOptions } from '../layer-options.js';
import { applyActivation } from './activation.js';
import type { Conv2dOptions } from './conv2d.js';
import { type Sides3d, tripleOf } from './sides.js';

/** The options of conv2d, with a number for each of three axes. */
export interface Conv3dOptions extends Omit<Conv2dOptions, 'strides' | 'dilation'> {
  /** Distance of the kernel positions of neighbouring results. Default: 1. */
  readonly strides?: Sides3d;
  /** Distance of the elements that neighbouring taps read. Default: 1. */
  readonly dilation?: Sides3d;
}

/**
 * A convolution of volumes, or of images over time, [depth, height, width, channels] to [.., filters].
 * Parameters: `<name>/kernel` [kernel height, kernel width, kernel depth, channels / groups, filters] and, unless `useBias` is false,
 * `<name>/bias` [filters].
 * @param kernelSize depth, height and width, or one number for all
 */
export function conv3d(filters: number, kernelSize: Sides3d, options: Conv3dOptions = {}): Layer {
  checkLayerOptions('conv3d()', options, [
    'strides',
    'padding',
    'dilation',
    'groups',
    'activation',
    'kernelInitializer',
    'kernelRegularizer',
    'biasInitializer',
    'useBias',
    'name',
  ]);
  const { strides = 1, padding = 'valid', dilation = 1, groups = 1 } = options;
  const { activation = 'linear', useBias = true } = options;
  const { kernelInitializer = 'glorotUniform', biasInitializer = 'zeros' } = options;
  const layer: LayerIdentity = { kind: 'conv3d', name: options.name };
  const window = {
    kernelSize: tripleOf(kernelSize),
    strides: tripleOf(strides),
    dilation: tripleOf(dilation),
  };
  return (x) => {
    const z = x.graph.add({
      layer,
      op: 'conv3d',
      inputs: [x],
      attributes: { filters, ...window, padding, ...(groups !== 1 && { groups }), useBias },
      initializers: { kernel: { kind: kernelInitializer }, bias: { kind: biasInitializer } },
      regularizers: { kernel: options.kernelRegularizer },
    });
    return applyActivation(z, activation, { layer, part: activation });
  };
}
