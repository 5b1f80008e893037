import type { Layer, LayerIdentity } from '../graph.js';
import { elementsOf, type Shape } from '../shape.js';

/** The same elements under another shape (of one sample). */
export function reshape(shape: Shape, options: { name?: string } = {}): Layer {
  const layer: LayerIdentity = { kind: 'reshape', name: options.name };
  return (x) => x.graph.add({ layer, op: 'reshape', inputs: [x], attributes: { shape: [...shape] } });
}

/**
 * The axes of a sample in another order.
 * @param dims for each axis of the output the axis of the input that it is, counted from 1 as in Keras
 */
export function permute(dims: readonly number[], options: { name?: string } = {}): Layer {
  const layer: LayerIdentity = { kind: 'permute', name: options.name };
  return (x) => x.graph.add({ layer, op: 'permute', inputs: [x], attributes: { dims: [...dims] } });
}

/**
 * The same tensor so many times along a new first axis: [features] becomes [times, features], such as what an encoder has
 * understood at each step of its decoder.
 */
export function repeatVector(times: number, options: { name?: string } = {}): Layer {
  const layer: LayerIdentity = { kind: 'repeatVector', name: options.name };
  return (x) => x.graph.add({ layer, op: 'repeatVector', inputs: [x], attributes: { times } });
}

/** All elements of a sample in one axis. */
export function flatten(options: { name?: string } = {}): Layer {
  const layer: LayerIdentity = { kind: 'flatten', name: options.name };
  return (x) =>
    x.graph.add({ layer, op: 'reshape', inputs: [x], attributes: { shape: [elementsOf(x.shape)] } });
}
