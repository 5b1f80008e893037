import type { Layer, LayerIdentity } from '../graph.js';
import { checkLayerOptions } from '../layer-options.js';

export interface LayerNormalizationOptions {
  /** Added to the variance; default: 1e-5, as in PyTorch. */
  readonly epsilon?: number;
  readonly name?: string;
}

/**
 * Normalises every vector along the last axis to mean 0 and variance 1, then scales and shifts its elements.
 * Parameters: `<name>/gamma` (initially 1) and `<name>/beta` (initially 0), of the size of the last axis.
 */
export function layerNormalization(options: LayerNormalizationOptions = {}): Layer {
  checkLayerOptions('layerNormalization()', options, ['epsilon', 'name']);
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
