import { NOT_SAID } from '../../shared/data/texts/piece-pairs.js';
import { Graph } from '../../shared/graph/graph.js';
import { positionalEmbedding, reversibleEmbedding } from '../../shared/graph/layers/embedding.js';
import { layerNormalization } from '../../shared/graph/layers/layer-normalization.js';
import { transformerBlock } from '../../shared/graph/layers/transformer.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../shared/graph/model.js';

/** The sizes of a transformer on pieces of words. */
export interface PieceTransformerOptions {
  /** Pieces and special symbols. */
  readonly pieces: number;
  /** Longest source, and longest target, in pieces. */
  readonly lengths: { readonly read: number; readonly written: number };
  /** Layers of the encoder, and of the decoder. */
  readonly layers: number;
  readonly heads: number;
  readonly width: number;
  readonly dropout: number;
}

/**
 * A Transformer with an encoder and a decoder (Vaswani et al. 2017) for data of packPiecePairs. Encoder, decoder and
 * logits share one embedding, so that copying a piece is easy. Labels are smoothed, and padding is ignored.
 */
export function pieceTransformer(options: PieceTransformerOptions): Model {
  const { pieces, lengths, layers, heads, width, dropout } = options;
  const graph = new Graph();
  const mask = graph.input('present', [lengths.read]);
  const blocks = (side: string, causal: boolean) =>
    Array.from({ length: layers }, (_, i) =>
      transformerBlock(heads, 4 * width, { causal, dropout, name: `${side}${i + 1}` }),
    );
  const table = reversibleEmbedding(pieces, width, { name: 'pieces' });

  let memory = positionalEmbedding()(table(graph.input('read', [lengths.read])));
  for (const block of blocks('encoder', false)) memory = block(memory, { mask });
  memory = layerNormalization()(memory);

  let x = positionalEmbedding()(table(graph.input('before', [lengths.written])));
  for (const block of blocks('decoder', true)) x = block(x, { memory, mask });
  const logits = table(layerNormalization()(x), { reverse: true });
  const settings = { fromLogits: true, labelSmoothing: 0.1, ignoreIndex: NOT_SAID };
  return graph.model(logits, sparseCategoricalCrossentropy({ target: 'written', ...settings }));
}
