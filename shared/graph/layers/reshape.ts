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

/**
 * Places `from` up to `to`, which is not among them, along one axis of a sample.
 * @param from,to as Array.slice takes them: negative ones count from the end; `to` left out: the end
 * @param options axis: of one sample's tensor, from 0; negative ones count from the end. Default: 0
 */
export function slice(from: number, to?: number, options: { axis?: number; name?: string } = {}): Layer {
  const { axis = 0, name } = options;
  const layer: LayerIdentity = { kind: 'slice', name };
  return (x) => {
    const along = axis < 0 ? x.shape.length + axis : axis;
    const size = x.shape[along] ?? 0;
    const place = (at: number) => (at < 0 ? size + at : at);
    const attributes = { axis: along, from: place(from), to: place(to ?? size) };
    return x.graph.add({ layer, op: 'slice', inputs: [x], attributes });
  };
}

/** All elements of a sample in one axis. */
export function flatten(options: { name?: string } = {}): Layer {
  const layer: LayerIdentity = { kind: 'flatten', name: options.name };
  return (x) =>
    x.graph.add({ layer, op: 'reshape', inputs: [x], attributes: { shape: [elementsOf(x.shape)] } });
}
