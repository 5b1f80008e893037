import type { Layer, LayerIdentity } from '../graph.js';
import { checkLayerOptions } from '../layer-options.js';

export interface BatchNormalizationOptions {
  /** Added to the variance; default: 1e-3, as in Keras. */
  readonly epsilon?: number;
  /** Share of their old values that moving averages keep at each step; default: 0.99, as in Keras. */
  readonly momentum?: number;
  /**
   * Number of consecutive samples of the batch that are normalised together in training, a multiple of the leaf size; the
   * last group may be smaller. It affects the weights, and is the smallest part of a batch that a worker computes. Default:
   * 32.
   */
  readonly virtualBatchSize?: number;
  readonly name?: string;
}

/**
 * Normalises each channel (the last axis: features of a dense layer, channels of an image) to mean 0 and variance 1 over a
 * group of samples and all their positions, then scales and shifts it. Evaluation and prediction use moving averages of
 * the means and (biased) variances of groups instead. A layer before it needs no bias.
 *
 * Parameters, one number for each channel: `<name>/gamma` (initially 1) and `<name>/beta` (initially 0) are trained;
 * `<name>/movingMean` (initially 0) and `<name>/movingVariance` (initially 1) are measured. The layer cannot be used twice,
 * because moving averages cannot be shared.
 */
export function batchNormalization(options: BatchNormalizationOptions = {}): Layer {
  checkLayerOptions('batchNormalization()', options, ['epsilon', 'momentum', 'virtualBatchSize', 'name']);
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
