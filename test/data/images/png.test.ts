import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PIXELS_MAX } from '../../../shared/data/images/image.js';
import { readPng } from '../../../shared/data/images/png.js';
import { readImage } from '../../../shared/data/images/read-image.js';
import { chunk, PNG_KINDS, type PngChunk, type PngPlan, pngBytes } from '../../support/png.js';

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
  it.each(PNG_KINDS)('colour type %i of %i bits', (kind, bits) => {
    const either = fc.boolean().chain((isInterlaced) => picture(kind, bits, isInterlaced));
    fc.assert(
      fc.property(either, ({ plan, colours }) => {
        const { width, height } = plan;
        const file = pngBytes(plan);
        const inColour = readPng(file, 'a.png', 3);
        const pixels = Uint8Array.from(colours.flat());
        const hasAlpha = kind === 4 || kind === 6;
        const step = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[kind];
        const isTransparent =
          hasAlpha && plan.numbers.some((n, i) => i % step === step - 1 && n < 2 ** bits - 1);
        expect(inColour).toEqual({
          width,
          height,
          pixels,
          orientation: 1,
          isTransparent,
          isDeep: bits === 16,
          isAnimated: false,
        });
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

describe('ancillary chunks', () => {
  const plan: PngPlan = {
    width: 3,
    height: 2,
    kind: 2,
    bits: 8,
    numbers: Array.from({ length: 18 }, (_, i) => 14 * i),
  };
  const wanted = readPng(pngBytes(plan), 'a.png', 3);
  const text = [...Buffer.from('Comment\0text')];
  it.each<[string, PngChunk[]]>([
    ['text with a wrong checksum', [{ name: 'tEXt', data: text, isDamaged: true }]],
    [
      'text that is none',
      [
        { name: 'tEXt', data: [0, 1, 2] },
        { name: 'zTXt', data: [] },
        { name: 'iTXt', data: [9] },
      ],
    ],
    ['a damaged colour profile', [{ name: 'iCCP', data: [...Buffer.from('sRGB\0\0'), 1, 2, 3] }]],
    ['a colour profile of an unknown compression', [{ name: 'iCCP', data: [...Buffer.from('sRGB\0\x07')] }]],
    ['a resolution of the wrong length', [{ name: 'pHYs', data: [1] }]],
    ['transparency of the wrong length', [{ name: 'tRNS', data: [1, 2, 3] }]],
    ['transparency with a wrong checksum', [{ name: 'tRNS', data: [0, 1, 0, 1, 0, 1], isDamaged: true }]],
    ['a gamma of 0', [{ name: 'gAMA', data: [0, 0, 0, 0] }]],
    ['Exif with a wrong checksum', [{ name: 'eXIf', data: [...exifOf(6)], isDamaged: true }]],
    [
      'unknown chunks',
      [
        { name: 'vpAg', data: [1, 2] },
        { name: 'npTc', data: [] },
      ],
    ],
    ['a suggested palette that is damaged', [{ name: 'PLTE', data: [1], isDamaged: true }]],
  ])('do not change pixels: %s', (_, chunks) => {
    expect(readPng(pngBytes({ ...plan, chunks }), 'a.png', 3)).toEqual(wanted);
  });

  it('tell of transparency', () => {
    const read = (chunks: PngChunk[]) => readPng(pngBytes({ ...plan, chunks }), 'a.png', 3);
    expect(read([{ name: 'tRNS', data: [0, 1, 0, 1, 0, 1] }])).toEqual({ ...wanted, isTransparent: true });
  });

  it('give the orientation in Exif', async () => {
    const chunks = [{ name: 'eXIf', data: [...exifOf(6)] }];
    const { width, height, pixels, orientation } = await readImage(pngBytes({ ...plan, chunks }), 'a.png', 3);
    expect([width, height, orientation]).toEqual([2, 3, 6]);
    expect([...pixels.subarray(0, 3)]).toEqual([...wanted.pixels.subarray(9, 12)]);
  });

  const rawProfile = (value: number) => {
    const profile = Buffer.concat([Buffer.from('Exif\0\0'), exifOf(value)]);
    const digits = profile.toString('hex').replace(/.{72}/g, '$&\n');
    return `\nexif\n${String(profile.length).padStart(8)}\n${digits}\n`;
  };
  const packet = (value: unknown) =>
    `XML:com.adobe.xmp\0\0\0\0\0<rdf:Description tiff:Orientation="${value}"/>`;
  const textChunk = (name: string, ...content: (string | Uint8Array)[]): PngChunk => ({
    name,
    data: [...Buffer.concat(content.map((part) => Buffer.from(part as string)))],
  });
  const exif = (value: number): PngChunk => ({ name: 'eXIf', data: [...exifOf(value)] });
  const compressed = (value: number) => deflateSync(rawProfile(value));
  const compressedPacket = deflateSync('<tiff:Orientation>3</tiff:Orientation>');
  // As Pillow reads them.
  it.each<[string, PngChunk[], number]>([
    ['a text of digits', [textChunk('tEXt', 'Raw profile type exif\0', rawProfile(6))], 6],
    ['a compressed text', [textChunk('zTXt', 'Raw profile type exif\0\0', compressed(8))], 8],
    ['an XMP packet', [textChunk('iTXt', packet(3))], 3],
    ['a compressed packet', [textChunk('iTXt', 'XML:com.adobe.xmp\0\x01\0de\0XMP\0', compressedPacket)], 3],
    ['Exif before a text', [textChunk('tEXt', 'Raw profile type exif\0', rawProfile(6)), exif(2)], 2],
    [
      'a text before a packet',
      [textChunk('iTXt', packet(3)), textChunk('zTXt', 'Raw profile type exif\0\0', compressed(8))],
      8,
    ],
    ['an unknown value', [textChunk('iTXt', packet(9))], 1],
    [
      'a text that is cut off',
      [textChunk('zTXt', 'Raw profile type exif\0\0', compressed(8).subarray(0, 20))],
      1,
    ],
    ['a text without an end of its keyword', [textChunk('zTXt', 'Raw profile type exif')], 1],
    ['no digits', [textChunk('tEXt', 'Raw profile type exif\0', 'no digits')], 1],
  ])('give the orientation in %s', (_, chunks, wanted) => {
    expect(readPng(pngBytes({ ...plan, chunks }), 'a.png', 3).orientation).toBe(wanted);
  });

  it('are not skipped when they are critical', () => {
    const read = (chunks: PngChunk[]) => () => readPng(pngBytes({ ...plan, chunks }), 'a.png', 3);
    expect(read([{ name: 'CgBI', data: [1] }])).toThrow(
      'a.png has an unknown critical chunk CgBI; convert it',
    );
    expect(read([{ name: 'IDAT', data: [1], isDamaged: true }])).toThrow('(its IDAT chunk is damaged)');
    expect(read([{ name: 'IHDR', data: [1] }])).toThrow('(it has two headers)');
    const palette = { ...plan, kind: 3, numbers: Array(6).fill(0), palette: [[1, 2, 3]] } as const;
    expect(readPng(pngBytes(palette), 'a.png', 3).pixels.subarray(0, 3)).toEqual(Uint8Array.of(1, 2, 3));
    const damaged = { ...palette, palette: [], chunks: [{ name: 'PLTE', data: [1, 2, 3], isDamaged: true }] };
    expect(() => readPng(pngBytes(damaged), 'a.png', 3)).toThrow(/is not a valid PNG \(/);
  });
});

/** Little-endian Exif with an orientation alone. */
function exifOf(orientation: number): Uint8Array {
  return Uint8Array.of(
    ...Buffer.from('II*\0'),
    8,
    0,
    0,
    0,
    1,
    0,
    0x12,
    1,
    3,
    0,
    1,
    0,
    0,
    0,
    orientation,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
  );
}

describe('compressed data', () => {
  const head = (width: number, height: number) => [
    0,
    0,
    width >> 8,
    width & 255,
    0,
    0,
    height >> 8,
    height & 255,
    8,
    0,
    0,
    0,
    0,
  ];
  const file = (width: number, height: number, rows: Uint8Array) =>
    Uint8Array.from([
      ...pngBytes({ width: 1, height: 1, kind: 0, bits: 8, numbers: [0] }).subarray(0, 8),
      ...chunk('IHDR', head(width, height)),
      ...chunk('IDAT', [...deflateSync(rows)]),
      ...chunk('IEND', []),
    ]);

  it('is decompressed to little more than the size in the header', () => {
    const rows = Uint8Array.of(0, 7, 8, 0, 9, 10);
    const { pixels } = readPng(file(2, 2, Buffer.concat([rows, new Uint8Array(1000)])), 'a.png', 1);
    expect([...pixels]).toEqual([7, 8, 9, 10]);
    const bomb = file(2, 2, new Uint8Array(2 ** 25));
    expect(bomb.length).toBeLessThan(40_000);
    const before = process.memoryUsage().arrayBuffers;
    expect(() => readPng(bomb, 'a.png', 1)).toThrow(
      'a.png is not a valid PNG (its compressed data is damaged)',
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  });

  it('is refused when pixels are missing', () => {
    for (let length = 0; length < 6; length++)
      expect(() => readPng(file(2, 2, new Uint8Array(length)), 'a.png', 1)).toThrow(
        /not a valid PNG \(some of its pixels/,
      );
  });

  it('is refused with an unknown filter', () => {
    expect(() => readPng(file(2, 1, Uint8Array.of(5, 1, 2)), 'a.png', 1)).toThrow('(its rows are damaged)');
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
    const palette = { width: 1, height: 1, kind: 3, bits: 8, numbers: [7], palette: [[1, 2, 3]] } as const;
    expect(told(pngBytes(palette))).toContain('uses a colour that is not in its palette');
    const large = whole.slice();
    large.set([0, 0, 255, 255, 0, 0, 255, 255], 16);
    expect(told(large)).toBe(
      `cats/a.png has 65535 x 65535 pixels, more than the ${PIXELS_MAX} allowed; resize it`,
    );
    large.set([0, 1, 0, 0, 0, 0, 0, 1], 16);
    expect(told(large)).toBe(
      'cats/a.png has 65536 x 1 pixels, and a side may have at most 65535; split or resize it',
    );
  });

  it('wherever it ends early, and whichever byte is another', () => {
    for (let length = 8; length < whole.length; length++)
      expect(told(whole.subarray(0, length)), `${length} bytes`).toMatch(
        /is not a valid PNG|is neither PNG nor JPEG/,
      );
    for (let at = 0; at < whole.length; at++) {
      const other = whole.slice();
      other[at]! ^= 4;
      expect(told(other), `byte ${at}`).toMatch(
        /^cats\/a.png (is not a valid PNG|is neither|has \d+ x \d+ pixels)/,
      );
    }
  });
});
