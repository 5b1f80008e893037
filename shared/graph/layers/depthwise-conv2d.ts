import type { Layer } from '../graph.js';
import { checkLayerOptions } from '../layer-options.js';
import { imageOf } from '../ops/image.js';
import { type Conv2dOptions, conv2d } from './conv2d.js';
import type { Sides } from './sides.js';

export interface DepthwiseConv2dOptions extends Omit<Conv2dOptions, 'groups'> {
  /** Number of filters for each channel. Default: 1. */
  readonly depthMultiplier?: number;
}

/**
 * A convolution of each channel separately: as many groups as channels. The filters of a channel are consecutive.
 * Parameters: `<name>/kernel` [kernel height, kernel width, 1, channels * depthMultiplier] and, unless `useBias` is
 * false, `<name>/bias` [channels * depthMultiplier].
 */
export function depthwiseConv2d(kernelSize: Sides, options: DepthwiseConv2dOptions = {}): Layer {
  checkLayerOptions('depthwiseConv2d()', options, [
    'strides',
    'padding',
    'dilation',
    'activation',
    'kernelInitializer',
    'kernelRegularizer',
    'biasInitializer',
    'useBias',
    'depthMultiplier',
    'name',
  ]);
  const { depthMultiplier = 1, name, ...others } = options;
  const layers = new Map<number, Layer>();
  return (x) => {
    const { channels } = imageOf(name ?? 'depthwiseConv2d', x.shape);
    // Another use gets the same layer with the same parameters.
    const known = layers.get(channels);
    const layer =
      known ??
      conv2d(channels * depthMultiplier, kernelSize, { ...others, ...named(name), groups: channels });
    layers.set(channels, layer);
    return layer(x);
  };
}

const named = (name: string | undefined): { name?: string } => (name === undefined ? {} : { name });
