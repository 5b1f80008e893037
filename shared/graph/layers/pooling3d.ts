/*
 * Pooling of volumes is that of their slices, and then of what lies at one place of all slices: the largest of the largest, the mean
 * of the means of equal counts. Between the two, axes change their order.
 */
import type { Layer, LayerIdentity, NodeRequest, Tensor } from '../graph.js';
import { checkLayerOptions } from '../layer-options.js';
import { volumeOf } from '../ops/conv3d.js';
import type { Padding } from '../ops/image.js';
import { elementsOf } from '../shape.js';
import { type Sides3d, tripleOf } from './sides.js';

export interface Pooling3dOptions {
  /** Default: 2. */
  readonly poolSize?: Sides3d;
  /** Default: poolSize. */
  readonly strides?: Sides3d;
  /** Default: valid. */
  readonly padding?: Padding;
  readonly name?: string;
}

/** The maximum of each window of a volume [depth, height, width, channels], channel by channel. */
export function maxPooling3d(options: Pooling3dOptions = {}): Layer {
  checkLayerOptions('maxPooling3d()', options, ['poolSize', 'strides', 'padding', 'name']);
  return pooling('maxPooling3d', 'maxPool', options);
}

/** The mean of each window of a volume [depth, height, width, channels], channel by channel. */
export function averagePooling3d(options: Pooling3dOptions = {}): Layer {
  checkLayerOptions('averagePooling3d()', options, ['poolSize', 'strides', 'padding', 'name']);
  return pooling('averagePooling3d', 'averagePool', options);
}

/** The maximum of each channel of a volume [depth, height, width, channels]: [channels]. */
export function globalMaxPooling3d(options: { name?: string } = {}): Layer {
  checkLayerOptions('globalMaxPooling3d()', options, ['name']);
  return globalPooling('globalMaxPooling3d', 'maxPool', options.name);
}

/** The mean of each channel of a volume [depth, height, width, channels]: [channels]. */
export function globalAveragePooling3d(options: { name?: string } = {}): Layer {
  checkLayerOptions('globalAveragePooling3d()', options, ['name']);
  return globalPooling('globalAveragePooling3d', 'averagePool', options.name);
}

type PoolOp = 'maxPool' | 'averagePool';

/** Adds the ops of a layer. */
function adding(layer: LayerIdentity) {
  const add = (
    x: Tensor,
    part: string,
    op: NodeRequest['op'],
    attributes: NonNullable<NodeRequest['attributes']>,
  ): Tensor => x.graph.add({ layer, part, op, inputs: [x], attributes });
  const reshape = (x: Tensor, part: string, shape: readonly number[]): Tensor =>
    add(x, part, 'reshape', { shape: [...shape] });
  return { add, reshape };
}

function pooling(kind: string, op: PoolOp, options: Pooling3dOptions): Layer {
  const { poolSize = 2, strides = poolSize, padding = 'valid', name } = options;
  const layer: LayerIdentity = { kind, name };
  const { add, reshape } = adding(layer);
  const [depthSize, ...planeSize] = tripleOf(poolSize);
  const [depthStride, ...planeStrides] = tripleOf(strides);
  return (x) => {
    const { depth, size, channels } = volumeOf(name ?? kind, x.shape);
    const last = add(x, 'depth-last', 'permute', { dims: [2, 3, 1, 4] });
    const planes = add(reshape(last, 'planes', [...size, depth * channels]), 'plane', op, {
      ...{ poolSize: planeSize, strides: planeStrides, padding },
    });
    const results = planes.shape.slice(0, 2);
    const first = add(reshape(planes, 'slices', [...results, depth, channels]), 'depth-first', 'permute', {
      dims: [3, 1, 2, 4],
    });
    const columns = reshape(first, 'columns', [depth, elementsOf(results), channels]);
    const pooled = add(columns, 'depth', op, {
      ...{ poolSize: [depthSize, 1], strides: [depthStride, 1], padding },
    });
    return reshape(pooled, 'volume', [pooled.shape[0] as number, ...results, channels]);
  };
}

/** Pooling with the whole volume as the only window. */
function globalPooling(kind: string, op: PoolOp, name: string | undefined): Layer {
  const { add, reshape } = adding({ kind, name });
  return (x) => {
    const { depth, size, channels } = volumeOf(name ?? kind, x.shape);
    const image = [depth, elementsOf(size)];
    const pooled = add(reshape(x, 'image', [...image, channels]), 'whole', op, {
      ...{ poolSize: image, strides: [1, 1], padding: 'valid' },
    });
    return reshape(pooled, 'flat', [channels]);
  };
}
