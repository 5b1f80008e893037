/*
 * What lies around an image, for tools that take the padding of each side.
 */
import { imageOf, placeWindow, type WindowSettings } from '../../shared/graph/ops/image.js';
import type { Shape } from '../../shared/graph/shape.js';

/** Padding along an axis, in pixels. */
export interface Sides {
  readonly before: number;
  readonly after: number;
}

/** Padding for windows on an image, vertical and horizontal. @param name of the layer */
export function windowSides(name: string, input: Shape, settings: WindowSettings): [Sides, Sides] {
  const { size } = imageOf(name, input);
  const { results, pad } = placeWindow(name, size, settings);
  return [0, 1].map((axis) => {
    const extent = ((settings.window[axis] as number) - 1) * (settings.dilation[axis] as number) + 1;
    const covered = ((results[axis] as number) - 1) * (settings.strides[axis] as number) + extent;
    const before = pad[axis] as number;
    return { before, after: Math.max(0, covered - (size[axis] as number) - before) };
  }) as [Sides, Sides];
}

/** What a transposed convolution computes around its image: pixels to cut off, and pixels that it does not reach. */
export function transposedSides(
  name: string,
  input: Shape,
  output: Shape,
  settings: WindowSettings,
): [Sides & { readonly more: number }, Sides & { readonly more: number }] {
  const { pad } = placeWindow(name, output as unknown as readonly [number, number], settings);
  return [0, 1].map((axis) => {
    const extent = ((settings.window[axis] as number) - 1) * (settings.dilation[axis] as number) + 1;
    const whole = ((input[axis] as number) - 1) * (settings.strides[axis] as number) + extent;
    const before = pad[axis] as number;
    const after = whole - (output[axis] as number) - before;
    return { before, after: Math.max(0, after), more: Math.max(0, -after) };
  }) as ReturnType<typeof transposedSides>;
}
