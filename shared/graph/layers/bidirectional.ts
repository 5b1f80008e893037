import { UserError } from '../../errors.js';
import type { Tensor } from '../graph.js';
import type { MergeLayer } from './merge.js';
import type { RecurrentContext, RecurrentLayer, StatefulLayer } from './recurrent.js';

/** Options for the layer of one direction. */
interface Direction {
  readonly reverse: boolean;
}

/**
 * A recurrent layer in both directions, each with its own parameters, joined into one output:
 *
 *     bidirectional((direction) => lstm(64, { returnSequences: true, ...direction }), add())
 *
 * Both directions get the mask. An initial state lists the state of the forward direction, then that of the reverse one; a
 * returned state has the same order.
 *
 * @param make creates the layer of one direction
 */
export function bidirectional(
  make: (direction: Direction) => RecurrentLayer,
  join: MergeLayer,
): RecurrentLayer;
export function bidirectional(make: (direction: Direction) => StatefulLayer, join: MergeLayer): StatefulLayer;
export function bidirectional(
  make: (direction: Direction) => RecurrentLayer | StatefulLayer,
  join: MergeLayer,
): RecurrentLayer | StatefulLayer {
  const [forward, backward] = [make({ reverse: false }), make({ reverse: true })];
  const run = (x: Tensor, { mask, initialState }: RecurrentContext = {}) => {
    const half = (initialState?.length ?? 0) / 2;
    if (!Number.isInteger(half))
      throw new UserError(
        'a bidirectional layer needs as many initial states for each direction; pass an even number of states',
      );
    const results = [forward, backward].map((layer, i) =>
      [layer(x, { mask, initialState: initialState?.slice(i * half, (i + 1) * half) })].flat(),
    );
    const output = join(results.map(([result]) => result as Tensor));
    const states = results.flatMap(([, ...state]) => state);
    return states.length === 0 ? output : [output, ...states];
  };
  return run as RecurrentLayer | StatefulLayer;
}
