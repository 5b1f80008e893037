import type { Layer, LayerIdentity } from '../graph.js';

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
