import { NOT_SAID } from '../../shared/data/texts/piece-pairs.js';
import { Graph } from '../../shared/graph/graph.js';
import { positionalEmbedding, reversibleEmbedding } from '../../shared/graph/layers/embedding.js';
import { layerNormalization } from '../../shared/graph/layers/layer-normalization.js';
import { transformerBlock } from '../../shared/graph/layers/transformer.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../shared/graph/model.js';

/** The sizes of a piece transformer. */
export interface PieceTransformerOptions {
  /** Numbers of pieces and signs. */
  readonly pieces: number;
  /** Most of them that are read, and that are before what is written. */
  readonly lengths: { readonly read: number; readonly written: number };
  /** Of each side. */
  readonly layers: number;
  readonly heads: number;
  readonly width: number;
  readonly dropout: number;
}

/**
 * A Transformer with an encoder and a decoder (Vaswani et al. 2017) for data of packPiecePairs. Both sides and the logits
 * share one table of pieces, so that what was read is easily said again; labels are smoothed, and padding does not count.
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
