import { UserError } from '../../errors.js';
import type { Layer } from '../graph.js';

/**
 * Layers one after the other, as one layer.
 * @throws UserError when one of them is no layer, such as `flatten` where `flatten()` is meant
 */
export function sequential(layers: readonly Layer[]): Layer {
  return (x) =>
    layers.reduce((tensor, layer, i) => {
      const next = typeof layer === 'function' ? layer(tensor) : undefined;
      if (next?.graph !== undefined) return next;
      const what = typeof layer === 'function' && layer.name !== '' ? layer.name : 'it';
      throw new UserError(
        `layer ${i + 1} of sequential([...]) is no layer; call what makes one, such as ${what}()`,
      );
    }, x);
}
