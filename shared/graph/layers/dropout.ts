import { UserError } from '../../errors.js';
import type { Layer, LayerIdentity, Tensor } from '../graph.js';
import { checkLayerOptions } from '../layer-options.js';

/**
 * Sets random elements of a sample to 0 at each step of training, and scales the others up to keep the expected value; does
 * nothing in evaluation and prediction.
 *
 * @param rate the fraction that is dropped, at least 0 and below 1
 * @throws UserError when the rate is out of bounds
 */
export function dropout(rate: number, options: { name?: string } = {}): Layer {
  checkLayerOptions('dropout()', options, ['name']);
  const layer: LayerIdentity = { kind: 'dropout', name: options.name };
  return (x) => applyDropout(x, rate, { layer });
}

/**
 * Adds dropout before or after a layer; nothing for a rate of 0.
 * @param options `sharedAxes`: number of leading axes that share one mask
 */
export function applyDropout(
  x: Tensor,
  rate: number,
  options: { layer: LayerIdentity; part?: string; sharedAxes?: number },
): Tensor {
  const { sharedAxes = 0, ...node } = options;
  if (!(rate >= 0 && rate < 1)) {
    throw new UserError(
      `layer ${x.graph.nameOf(options.layer)}: the dropout rate must be at least 0 and below 1, not ${rate}`,
    );
  }
  if (rate === 0) return x;
  return x.graph.add({ ...node, op: 'dropout', inputs: [x], attributes: { rate, sharedAxes } });
}
