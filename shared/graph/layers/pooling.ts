import type { Layer, LayerIdentity } from '../graph.js';
import { checkLayerOptions } from '../layer-options.js';
import { imageOf, type Padding } from '../ops/image.js';
import { pairOf, type Sides } from './sides.js';

export interface Pooling2dOptions {
  /** Default: 2. */
  readonly poolSize?: Sides;
  /** Default: poolSize. */
  readonly strides?: Sides;
  /** Default: valid. */
  readonly padding?: Padding;
  readonly name?: string;
}

/** The maximum of each window of an image [height, width, channels], channel by channel. */
export function maxPooling2d(options: Pooling2dOptions = {}): Layer {
  checkLayerOptions('maxPooling2d()', options, ['poolSize', 'strides', 'padding', 'name']);
  return pooling('maxPooling2d', 'maxPool', options);
}

/** The mean of each window of an image [height, width, channels], channel by channel. */
export function averagePooling2d(options: Pooling2dOptions = {}): Layer {
  checkLayerOptions('averagePooling2d()', options, ['poolSize', 'strides', 'padding', 'name']);
  return pooling('averagePooling2d', 'averagePool', options);
}

/** The maximum of each channel of an image [height, width, channels]: [channels]. */
export function globalMaxPooling2d(options: { name?: string } = {}): Layer {
  checkLayerOptions('globalMaxPooling2d()', options, ['name']);
  return globalPooling('globalMaxPooling2d', 'maxPool', options.name);
}

/** The mean of each channel of an image [height, width, channels]: [channels]. */
export function globalAveragePooling2d(options: { name?: string } = {}): Layer {
  checkLayerOptions('globalAveragePooling2d()', options, ['name']);
  return globalPooling('globalAveragePooling2d', 'averagePool', options.name);
}

type PoolOp = 'maxPool' | 'averagePool';

function pooling(kind: string, op: PoolOp, options: Pooling2dOptions): Layer {
  const { poolSize = 2, strides = poolSize, padding = 'valid' } = options;
  const layer: LayerIdentity = { kind, name: options.name };
  const attributes = { poolSize: pairOf(poolSize), strides: pairOf(strides), padding };
  return (x) => x.graph.add({ layer, op, inputs: [x], attributes });
}

/** Pooling with the whole image as the only window. */
function globalPooling(kind: string, op: PoolOp, name: string | undefined): Layer {
  const layer: LayerIdentity = { kind, name };
  return (x) => {
    const { size, channels } = imageOf(name ?? kind, x.shape);
    const attributes = { poolSize: [...size], strides: [1, 1], padding: 'valid' };
    const pooled = x.graph.add({ layer, op, inputs: [x], attributes });
    return x.graph.add({
      layer,
      part: 'flat',
      op: 'reshape',
      inputs: [pooled],
      attributes: { shape: [channels] },
    });
  };
}
