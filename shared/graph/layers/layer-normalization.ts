import type { Layer, LayerIdentity } from '../graph.js';

export interface LayerNormalizationOptions {
  /** Added to the variance; default: 1e-5, as PyTorch. */
  readonly epsilon?: number;
  readonly name?: string;
}

/**
 * Brings every vector along the last axis to mean 0 and variance 1, then scales and shifts its elements.
 * Parameters: `<name>/gamma` (from 1) and `<name>/beta` (from 0), of the last axis' size.
 */
export function layerNormalization(options: LayerNormalizationOptions = {}): Layer {
  const { epsilon = 1e-5 } = options;
  const layer: LayerIdentity = { kind: 'layerNormalization', name: options.name };
  return (x) =>
    x.graph.add({
      layer,
      op: 'layerNormalization',
      inputs: [x],
      attributes: { epsilon },
      initializers: { gamma: { kind: 'ones' }, beta: { kind: 'zeros' } },
    });
}
