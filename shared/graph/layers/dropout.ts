import { UserError } from '../../errors.js';
import type { Layer, LayerIdentity, Tensor } from '../graph.js';

/**
 * Sets a share of a sample's elements to 0 at each step of training, and scales the others up to make good for it; does
 * nothing in evaluation and prediction.
 *
 * @param rate the share that is dropped, from 0 up to but not including 1
 * @throws UserError when the rate is none
 */
export function dropout(rate: number, options: { name?: string } = {}): Layer {
  const layer: LayerIdentity = { kind: 'dropout', name: options.name };
  return (x) => applyDropout(x, rate, { layer });
}

/**
 * Adds dropout in front of a layer or behind it; nothing for a rate of 0.
 * @param place `sharedAxes`: so many of the first axes have one mask in common
 */
export function applyDropout(
  x: Tensor,
  rate: number,
  place: { layer: LayerIdentity; part?: string; sharedAxes?: number },
): Tensor {
  const { sharedAxes = 0, ...node } = place;
  if (!(rate >= 0 && rate < 1)) {
    throw new UserError(
      `layer ${x.graph.nameOf(place.layer)}: a dropout rate is at least 0 and below 1, not ${rate}`,
    );
  }
  if (rate === 0) return x;
  return x.graph.add({ ...node, op: 'dropout', inputs: [x], attributes: { rate, sharedAxes } });
}
