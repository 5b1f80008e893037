/*
 * What lies around an image, for tools that take the padding of each side.
 */
import { type Conv3dAttributes, volumeOf } from '../../shared/graph/ops/conv3d.js';
import { imageOf, placeAxis, placeWindow, type WindowSettings } from '../../shared/graph/ops/image.js';
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

/** Padding for windows on a volume: along its depth, vertical and horizontal. @param name of the layer */
export function volumeSides(
  name: string,
  input: Shape,
  { kernelSize, strides, padding, dilation }: Omit<Conv3dAttributes, 'filters' | 'useBias'>,
): Sides[] {
  const { depth, size } = volumeOf(name, input);
  return [depth, ...size].map((pixels, axis) => {
    const [stride, step] = [strides[axis] as number, dilation[axis] as number];
    const settings = { taps: kernelSize[axis] as number, stride, padding, dilation: step };
    const { results, pad, extent } = placeAxis(pixels, settings);
    return { before: pad, after: Math.max(0, (results - 1) * stride + extent - pixels - pad) };
  });
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
