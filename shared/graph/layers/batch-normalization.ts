import type { Layer, LayerIdentity } from '../graph.js';

export interface BatchNormalizationOptions {
  /** Added to the variance; default: 1e-3, as Keras. */
  readonly epsilon?: number;
  /** What a step leaves of the moving averages' old values; default: 0.99, as Keras. */
  readonly momentum?: number;
  /**
   * Samples that are normalised together in training, a multiple of the run's leaf: consecutive ones of the batch, the last
   * of its groups perhaps fewer. It decides the weights, and what is handed to a worker at least. Default: 32.
   */
  readonly virtualBatchSize?: number;
  readonly name?: string;
}

/**
 * Brings each channel (the last axis: features of a dense layer, channels of an image) to mean 0 and variance 1 over a
 * group of samples and all their positions, then scales and shifts it. Evaluation and prediction use moving averages of
 * the groups' means and (biased) variances instead. A layer in front of it needs no bias.
 *
 * Parameters, one number for each channel: `<name>/gamma` (from 1) and `<name>/beta` (from 0), which are trained, and
 * `<name>/movingMean` (from 0) and `<name>/movingVariance` (from 1), which are measured. They belong to one place in the
 * network: the layer cannot be used twice.
 */
export function batchNormalization(options: BatchNormalizationOptions = {}): Layer {
  const { epsilon = 1e-3, momentum = 0.99, virtualBatchSize = 32 } = options;
  const layer: LayerIdentity = { kind: 'batchNormalization', name: options.name };
  const [ones, zeros] = [{ kind: 'ones' }, { kind: 'zeros' }] as const;
  return (x) =>
    x.graph.add({
      layer,
      op: 'batchNormalization',
      inputs: [x],
      attributes: { epsilon, momentum, virtualBatchSize },
      initializers: { gamma: ones, beta: zeros, movingMean: zeros, movingVariance: ones },
    });
}
