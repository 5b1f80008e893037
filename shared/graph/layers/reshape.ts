import type { Layer, LayerIdentity } from '../graph.js';
import { checkLayerOptions } from '../layer-options.js';
import { elementsOf, type Shape } from '../shape.js';

/** The same elements under another shape (of one sample). */
export function reshape(shape: Shape, options: { name?: string } = {}): Layer {
  checkLayerOptions('reshape()', options, ['name']);
  const layer: LayerIdentity = { kind: 'reshape', name: options.name };
  return (x) => x.graph.add({ layer, op: 'reshape', inputs: [x], attributes: { shape: [...shape] } });
}

/**
 * Permutes the axes of a sample.
 * @param dims for each axis of the output the axis of the input, counted from 1 as in Keras
 */
export function permute(dims: readonly number[], options: { name?: string } = {}): Layer {
  checkLayerOptions('permute()', options, ['name']);
  const layer: LayerIdentity = { kind: 'permute', name: options.name };
  return (x) => x.graph.add({ layer, op: 'permute', inputs: [x], attributes: { dims: [...dims] } });
}

/**
 * Repeats a tensor along a new first axis: [features] becomes [times, features], such as the output of an encoder for each
 * step of a decoder.
 */
export function repeatVector(times: number, options: { name?: string } = {}): Layer {
  checkLayerOptions('repeatVector()', options, ['name']);
  const layer: LayerIdentity = { kind: 'repeatVector', name: options.name };
  return (x) => x.graph.add({ layer, op: 'repeatVector', inputs: [x], attributes: { times } });
}

/**
 * The range from `from` (included) to `to` (excluded) along one axis of a sample.
 * @param from,to as in Array.slice: negative numbers count from the end; the default of `to` is the end
 * @param options axis: of the tensor of one sample, from 0; negative numbers count from the end. Default: 0
 */
export function slice(from: number, to?: number, options: { axis?: number; name?: string } = {}): Layer {
  checkLayerOptions('slice()', options, ['axis', 'name']);
  const { axis = 0, name } = options;
  const layer: LayerIdentity = { kind: 'slice', name };
  return (x) => {
    const along = axis < 0 ? x.shape.length + axis : axis;
    const size = x.shape[along] ?? 0;
    const index = (at: number) => (at < 0 ? size + at : at);
    const attributes = { axis: along, from: index(from), to: index(to ?? size) };
    return x.graph.add({ layer, op: 'slice', inputs: [x], attributes });
  };
}

/** Reshapes a sample to a single axis. */
export function flatten(options: { name?: string } = {}): Layer {
  checkLayerOptions('flatten()', options, ['name']);
  const layer: LayerIdentity = { kind: 'flatten', name: options.name };
  return (x) =>
    x.graph.add({ layer, op: 'reshape', inputs: [x], attributes: { shape: [elementsOf(x.shape)] } });
}
