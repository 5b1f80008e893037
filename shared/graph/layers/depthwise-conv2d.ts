import type { Layer } from '../graph.js';
import { imageOf } from '../ops/image.js';
import { type Conv2dOptions, conv2d } from './conv2d.js';
import type { Sides } from './sides.js';

export interface DepthwiseConv2dOptions extends Omit<Conv2dOptions, 'groups'> {
  /** Filters for each channel. Default: 1. */
  readonly depthMultiplier?: number;
}

/**
 * A convolution of each channel for itself: as many groups as there are channels. Results lie channel by channel.
 * Parameters: `<name>/kernel` [kernel height, kernel width, 1, channels * depthMultiplier] and, unless `useBias` is
 * false, `<name>/bias` [channels * depthMultiplier].
 */
export function depthwiseConv2d(kernelSize: Sides, options: DepthwiseConv2dOptions = {}): Layer {
  const { depthMultiplier = 1, name, ...others } = options;
  const layers = new Map<number, Layer>();
  return (x) => {
    const { channels } = imageOf(name ?? 'depthwiseConv2d', x.shape);
    // Used again, it is the same layer with the same parameters.
    const known = layers.get(channels);
    const layer =
      known ??
      conv2d(channels * depthMultiplier, kernelSize, { ...others, ...named(name), groups: channels });
    layers.set(channels, layer);
    return layer(x);
  };
}

const named = (name: string | undefined): { name?: string } => (name === undefined ? {} : { name });
