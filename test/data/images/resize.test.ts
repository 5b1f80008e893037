import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PixelImage } from '../../../shared/data/images/image.js';
import { type Fit, resize, type Size } from '../../../shared/data/images/resize.js';

const FITS: readonly Fit[] = ['cover', 'contain', 'stretch'];

const image = (width: number, height: number, pixels: ArrayLike<number>): PixelImage => ({
  width,
  height,
  pixels: Uint8Array.from(pixels),
});

/** The same by its definition, in exact fractions: the mean of all pixels under a triangle, rounded once. */
function stretched(values: readonly number[], to: number): number[] {
  const from = values.length;
  const reach = Math.max(from / to, 1);
  return Array.from({ length: to }, (_, result) => {
    const centre = ((result + 0.5) * from) / to;
    const weights = values.map((_, i) => Math.max(0, 1 - Math.abs(i + 0.5 - centre) / reach));
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    return values.reduce((sum, value, i) => sum + (value * (weights[i] as number)) / all, 0);
  });
}

describe('an image is brought to another size', () => {
  it('by a triangle as wide as the reduction', () => {
    const row = fc.array(fc.nat(255), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(row, fc.integer({ min: 1, max: 40 }), fc.boolean(), (values, to, isColumn) => {
        const [width, height] = isColumn ? [1, values.length] : [values.length, 1];
        const size: Size = isColumn ? [to, 1] : [1, to];
        const { pixels } = resize(image(width, height, values), 1, size, 'stretch');
        for (const [i, wanted] of stretched(values, to).entries())
          expect(Math.abs((pixels[i] as number) - wanted)).toBeLessThanOrEqual(0.5001);
      }),
    );
  });

  it('which leaves one colour as it is, and an image of the right size untouched', () => {
    const side = fc.integer({ min: 1, max: 30 });
    fc.assert(
      fc.property(side, side, side, side, fc.nat(255), (width, height, h, w, byte) => {
        const plain = image(width, height, new Uint8Array(width * height).fill(byte));
        for (const fit of ['cover', 'stretch'] as const) {
          const resized = resize(plain, 1, [h, w], fit);
          expect(resized).toEqual(image(w, h, new Uint8Array(w * h).fill(byte)));
        }
        for (const fit of FITS) expect(resize(plain, 1, [height, width], fit)).toBe(plain);
      }),
    );
  });

  it('cover cuts off evenly what stands out, contain puts it between bars', () => {
    // Columns of 10, 20 to 80, two rows high.
    const columns = [10, 20, 30, 40, 50, 60, 70, 80];
    const wide = image(8, 2, [...columns, ...columns]);
    expect([...resize(wide, 1, [2, 2], 'cover').pixels]).toEqual([40, 50, 40, 50]);
    expect([...resize(wide, 1, [4, 8], 'contain').pixels]).toEqual([
      ...Array(8).fill(0),
      ...columns,
      ...columns,
      ...Array(8).fill(0),
    ]);
    const tall = image(
      2,
      8,
      columns.flatMap((value) => [value, value]),
    );
    expect([...resize(tall, 1, [2, 2], 'cover').pixels]).toEqual([40, 40, 50, 50]);
    expect([...resize(tall, 1, [8, 4], 'contain').pixels]).toEqual(columns.flatMap((v) => [0, v, v, 0]));
    // As narrow as it may be: one pixel of it is left.
    expect([...resize(image(60, 1, Array(60).fill(9)), 1, [3, 3], 'contain').pixels]).toEqual([
      ...[0, 0, 0],
      ...[9, 9, 9],
      ...[0, 0, 0],
    ]);
  });

  it('with colours side by side, as with each by itself', () => {
    const pixels = Array.from({ length: 13 * 9 * 3 }, (_, i) => (i * 71) % 256);
    const colours = image(13, 9, pixels);
    for (const fit of FITS) {
      const all = resize(colours, 3, [5, 7], fit).pixels;
      for (const channel of [0, 1, 2]) {
        const one = image(
          13,
          9,
          pixels.filter((_, i) => i % 3 === channel),
        );
        expect([...resize(one, 1, [5, 7], fit).pixels]).toEqual([...all].filter((_, i) => i % 3 === channel));
      }
    }
  });

  it('to the same pixels everywhere', () => {
    // Written down once; a change here changes what every model trained on resized images sees.
    const pixels = Array.from({ length: 11 * 7 }, (_, i) => (i * i * 37) % 256);
    const resized = (fit: Fit) => [...resize(image(11, 7, pixels), 1, [3, 4], fit).pixels];
    expect(resized('cover')).toEqual([112, 101, 107, 125, 98, 111, 138, 168, 121, 60, 121, 151]);
    expect(resized('stretch')).toEqual([114, 102, 105, 136, 108, 108, 141, 161, 124, 69, 122, 153]);
  });
});
