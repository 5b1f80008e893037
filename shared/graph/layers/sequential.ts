import type { Layer } from '../graph.js';

/** Layers one after the other, as one layer. */
export function sequential(layers: readonly Layer[]): Layer {
  return (x) => layers.reduce((tensor, layer) => layer(tensor), x);
}
