/*
 * What ops on images have in common. A sample's tensor is [height, width, channels]. Along an axis, result t reads the
 * places t * stride - pad + tap * dilation, for every tap of a window.
 *
 *     valid:  results = floor((places - extent) / stride) + 1, pad 0        extent = (taps - 1) * dilation + 1
 *     same:   results = ceil(places / stride), the padding in all = max((results - 1) * stride + extent - places, 0),
 *             of which the smaller half comes first (as Keras has it)
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { formatShape, type Shape } from '../shape.js';
import { Size } from './op.js';

/** A number for the height and one for the width. */
export const Pair = v.tuple([Size, Size]);
export type Pair = readonly [number, number];

export const Padding = v.picklist(['valid', 'same']);
export type Padding = v.InferOutput<typeof Padding>;

/** How a window moves over an image. */
export interface WindowSettings {
  readonly window: Pair;
  readonly strides: Pair;
  readonly padding: Padding;
  readonly dilation: Pair;
}

/** Results along both axes, and the padding before the first place. */
export interface WindowPlaces {
  readonly results: Pair;
  readonly pad: Pair;
}

/**
 * The axes of an image.
 * @throws UserError when the input of the layer `name` is none
 */
export function imageOf(name: string, input: Shape): { readonly size: Pair; readonly channels: number } {
  const [height, width, channels] = input;
  if (input.length !== 3 || height === undefined || width === undefined || channels === undefined) {
    throw new UserError(
      `layer ${name}: an input of shape ${formatShape(input)} is no image [height, width, channels]; reshape it, ` +
        'with one channel if it has none',
    );
  }
  return { size: [height, width], channels };
}

/**
 * Places a window on an image.
 * @throws UserError when the image is smaller than the window
 */
export function placeWindow(name: string, size: Pair, settings: WindowSettings): WindowPlaces {
  const [y, x] = [0, 1].map((axis) => placeAxis(size, settings, axis as 0 | 1)) as [AxisPlaces, AxisPlaces];
  if (y.results < 1 || x.results < 1) {
    const extents = `${y.extent} x ${x.extent}`;
    throw new UserError(
      `layer ${name}: its window of ${extents} does not fit an image of ${size.join(' x ')}; use padding 'same' or a ` +
        'smaller window',
    );
  }
  return { results: [y.results, x.results], pad: [y.pad, x.pad] };
}

interface AxisPlaces {
  readonly extent: number;
  readonly results: number;
  readonly pad: number;
}

function placeAxis(
  size: Pair,
  { window, strides, padding, dilation }: WindowSettings,
  axis: 0 | 1,
): AxisPlaces {
  const [places, stride] = [size[axis], strides[axis]];
  const extent = (window[axis] - 1) * dilation[axis] + 1;
  if (padding === 'valid') return { extent, results: Math.floor((places - extent) / stride) + 1, pad: 0 };
  const results = Math.ceil(places / stride);
  return { extent, results, pad: Math.floor(Math.max((results - 1) * stride + extent - places, 0) / 2) };
}
