import { UserError } from '../../errors.js';
import type { Tensor } from '../graph.js';
import type { MergeLayer } from './merge.js';
import type { RecurrentContext, RecurrentLayer, StatefulLayer } from './recurrent.js';

/** For the layer of one direction. */
interface Direction {
  readonly reverse: boolean;
}

/**
 * A recurrent layer in both directions, each with parameters of its own, joined into one output:
 *
 *     bidirectional((direction) => lstm(64, { returnSequences: true, ...direction }), add())
 *
 * A mask is told to both; an initial state is that of the first direction, and then that of the one from the end, and so is
 * the state that is returned if the layers return theirs.
 *
 * @param make makes the layer of one direction
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
  const [there, back] = [make({ reverse: false }), make({ reverse: true })];
  const run = (x: Tensor, { mask, initialState }: RecurrentContext = {}) => {
    const half = (initialState?.length ?? 0) / 2;
    if (!Number.isInteger(half))
      throw new UserError(
        'a bidirectional layer begins with as many states in both directions; give it an even number',
      );
    const results = [there, back].map((layer, i) =>
      [layer(x, { mask, initialState: initialState?.slice(i * half, (i + 1) * half) })].flat(),
    );
    const output = join(results.map(([own]) => own as Tensor));
    const states = results.flatMap(([, ...state]) => state);
    return states.length === 0 ? output : [output, ...states];
  };
  return run as RecurrentLayer | StatefulLayer;
}
