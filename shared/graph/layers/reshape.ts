import type { Layer, LayerIdentity } from '../graph.js';
import { elementsOf, type Shape } from '../shape.js';

/** The same elements under another shape (of one sample). */
export function reshape(shape: Shape, options: { name?: string } = {}): Layer {
  const layer: LayerIdentity = { kind: 'reshape', name: options.name };
  return (x) => x.graph.add({ layer, op: 'reshape', inputs: [x], attributes: { shape: [...shape] } });
}

/** All elements of a sample in one axis. */
export function flatten(options: { name?: string } = {}): Layer {
  const layer: LayerIdentity = { kind: 'flatten', name: options.name };
  return (x) =>
    x.graph.add({ layer, op: 'reshape', inputs: [x], attributes: { shape: [elementsOf(x.shape)] } });
}
