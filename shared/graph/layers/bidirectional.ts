import type { Layer } from '../graph.js';
import type { MergeLayer } from './merge.js';

/**
 * A recurrent layer in both directions, each with parameters of its own, joined into one output:
 *
 *     bidirectional((direction) => lstm(64, { returnSequences: true, ...direction }), add())
 *
 * @param make makes the layer of one direction
 */
export function bidirectional(
  make: (direction: { readonly reverse: boolean }) => Layer,
  join: MergeLayer,
): Layer {
  const [there, back] = [make({ reverse: false }), make({ reverse: true })];
  return (x) => join([there(x), back(x)]);
}
