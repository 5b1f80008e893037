import { SeededRandom } from '../../../shared/actor/seeded-random.js';
import { type Dataset, packDataset } from '../../../shared/data/dataset.js';
import { sha256Hex } from '../../../shared/files/sha256.js';
import { Graph } from '../../../shared/graph/graph.js';
import { dense } from '../../../shared/graph/layers/dense.js';
import { positionalEmbedding, reversibleEmbedding } from '../../../shared/graph/layers/embedding.js';
import { layerNormalization } from '../../../shared/graph/layers/layer-normalization.js';
import { sequential } from '../../../shared/graph/layers/sequential.js';
import { transformerBlock } from '../../../shared/graph/layers/transformer.js';
import { sparseCategoricalCrossentropy } from '../../../shared/graph/losses/sparse-categorical-crossentropy.js';
import { adamw } from '../../../shared/optim/adam.js';
import type { Recipe } from '../../../trainer/recipe.js';

const CONTEXT = 64;
const WIDTH = 768;
const BLOCKS = 12;
const HEADS = 12;
const TRAIN_SAMPLES = 16;
const TEST_SAMPLES = 2;

/**
 * A Transformer as wide and as deep as GPT-2 small on random ids: what it takes of memory and time is what matters, and not what
 * it learns.
 * @param isTied ids are scored by the same table that they are looked up in
 */
export function gpt2({
  vocabulary,
  isTied,
}: {
  readonly vocabulary: number;
  readonly isTied: boolean;
}): Recipe {
  return {
    summary: 'a Transformer of 124 million parameters on random ids',
    model() {
      const graph = new Graph();
      const kernelInitializer = 'smallNormal';
      const ids = reversibleEmbedding(vocabulary, WIDTH);
      const blocks = Array.from({ length: BLOCKS }, (_, i) =>
        transformerBlock(HEADS, 4 * WIDTH, { causal: true, kernelInitializer, name: `block${i + 1}` }),
      );
      const hidden = sequential([positionalEmbedding(), ...blocks, layerNormalization()]);
      const outputs = hidden(ids(graph.input('x', [CONTEXT])));
      const logits = isTied
        ? ids(outputs, { reverse: true })
        : dense(vocabulary, { kernelInitializer, name: 'logits' })(outputs);
      return graph.model(logits, sparseCategoricalCrossentropy({ target: 'y', fromLogits: true }));
    },
    data: async () => ({
      train: draw('train', TRAIN_SAMPLES, vocabulary),
      test: draw('test', TEST_SAMPLES, vocabulary),
    }),
    optimizer: adamw({ learningRate: 0.0003, weightDecay: 0.1 }),
    batch: 2,
    leafSize: 1,
    epochs: 1,
  };
}

function draw(name: string, samples: number, vocabulary: number): Dataset {
  const random = new SeededRandom(samples);
  const ids = Int32Array.from({ length: samples * CONTEXT }, () => random.below(vocabulary));
  const field = { shape: [CONTEXT], scale: 1, shift: 0 };
  const columns = {
    x: { ...field, dtype: 'f32', bytes: new Uint8Array(Float32Array.from(ids).buffer) },
    y: { ...field, dtype: 'i32', bytes: new Uint8Array(ids.buffer) },
  } as const;
  return packDataset(`ids-${name}`, samples, columns, sha256Hex);
}
