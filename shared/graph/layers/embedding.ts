import type { Layer, LayerIdentity, Tensor } from '../graph.js';
import { checkLayerOptions } from '../layer-options.js';

/**
 * A trained vector for each id: [positions] ids to [positions, width].
 * @param entries ids are 0 to entries - 1; any other id gives zeros
 * Parameter: `<name>/table` [entries, width], from a normal distribution of deviation 0.02.
 */
export function embedding(entries: number, width: number, options: { name?: string } = {}): Layer {
  checkLayerOptions('embedding()', options, ['name']);
  const layer: LayerIdentity = { kind: 'embedding', name: options.name };
  return (x) =>
    x.graph.add({
      layer,
      op: 'embedding',
      inputs: [x],
      attributes: { entries, width },
      initializers: { table: { kind: 'smallNormal' } },
    });
}

/** A mapping from ids to vectors, or, `reverse`, from vectors to a score for each id. */
export type ReversibleEmbedding = (x: Tensor, options?: { readonly reverse?: boolean }) => Tensor;

/**
 * An embedding for both directions: [positions] ids to [positions, width] like `embedding`, and, reversed, vectors [positions,
 * width] to logits [positions, entries], the products of each vector with the vectors of all ids. Both use the same table.
 * @param entries ids are 0 to entries - 1; any other id gives zeros
 * Parameter: `<name>/table` [entries, width], from a normal distribution of deviation 0.02.
 */
export function reversibleEmbedding(
  entries: number,
  width: number,
  options: { name?: string } = {},
): ReversibleEmbedding {
  checkLayerOptions('reversibleEmbedding()', options, ['name']);
  const layer: LayerIdentity = { kind: 'reversibleEmbedding', name: options.name };
  return (x, { reverse = false } = {}) =>
    x.graph.add({
      layer,
      ...(reverse ? { op: 'reverseEmbedding', part: 'reverse' } : { op: 'embedding' }),
      inputs: [x],
      attributes: { entries, width },
      initializers: { table: { kind: 'smallNormal' } },
    });
}

/**
 * Adds a trained vector for each position, which gives a Transformer the order of its inputs.
 * Parameter: `<name>/table`, of the shape of the input, from a normal distribution of deviation 0.02.
 */
export function positionalEmbedding(options: { name?: string } = {}): Layer {
  checkLayerOptions('positionalEmbedding()', options, ['name']);
  const layer: LayerIdentity = { kind: 'positionalEmbedding', name: options.name };
  return (x) =>
    x.graph.add({
      layer,
      op: 'positionalEmbedding',
      inputs: [x],
      initializers: { table: { kind: 'smallNormal' } },
    });
}

/** Adds sines and cosines of the position with decreasing frequencies: an encoding of the order without parameters. */
export function positionalEncoding(options: { name?: string } = {}): Layer {
  checkLayerOptions('positionalEncoding()', options, ['name']);
  const layer: LayerIdentity = { kind: 'positionalEncoding', name: options.name };
  return (x) => x.graph.add({ layer, op: 'positionalEncoding', inputs: [x] });
}
