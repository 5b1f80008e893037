import type { Layer, LayerIdentity } from '../graph.js';
import type { InitializerName } from '../initializers.js';
import { checkLayerOptions } from '../layer-options.js';
import type { Padding } from '../ops/image.js';
import type { Regularizer } from '../regularizers.js';
import { type ActivationName, applyActivation } from './activation.js';
import { pairOf, type Sides } from './sides.js';

export interface Conv2dOptions {
  /** Distance of the kernel positions of neighbouring results. Default: 1. */
  readonly strides?: Sides;
  /** 'valid': only positions where the whole kernel lies inside of the image. 'same': size / strides results. Default: valid. */
  readonly padding?: Padding;
  /** Distance of the pixels that neighbouring taps read. Default: 1. */
  readonly dilation?: Sides;
  /** Number of groups into which channels and filters are split. Default: 1. */
  readonly groups?: number;
  /** Default: linear. */
  readonly activation?: ActivationName;
  /** Default: glorotUniform. */
  readonly kernelInitializer?: InitializerName;
  /** Penalty of the kernel: l1, l2 or l1L2 of regularizers.ts. Default: none. */
  readonly kernelRegularizer?: Regularizer | undefined;
  /** Default: zeros. */
  readonly biasInitializer?: InitializerName;
  /** Default: true. */
  readonly useBias?: boolean;
  readonly name?: string;
}

/**
 * A convolution of images [height, width, channels] to [.., filters].
 * Parameters: `<name>/kernel` [kernel height, kernel width, channels / groups, filters] and, unless `useBias` is false,
 * `<name>/bias` [filters].
 */
export function conv2d(filters: number, kernelSize: Sides, options: Conv2dOptions = {}): Layer {
  checkLayerOptions('conv2d()', options, [
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
  const layer: LayerIdentity = { kind: 'conv2d', name: options.name };
  const window = { kernelSize: pairOf(kernelSize), strides: pairOf(strides), dilation: pairOf(dilation) };
  return (x) => {
    const z = x.graph.add({
      layer,
      op: 'conv2d',
      inputs: [x],
      attributes: { filters, ...window, padding, groups, useBias },
      initializers: { kernel: { kind: kernelInitializer }, bias: { kind: biasInitializer } },
      regularizers: { kernel: options.kernelRegularizer },
    });
    return applyActivation(z, activation, { layer, part: activation });
  };
}
