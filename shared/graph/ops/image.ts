/*
 * Common parts of ops on images. The tensor of a sample is [height, width, channels]. Along an axis, result t reads the
 * pixels t * stride - pad + tap * dilation, for every tap of a window.
 *
 *     valid:  results = floor((pixels - extent) / stride) + 1, pad 0        extent = (taps - 1) * dilation + 1
 *     same:   results = ceil(pixels / stride), total padding = max((results - 1) * stride + extent - pixels, 0),
 *             the smaller half of it first (as in Keras)
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { formatShape, type Shape } from '../shape.js';
import { Size } from './op.js';

/** A number each for the height and the width. */
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

/** Results along both axes, and the padding before the first pixel. */
export interface WindowPlacement {
  readonly results: Pair;
  readonly pad: Pair;
}

/**
 * The axes of an image.
 * @throws UserError when the input of the layer `name` is not an image
 */
export function imageOf(name: string, input: Shape): { readonly size: Pair; readonly channels: number } {
  const [height, width, channels] = input;
  if (input.length !== 3 || height === undefined || width === undefined || channels === undefined) {
    throw new UserError(
      `layer ${name}: an input of shape ${formatShape(input)} is not an image [height, width, channels]; reshape it, ` +
        'to one channel if it has no channels',
    );
  }
  return { size: [height, width], channels };
}

/**
 * Places a window on an image.
 * @throws UserError when the image is smaller than the window
 */
export function placeWindow(name: string, size: Pair, settings: WindowSettings): WindowPlacement {
  const { window, strides, padding, dilation } = settings;
  const [y, x] = ([0, 1] as const).map((i) =>
    placeAxis(size[i], { taps: window[i], stride: strides[i], padding, dilation: dilation[i] }),
  ) as [AxisPlacement, AxisPlacement];
  if (y.results < 1 || x.results < 1) {
    const extents = `${y.extent} x ${x.extent}`;
    throw new UserError(
      `layer ${name}: its window of ${extents} does not fit an image of ${size.join(' x ')}; use padding 'same' or a ` +
        'smaller window',
    );
  }
  return { results: [y.results, x.results], pad: [y.pad, x.pad] };
}

/** How a window moves along one axis. */
interface AxisSettings {
  readonly taps: number;
  readonly stride: number;
  readonly padding: Padding;
  readonly dilation: number;
}

interface AxisPlacement {
  readonly extent: number;
  readonly results: number;
  readonly pad: number;
}

/** Places a window on an axis. Where it does not fit, there are less than one results. */
export function placeAxis(pixels: number, { taps, stride, padding, dilation }: AxisSettings): AxisPlacement {
  const extent = (taps - 1) * dilation + 1;
  if (padding === 'valid') return { extent, results: Math.floor((pixels - extent) / stride) + 1, pad: 0 };
  const results = Math.ceil(pixels / stride);
  return { extent, results, pad: Math.floor(Math.max((results - 1) * stride + extent - pixels, 0) / 2) };
}
