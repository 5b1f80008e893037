import { Graph } from '../../shared/graph/graph.js';
import { leakyRelu } from '../../shared/graph/layers/activation.js';
import { dense } from '../../shared/graph/layers/dense.js';
import {
  embedding,
  positionalEmbedding,
  positionalEncoding,
  reversibleEmbedding,
} from '../../shared/graph/layers/embedding.js';
import { layerNormalization } from '../../shared/graph/layers/layer-normalization.js';
import { add } from '../../shared/graph/layers/merge.js';
import { multiHeadAttention } from '../../shared/graph/layers/multi-head-attention.js';
import { flatten } from '../../shared/graph/layers/reshape.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { transformerBlock } from '../../shared/graph/layers/transformer.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../shared/graph/model.js';

/** Models with attention. */
export const TRANSFORMER_MODELS = {
  /** Ids of symbols, positions, one causal Transformer block. */
  gpt: (): Model => {
    const x = new Graph().input('x', [6]);
    const network = sequential([
      embedding(5, 4),
      positionalEmbedding(),
      transformerBlock(2, 8, { causal: true, name: 'block' }),
      layerNormalization(),
      dense(5),
    ]);
    return x.graph.model(network(x), sparseCategoricalCrossentropy({ target: 'y', fromLogits: true }));
  },

  /** One embedding table for inputs and outputs, with two uses for inputs. */
  'reversible-embedding': (): Model => {
    const x = new Graph().input('x', [6]);
    const symbols = reversibleEmbedding(5, 4, { name: 'symbols' });
    const sum = add()([symbols(x), dense(4, { name: 'inner' })(symbols(x))]);
    const hidden = dense(4, { activation: 'tanh', name: 'outer' })(sum);
    const loss = sparseCategoricalCrossentropy({ target: 'y', fromLogits: true });
    return x.graph.model(symbols(hidden, { reverse: true }), loss);
  },

  /** Attention to a memory with a mask; positional encoding; silu and leaky relu. */
  'cross-attention': (): Model => {
    const input = new Graph().input('x', [3, 4]);
    const x = positionalEncoding()(input);
    const memory = dense(4, { activation: 'silu', name: 'memory' })(x);
    const mask = sequential([flatten(), dense(3, { activation: 'relu', name: 'mask' })])(input);
    const y = multiHeadAttention(2, { name: 'cross' })(x, { memory, mask });
    return input.graph.model(leakyRelu()(y), meanSquaredError({ target: 'y' }));
  },

  /** A block that is used twice as the encoder, and a decoder that attends to its first output. */
  'encoder-decoder': (): Model => {
    const x = new Graph().input('x', [3, 4]);
    const block = transformerBlock(2, 5, { name: 'block' });
    const memory = block(x);
    const output = transformerBlock(1, 3, { causal: true, name: 'decoder' })(block(memory), { memory });
    return x.graph.model(output, meanSquaredError({ target: 'y' }));
  },
} as const satisfies Readonly<Record<string, () => Model>>;
