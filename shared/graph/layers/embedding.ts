import type { Layer, LayerIdentity, Tensor } from '../graph.js';

/**
 * A trained vector for each id: [positions] ids to [positions, width].
 * @param entries ids are 0 to entries - 1; any other stands for zeros
 * Parameter: `<name>/table` [entries, width], from a normal distribution of deviation 0.02.
 */
export function embedding(entries: number, width: number, options: { name?: string } = {}): Layer {
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
 * An embedding that is used both ways: [positions] ids to [positions, width] as `embedding` does it, and, reversed, vectors
 * [positions, width] to [positions, entries], how much each looks like the vector of each id: logits of what comes next.
 * Both use one table, so what was read is easily said again.
 * @param entries ids are 0 to entries - 1; any other stands for zeros
 * Parameter: `<name>/table` [entries, width], from a normal distribution of deviation 0.02.
 */
export function reversibleEmbedding(
  entries: number,
  width: number,
  options: { name?: string } = {},
): ReversibleEmbedding {
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
 * Adds a trained vector for each position: how a Transformer knows the order of what it reads.
 * Parameter: `<name>/table`, of the input's shape, from a normal distribution of deviation 0.02.
 */
export function positionalEmbedding(options: { name?: string } = {}): Layer {
  const layer: LayerIdentity = { kind: 'positionalEmbedding', name: options.name };
  return (x) =>
    x.graph.add({
      layer,
      op: 'positionalEmbedding',
      inputs: [x],
      initializers: { table: { kind: 'smallNormal' } },
    });
}

/** Adds waves of falling frequencies, sines and cosines of the position: order without parameters. */
export function positionalEncoding(options: { name?: string } = {}): Layer {
  const layer: LayerIdentity = { kind: 'positionalEncoding', name: options.name };
  return (x) => x.graph.add({ layer, op: 'positionalEncoding', inputs: [x] });
}
