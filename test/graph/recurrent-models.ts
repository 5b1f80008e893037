import { Graph, type Layer, type Tensor } from '../../shared/graph/graph.js';
import { activation } from '../../shared/graph/layers/activation.js';
import { bidirectional } from '../../shared/graph/layers/bidirectional.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { add } from '../../shared/graph/layers/merge.js';
import { gru, lstm, simpleRnn } from '../../shared/graph/layers/recurrent.js';
import { flatten, slice } from '../../shared/graph/layers/reshape.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../shared/graph/model.js';

/** Models with recurrent layers. */
export const RECURRENT_MODELS = {
  lstm: () => stack(lstm),
  gru: () => stack(gru),

  /** Both directions, and a layer that is used twice. */
  'simple-rnn': (): Model => {
    const x = new Graph().input('x', [4, 3]);
    const both = bidirectional(
      ({ reverse }) => simpleRnn(4, { returnSequences: true, reverse, name: reverse ? 'back' : 'there' }),
      add(),
    );
    const twice = simpleRnn(4, { returnSequences: true, name: 'twice' });
    const output = dense(2)(twice(twice(both(x))));
    return x.graph.model(output, meanSquaredError({ target: 'y' }));
  },

  /** LSTM and GRU from the end of the sequence. */
  reverse: (): Model => {
    const x = new Graph().input('x', [3, 2]);
    const last = [lstm(3, { reverse: true }), gru(3, { reverse: true })].map((layer) => layer(x));
    return x.graph.model(dense(2)(add()(last)), meanSquaredError({ target: 'y' }));
  },

  /** Masks, initial states and returned states, for all cells and both directions. */
  'recurrent-states': (): Model => {
    const x = new Graph().input('x', [4, 3]);
    // 0 wherever the first feature is negative.
    const mask = activation('relu')(flatten()(slice(0, 1, { axis: -1 })(x)));
    const read = bidirectional(
      ({ reverse }) =>
        lstm(3, { returnSequences: true, returnState: true, reverse, name: reverse ? 'back' : 'there' }),
      add(),
    );
    const [both, hThere, cThere, hBack, cBack] = read(x, { mask }) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    const initialState = [add()([hThere, hBack]), add()([cThere, cBack])];
    const decoded = lstm(3, { returnSequences: true, name: 'decoder' })(both, { initialState });
    const [hGru] = gru(3, { returnState: true, name: 'gru' })(decoded, { mask, initialState: [hThere] });
    const walk = simpleRnn(3, { returnSequences: true, returnState: true, reverse: true, name: 'plain' });
    const [plain, hPlain] = walk(both, { mask, initialState: [hBack] }) as [Tensor, Tensor];
    const tail = lstm(3, { returnState: true, name: 'tail' });
    const [hTail, , cTail] = tail(plain, { mask, initialState: [hGru, cBack] }) as [Tensor, Tensor, Tensor];
    const output = dense(2)(add()([hGru, hPlain, hTail, cTail]));
    return x.graph.model(output, meanSquaredError({ target: 'y' }));
  },
} as const satisfies Readonly<Record<string, () => Model>>;

/** Two layers: the first has an output at every step, the second after the last one. */
function stack(layer: (units: number, options?: { returnSequences: true }) => Layer): Model {
  const x = new Graph().input('x', [4, 3]);
  const output = dense(3)(layer(4)(layer(5, { returnSequences: true })(x)));
  return x.graph.model(output, sparseCategoricalCrossentropy({ target: 'y', fromLogits: true }));
}
