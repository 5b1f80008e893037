import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPng } from '../../../shared/data/images/png.js';
import { type PngPlan, pngBytes } from '../../support/png.js';

const KINDS: readonly [PngPlan['kind'], PngPlan['bits']][] = [
  ...([1, 2, 4, 8, 16] as const).map((bits) => [0, bits] as [0, typeof bits]),
  ...([8, 16] as const).flatMap((bits) =>
    ([2, 4, 6] as const).map((kind) => [kind, bits] as [2 | 4 | 6, 8 | 16]),
  ),
  ...([1, 2, 4, 8] as const).map((bits) => [3, bits] as [3, typeof bits]),
];

/** A picture of a kind, of numbers that are drawn, and the colours that it should have. */
function picture(kind: PngPlan['kind'], bits: PngPlan['bits'], isInterlaced: boolean) {
  const step = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[kind];
  const size = fc.integer({ min: 1, max: 19 });
  const colour = fc.tuple(...([fc.nat(255), fc.nat(255), fc.nat(255)] as const));
  return fc.tuple(size, size).chain(([width, height]) => {
    const count = width * height * step;
    const numbers = fc.array(fc.nat(2 ** bits - 1), { minLength: count, maxLength: count });
    const colours = kind === 3 ? 2 ** bits : 0;
    const palette = fc.array(colour, { minLength: colours, maxLength: colours });
    return fc.record({ numbers, palette }).map(({ numbers, palette }) => {
      const plan: PngPlan = {
        width,
        height,
        kind,
        bits,
        numbers,
        isInterlaced,
        ...(kind === 3 && { palette }),
      };
      const byte = (number: number) =>
        bits === 16 ? Math.floor(number / 256) : Math.round((number * 255) / (2 ** bits - 1));
      const colours = Array.from({ length: width * height }, (_, pixel) => {
        const own = numbers.slice(pixel * step, pixel * step + step);
        if (kind === 3) return palette[own[0]!]!;
        return kind === 2 || kind === 6 ? own.slice(0, 3).map(byte) : [0, 0, 0].map(() => byte(own[0]!));
      });
      return { plan, colours };
    });
  });
}

describe('pictures of every kind', () => {
  it.each(KINDS)('colour type %i of %i bits', (kind, bits) => {
    const either = fc.boolean().chain((isInterlaced) => picture(kind, bits, isInterlaced && bits >= 8));
    fc.assert(
      fc.property(either, ({ plan, colours }) => {
        const { width, height } = plan;
        const file = pngBytes(plan);
        const inColour = readPng(file, 'a.png', 3);
        expect(inColour).toEqual({ width, height, pixels: Uint8Array.from(colours.flat()) });
        // Whole numbers throughout, and grey stays as it is.
        const grey = colours.map(([r, g, b]) =>
          Math.floor((19595 * r! + 38470 * g! + 7471 * b! + 32768) / 65536),
        );
        expect(readPng(file, 'a.png', 1).pixels).toEqual(Uint8Array.from(grey));
        if (kind === 0 || kind === 4) expect(grey).toEqual(colours.map(([r]) => r));
      }),
      { numRuns: 25 },
    );
  });
});

describe('what is no PNG', () => {
  const whole = pngBytes({ width: 2, height: 2, kind: 0, bits: 8, numbers: [1, 2, 3, 4] });
  const told = (bytes: Uint8Array): string => {
    try {
      readPng(bytes, 'cats/a.png', 1);
    } catch (error) {
      expect(error).toMatchObject({ name: 'UserError' });
      return (error as Error).message;
    }
    return 'nothing';
  };

  it('is told with its file', () => {
    expect(told(Buffer.from('GIF89a'))).toBe(
      'cats/a.png is neither PNG nor JPEG; convert it: magick cats/a.png -interlace none PNG24:cats/a.png',
    );
    const interlaced = {
      width: 2,
      height: 2,
      kind: 0,
      bits: 1,
      numbers: [1, 0, 1, 0],
      isInterlaced: true,
    } as const;
    expect(told(pngBytes(interlaced))).toContain('cats/a.png is interlaced with 1 bits a pixel; convert it');
    const palette = { width: 1, height: 1, kind: 3, bits: 8, numbers: [7], palette: [[1, 2, 3]] } as const;
    expect(told(pngBytes(palette))).toContain('names a colour that its palette lacks');
    const large = whole.slice();
    large.set([0, 1, 0, 0, 0, 1, 0, 0], 16);
    expect(told(large)).toBe(
      'cats/a.png has 65536 x 65536 pixels, more than the 16777216 allowed; make it smaller',
    );
  });

  it('wherever it ends early, and whichever byte is another', () => {
    for (let length = 8; length < whole.length; length++)
      expect(told(whole.subarray(0, length)), `${length} bytes`).toMatch(
        /is no whole PNG|is neither PNG nor JPEG/,
      );
    for (let at = 0; at < whole.length; at++) {
      const other = whole.slice();
      other[at]! ^= 4;
      expect(told(other), `byte ${at}`).toMatch(/^cats\/a.png (is no|is neither|has \d+ x \d+ pixels)/);
    }
  });
});
