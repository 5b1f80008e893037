import { UserError } from '../../errors.js';
import { functionName } from '../../function-name.js';
import type { Layer } from '../graph.js';

/**
 * A chain of layers, as one layer.
 * @throws UserError when one of them is not a layer, such as `flatten` in place of `flatten()`
 */
export function sequential(layers: readonly Layer[]): Layer {
  return (x) =>
    layers.reduce((tensor, layer, i) => {
      const next = typeof layer === 'function' ? layer(tensor) : undefined;
      if (next?.graph !== undefined) return next;
      const example = (typeof layer === 'function' && functionName(layer)) || 'flatten';
      throw new UserError(
        `layer ${i + 1} of sequential([...]) is not a layer; call a function that creates one, such as ${example}()`,
      );
    }, x);
}
