/*
 * Image resizing in integer arithmetic, so that every machine computes the same pixels. The filter is bilinear with antialiasing:
 * when an image shrinks, the triangle of weights widens by the scale factor, so every source pixel counts. Pillow (BILINEAR) and
 * torchvision (Resize) use the same filter. Weights are exact fractions, rounded once to multiples of 2^-22. Rows are resized
 * first, then columns; both results are rounded to bytes.
 */
import type { Channels, PixelImage } from './image.js';

/** Height and width, in pixels. */
export type Size = readonly [height: number, width: number];

/**
 * How an image with another aspect ratio is fitted. cover: scaled until it fills the size, and cropped evenly. contain: scaled
 * until it fits, and padded with black. stretch: scaled to the size, without keeping the aspect ratio.
 */
export type Fit = 'cover' | 'contain' | 'stretch';

/** Bits behind the point of a weight. */
const WEIGHT_BITS = 22;
const HALF = 2 ** (WEIGHT_BITS - 1);

/** A part of a row or column, in units of 1/unit pixels. */
interface Span {
  readonly start: number;
  readonly length: number;
  readonly unit: number;
}

/** The source pixels and weights of each result pixel in a row or column. */
interface Weights {
  /** For each result, its first source pixel. */
  readonly first: Int32Array;
  /** For each result, its number of source pixels. */
  readonly count: Int32Array;
  /** The weights of all results in order, in units of 2^-22. */
  readonly values: Int32Array;
}

/** Resizes an image. Returns the same object when it has the size already. */
export function resize(image: PixelImage, channels: Channels, size: Size, fit: Fit): PixelImage {
  const [height, width] = size;
  const { width: w, height: h } = image;
  if (w === width && h === height) return image;
  if (fit === 'contain') {
    const isWide = w * height > h * width;
    const inner: Size = isWide
      ? [Math.max(1, roundedQuotient(h * width, w)), width]
      : [height, Math.max(1, roundedQuotient(w * height, h))];
    return centred(scale(image, channels, inner, whole(w), whole(h)), channels, size);
  }
  if (fit === 'stretch' || w * height === h * width) return scale(image, channels, size, whole(w), whole(h));
  return w * height > h * width
    ? scale(image, channels, size, middle(w, h, width, height), whole(h))
    : scale(image, channels, size, whole(w), middle(h, w, height, width));
}

function whole(length: number): Span {
  return { start: 0, length, unit: 1 };
}

/** The middle part of a side that is too long, with the length `other * part / otherPart`. */
function middle(side: number, other: number, part: number, otherPart: number): Span {
  const unit = 2 * otherPart;
  const length = 2 * other * part;
  return { start: side * otherPart - other * part, length, unit };
}

/** a / b rounded to the nearest integer, halves up. */
function roundedQuotient(a: number, b: number): number {
  return Number((2n * BigInt(a) + BigInt(b)) / (2n * BigInt(b)));
}

/** Scales the part of an image within two spans to a size. */
function scale(
  image: PixelImage,
  channels: Channels,
  [height, width]: Size,
  across: Span,
  along: Span,
): PixelImage {
  const rows = weightsOf(image.height, height, along);
  const columns = weightsOf(image.width, width, across);
  const top = rows.first[0] as number;
  const bottom = (rows.first[height - 1] as number) + (rows.count[height - 1] as number);
  // Rows outside of the vertical span are not resized.
  const stored = image.pixels.subarray(top * image.width * channels, bottom * image.width * channels);
  const narrow = combineColumns(stored, image.width, bottom - top, channels, columns);
  const pixels = combineRows(narrow, top, width * channels, rows);
  return { width, height, pixels };
}

/** Weights that turn a span of `from` pixels into `to` pixels. */
function weightsOf(from: number, to: number, { start, length, unit }: Span): Weights {
  // Positions are in units of 1 / (2 * to * unit) pixels, in which all centres are integers.
  const pixel = 2 * to * unit;
  const reach = Math.max(2 * length, pixel);
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const values: number[] = [];
  for (let result = 0; result < to; result++) {
    const centre = 2 * to * start + (2 * result + 1) * length;
    const begin = Math.max(0, Math.floor((centre - reach) / pixel));
    const end = Math.min(from, Math.ceil((centre + reach) / pixel));
    const heights: number[] = [];
    let sum = 0;
    first[result] = begin;
    for (let i = begin; i < end; i++) {
      const height = reach - Math.abs((2 * i + 1) * to * unit - centre);
      if (height <= 0) {
        // Outside of the triangle.
        if (sum === 0) first[result] = i + 1;
        continue;
      }
      heights.push(height);
      sum += height;
    }
    count[result] = heights.length;
    const all = BigInt(sum);
    for (const height of heights)
      values.push(Number(((BigInt(height) << BigInt(WEIGHT_BITS + 1)) + all) / (2n * all)));
  }
  return { first, count, values: Int32Array.from(values) };
}

function combineColumns(
  pixels: Uint8Array,
  width: number,
  height: number,
  channels: number,
  { first, count, values }: Weights,
): Uint8Array {
  const combined = new Uint8Array(height * first.length * channels);
  let to = 0;
  for (let y = 0; y < height; y++) {
    let weight = 0;
    for (let x = 0; x < first.length; x++) {
      const from = (y * width + (first[x] as number)) * channels;
      const many = count[x] as number;
      for (let channel = 0; channel < channels; channel++) {
        let sum = HALF;
        for (let i = 0; i < many; i++)
          sum += (pixels[from + i * channels + channel] as number) * (values[weight + i] as number);
        combined[to++] = sum >> WEIGHT_BITS;
      }
      weight += many;
    }
  }
  return combined;
}

/** @param top number of the first row in `pixels` */
function combineRows(
  pixels: Uint8Array,
  top: number,
  rowBytes: number,
  { first, count, values }: Weights,
): Uint8Array {
  const combined = new Uint8Array(first.length * rowBytes);
  let weight = 0;
  for (let y = 0; y < first.length; y++) {
    const from = ((first[y] as number) - top) * rowBytes;
    const many = count[y] as number;
    for (let x = 0; x < rowBytes; x++) {
      let sum = HALF;
      for (let i = 0; i < many; i++)
        sum += (pixels[from + i * rowBytes + x] as number) * (values[weight + i] as number);
      combined[y * rowBytes + x] = sum >> WEIGHT_BITS;
    }
    weight += many;
  }
  return combined;
}

/** Places an image in the centre of a black one. */
function centred({ width: w, height: h, pixels }: PixelImage, channels: Channels, size: Size): PixelImage {
  const [height, width] = size;
  const left = Math.floor((width - w) / 2);
  const top = Math.floor((height - h) / 2);
  const all = new Uint8Array(width * height * channels);
  for (let y = 0; y < h; y++)
    all.set(pixels.subarray(y * w * channels, (y + 1) * w * channels), ((top + y) * width + left) * channels);
  return { width, height, pixels: all };
}
