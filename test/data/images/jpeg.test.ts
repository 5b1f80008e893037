import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { greyOf } from '../../../shared/data/images/image.js';
import { isJpeg, readJpeg } from '../../../shared/data/images/jpeg.js';
import { UserError } from '../../../shared/errors.js';
import { COLOURED, GREY } from './jpeg-bytes.js';

const [WIDTH, HEIGHT] = [12, 9];
/** Of what was written at quality 90: in smooth pictures, colours too. */
const LOSS = 6;

const drawn = Array.from({ length: WIDTH * HEIGHT }, (_, i) => {
  const [x, y] = [i % WIDTH, Math.floor(i / WIDTH)];
  return [20 * x, 25 * y + 10, 255 - 10 * x - 12 * y] as const;
});

function furthest(pixels: ArrayLike<number>, wanted: readonly number[]): number {
  expect(pixels).toHaveLength(wanted.length);
  return Math.max(...wanted.map((value, i) => Math.abs(value - (pixels[i] as number))));
}

/** Of each colour over every two by two pixels. */
function meansOfSquares(values: readonly number[]): number[] {
  return Array.from({ length: (WIDTH / 2) * Math.floor(HEIGHT / 2) * 3 }, (_, i) => {
    const [square, colour] = [Math.floor(i / 3), i % 3];
    const at = (2 * Math.floor(square / (WIDTH / 2)) * WIDTH + 2 * (square % (WIDTH / 2))) * 3 + colour;
    const four = [at, at + 3, at + 3 * WIDTH, at + 3 * WIDTH + 3].map((place) => values[place] as number);
    return four.reduce((sum, value) => sum + value / 4, 0);
  });
}

describe('a JPEG', () => {
  it.each(Object.entries(COLOURED))('%s, has the colours that were drawn', (name, bytes) => {
    expect(isJpeg(bytes)).toBe(true);
    const { width, height, pixels } = readJpeg(bytes, 'a.jpg', 3);
    expect([width, height]).toEqual([WIDTH, HEIGHT]);
    if (name.includes('half')) {
      // Colours come in squares, whose means are the means of what was drawn.
      const [wanted, found] = [drawn.flat(), [...pixels]].map(meansOfSquares);
      expect(furthest(found as number[], wanted as number[])).toBeLessThanOrEqual(LOSS);
    } else expect(furthest(pixels, drawn.flat())).toBeLessThanOrEqual(LOSS);
    const grey = readJpeg(bytes, 'a.jpg', 1).pixels;
    const weighed = drawn.map((_, i) =>
      greyOf(...(Array.from(pixels.subarray(3 * i, 3 * i + 3)) as [number, number, number])),
    );
    expect([...grey]).toEqual(weighed);
  });

  it('of grey stays grey', () => {
    const wanted = drawn.map((_, i) => (20 * (i % WIDTH) + 3 * Math.floor(i / WIDTH)) % 256);
    const { pixels } = readJpeg(GREY, 'a.jpg', 1);
    expect(furthest(pixels, wanted)).toBeLessThanOrEqual(LOSS);
    expect([...readJpeg(GREY, 'a.jpg', 3).pixels]).toEqual([...pixels].flatMap((grey) => [grey, grey, grey]));
  });

  it('that is cut short is told, wherever it ends', () => {
    for (const bytes of [...Object.values(COLOURED), GREY])
      for (let length = 0; length < bytes.length - 2; length++)
        expect(() => readJpeg(bytes.subarray(0, length), 'a.jpg', 3), `${length}`).toThrow(
          /^a\.jpg is no whole JPEG \(.+\); make it again$/,
        );
  });

  it('whose header claims more pixels than are allowed is not begun with', () => {
    const large = Uint8Array.from(GREY);
    const frame = large.findIndex((byte, i) => byte === 0xff && large[i + 1] === 0xc0);
    large.set([0xff, 0xff, 0xff, 0xff], frame + 5);
    expect(() => readJpeg(large, 'a.jpg', 1)).toThrow(
      'a.jpg has 65535 x 65535 pixels, more than the 16777216 allowed; make it smaller',
    );
  });

  it('with bytes turned is an image or an error of one line', () => {
    const files = [...Object.values(COLOURED), GREY];
    const blows = fc.array(fc.tuple(fc.nat(700), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...files), blows, (file, blows) => {
        const bytes = Uint8Array.from(file);
        for (const [at, value] of blows) bytes[at % bytes.length] = value;
        try {
          const { width, height, pixels } = readJpeg(bytes, 'a.jpg', 3);
          expect(pixels).toHaveLength(width * height * 3);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
          expect((error as Error).message).not.toContain('\n');
        }
      }),
      { numRuns: 300 },
    );
  });
});
