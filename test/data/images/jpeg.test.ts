import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { greyOf, PIXELS_MAX } from '../../../shared/data/images/image.js';
import { readJpeg } from '../../../shared/data/images/jpeg.js';
import { isJpeg, readSegments } from '../../../shared/data/images/jpeg-segments.js';
import { CMYK, COLOURED, GREY, RARE, segmentAt } from './jpeg-bytes.js';

const [WIDTH, HEIGHT] = [12, 9];
/** Of what was written at quality 90: in smooth pictures, colours too. */
const LOSS = 6;
/** And where colours are stored at half of the size: decoders smooth them, which moves the means of neighbours. */
const SMOOTHED_LOSS = 10;

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

const cases = join(import.meta.dirname, '..', 'cases');

/** The file with other bytes from a place on. */
function changed(file: Uint8Array, at: number, ...bytes: number[]): Uint8Array {
  const copy = Uint8Array.from(file);
  copy.set(bytes, at);
  return copy;
}

const segment = (marker: number, ...body: number[]): number[] => {
  const length = body.length + 2;
  return [0xff, marker, length >> 8, length & 255, ...body];
};

/** The file with something before a segment. */
function inserted(file: Uint8Array, marker: number, bytes: readonly number[]): Uint8Array {
  const at = segmentAt(file, marker);
  return Uint8Array.of(...file.subarray(0, at), ...bytes, ...file.subarray(at));
}

describe('a JPEG has the colours that libjpeg reads', () => {
  it.each(['rgb.jpg', 'rgb-no-adobe.jpg'])('in %s', async (name) => {
    const { pixels } = await readJpeg(readFileSync(join(cases, name)), name, 3);
    expect(new Set(pixels.join().match(/\d+,\d+,\d+/g))).toEqual(new Set(['220,40,40']));
  });

  /** One colour, (220, 40, 40), stored as red, green and blue; without Adobe's marker, and without JFIF's. */
  const stored = readFileSync(join(cases, 'rgb-no-adobe.jpg'));
  const adobe = (transform: number) => segment(0xee, ...Buffer.from('Adobe'), 0, 100, 0, 0, 0, 0, transform);
  const jfif = segment(0xe0, ...Buffer.from('JFIF\0'), 1, 1, 0, 0, 1, 0, 1, 0, 0);
  const named = (...ids: number[]) => {
    const [frame, scan] = [segmentAt(stored, 0xc0), segmentAt(stored, 0xda)];
    let file: Uint8Array = stored;
    for (const [i, id] of ids.entries())
      file = changed(changed(file, frame + 10 + 3 * i, id), scan + 5 + 2 * i, id);
    return file;
  };
  const asRgb = '220,40,40';
  // The same three numbers as luminance and two differences: 220 + 1.402 * (40 - 128) and so on.
  const asLuminance = '97,255,64';
  it.each<[string, Uint8Array, string]>([
    ['components R, G, B', stored, asRgb],
    ['components r, g, b', named(...Buffer.from('rgb')), asLuminance],
    ['components 1, 2, 3', named(1, 2, 3), asLuminance],
    ['components 0, 1, 2', named(0, 1, 2), asLuminance],
    ['components 1, 2, 3 and Adobe transform 0', inserted(named(1, 2, 3), 0xdb, adobe(0)), asRgb],
    ['components R, G, B and Adobe transform 1', inserted(stored, 0xdb, adobe(1)), asLuminance],
    ['an unknown Adobe transform', inserted(stored, 0xdb, adobe(7)), asLuminance],
    ['JFIF, whatever the components are called', inserted(stored, 0xdb, jfif), asLuminance],
    ['JFIF before Adobe transform 0', inserted(stored, 0xdb, [...jfif, ...adobe(0)]), asLuminance],
    ['Adobe transform 0 before JFIF', inserted(stored, 0xdb, [...adobe(0), ...jfif]), asLuminance],
    ['an incomplete JFIF segment', inserted(stored, 0xdb, segment(0xe0, 74, 70, 73, 70, 0)), asRgb],
  ])('with %s', async (_, file, wanted) => {
    const { pixels } = await readJpeg(file, 'a.jpg', 3);
    const [found] = pixels.join().match(/\d+,\d+,\d+/g) as string[];
    const far = (found as string)
      .split(',')
      .map((value, i) => Math.abs(Number(value) - Number(wanted.split(',')[i])));
    expect(Math.max(...far), found).toBeLessThanOrEqual(2);
  });

  it.each<[string, (file: Uint8Array) => Uint8Array]>([
    ['bytes of 0xff before a marker', (file) => inserted(file, 0xdb, [0xff, 0xff, 0xff])],
    ['other bytes between segments', (file) => inserted(file, 0xdb, [1, 2, 3])],
    [
      'a damaged colour profile',
      (file) => inserted(file, 0xdb, segment(0xe2, ...Buffer.from('ICC_PROFILE\0'), 9, 1)),
    ],
    [
      'a newer JFIF',
      (file) => inserted(file, 0xdb, segment(0xe0, ...Buffer.from('JFIF\0'), 9, 9, 0, 0, 1, 0, 1, 0, 0)),
    ],
    [
      'damaged Exif',
      (file) => inserted(file, 0xdb, segment(0xe1, ...Buffer.from('Exif\0\0MM\0*'), 255, 255, 255, 255)),
    ],
    ['another image after its end', (file) => Uint8Array.of(...file, ...stored)],
  ])('also with %s', async (_, change) => {
    const wanted = await readJpeg(GREY, 'a.jpg', 3);
    expect(await readJpeg(change(GREY), 'a.jpg', 3)).toEqual(wanted);
  });
});

describe('a JPEG with four components', () => {
  const transformAt = (file: Uint8Array) => segmentAt(file, 0xee) + 15;
  const corners = async (file: Uint8Array) => {
    const { width, height, pixels, isCmyk } = await readJpeg(file, 'a.jpg', 3);
    expect([width, height, isCmyk]).toEqual([16, 8, true]);
    return [...pixels.subarray(3 * 66, 3 * 67), ...pixels.subarray(3 * 77, 3 * 78)];
  };

  // As Pillow reads them.
  it.each<[string, Uint8Array, number[]]>([
    ['and Adobe transform 0 is CMYK', CMYK, [46, 190, 164, 245, 35, 135]],
    [
      'and no Adobe marker is CMYK',
      Uint8Array.of(...CMYK.subarray(0, 2), ...CMYK.subarray(18)),
      [46, 190, 164, 245, 35, 135],
    ],
    ['and Adobe transform 2 is YCCK', changed(CMYK, transformAt(CMYK), 2), [89, 215, 24, 0, 0, 175]],
    ['and an unknown Adobe transform is YCCK', changed(CMYK, transformAt(CMYK), 9), [89, 215, 24, 0, 0, 175]],
  ])('%s', async (_, file, wanted) => {
    expect(await corners(file)).toEqual(wanted);
  });

  it('is refused in arithmetic coding', async () => {
    await expect(readJpeg(changed(CMYK, segmentAt(CMYK, 0xc0) + 1, 0xc9), 'a.jpg', 3)).rejects.toThrow(
      '(arithmetic coding of such colours is not supported)',
    );
  });
});

it('a JPEG with planes of two thirds of its size is refused, as libjpeg does', async () => {
  const frame = segmentAt(RARE, 0xc0);
  const file = changed(changed(RARE, frame + 11, 0x31), frame + 14, 0x21);
  await expect(readJpeg(file, 'a.jpg', 3)).rejects.toThrow(
    'a.jpg stores a colour at a fraction of the image size, such as two thirds, which libjpeg does not support',
  );
});

describe('bytes before the end of a JPEG', () => {
  const endingIn = (file: Uint8Array, bytes: readonly number[]) =>
    Uint8Array.of(...file.subarray(0, -2), ...bytes, 0xff, 0xd9);
  const files = { GREY, CMYK, RARE, ...COLOURED };
  it.each(Object.entries(files))('are skipped: %s', async (_, file) => {
    const wanted = await readJpeg(file, 'a.jpg', 3);
    for (const bytes of [[0], [0xfe, 0xff], Array(700).fill(0x5a), [0xff, 0x00, 0xff, 0x00]])
      expect(await readJpeg(endingIn(file, bytes), 'a.jpg', 3)).toEqual(wanted);
  });

  it('are skipped between scans, and do not hide damage there', async () => {
    const file = COLOURED.progressive as Uint8Array;
    const wanted = await readJpeg(file, 'a.jpg', 3);
    const behindScans = (removed: number, bytes: readonly number[]) =>
      readSegments(file, 'a.jpg')
        .scans.toReversed()
        .reduce<Uint8Array>(
          (all, { end }) => Uint8Array.of(...all.subarray(0, end - removed), ...bytes, ...all.subarray(end)),
          readSegments(file, 'a.jpg').essential,
        );
    for (const bytes of [[0], [0xfe, 0xff], Array(90).fill(0x5a)])
      expect(await readJpeg(behindScans(0, bytes), 'a.jpg', 3)).toEqual(wanted);
    await expect(readJpeg(behindScans(2, []), 'a.jpg', 3)).rejects.toThrow('its compressed data is damaged');
  });

  it.each(Object.entries(files))('do not hide missing pixels: %s', async (_, file) => {
    for (const bytes of [[], [0xff, 0xd0]])
      await expect(readJpeg(endingIn(file.subarray(0, -4), bytes), 'a.jpg', 3)).rejects.toThrow(
        'its compressed data is damaged',
      );
  });
});

it('a JPEG with rare sampling factors has the colours that were drawn', async () => {
  const { pixels, isCmyk } = await readJpeg(RARE, 'a.jpg', 3);
  // Squares do not cover what shares a colour: the means of luminance are compared.
  const luma = (values: readonly number[]) =>
    drawn.map((_, i) => greyOf(...(values.slice(3 * i, 3 * i + 3) as [number, number, number])));
  const [wanted, found] = [luma(drawn.flat()), luma([...pixels])];
  expect(isCmyk).toBe(false);
  expect(furthest(found, wanted)).toBeLessThanOrEqual(2 * SMOOTHED_LOSS);
});

describe('a JPEG', () => {
  it.each(Object.entries(COLOURED))('%s, has the colours that were drawn', async (name, bytes) => {
    expect(isJpeg(bytes)).toBe(true);
    const { width, height, pixels } = await readJpeg(bytes, 'a.jpg', 3);
    expect([width, height]).toEqual([WIDTH, HEIGHT]);
    if (name.includes('half')) {
      // The means of squares are the means of what was drawn.
      const [wanted, found] = [drawn.flat(), [...pixels]].map(meansOfSquares);
      expect(furthest(found as number[], wanted as number[])).toBeLessThanOrEqual(SMOOTHED_LOSS);
    } else expect(furthest(pixels, drawn.flat())).toBeLessThanOrEqual(LOSS);
    const grey = (await readJpeg(bytes, 'a.jpg', 1)).pixels;
    const weighed = drawn.map((_, i) =>
      greyOf(...(Array.from(pixels.subarray(3 * i, 3 * i + 3)) as [number, number, number])),
    );
    expect([...grey]).toEqual(weighed);
  });

  it('of grey stays grey', async () => {
    const wanted = drawn.map((_, i) => (20 * (i % WIDTH) + 3 * Math.floor(i / WIDTH)) % 256);
    const { pixels } = await readJpeg(GREY, 'a.jpg', 1);
    expect(furthest(pixels, wanted)).toBeLessThanOrEqual(LOSS);
    const inColour = await readJpeg(GREY, 'a.jpg', 3);
    expect([...inColour.pixels]).toEqual([...pixels].flatMap((grey) => [grey, grey, grey]));
  });

  it('that is truncated anywhere is refused', async () => {
    for (const bytes of [...Object.values(COLOURED), GREY, CMYK, RARE])
      for (let length = 0; length < bytes.length - 2; length++)
        await expect(readJpeg(bytes.subarray(0, length), 'a.jpg', 3), `${length}`).rejects.toThrow(
          /^a\.jpg is not a valid JPEG \(.+\); save or download it again$/,
        );
  });

  it('with too many pixels in its header is refused before decoding', async () => {
    const large = Uint8Array.from(GREY);
    const frame = large.findIndex((byte, i) => byte === 0xff && large[i + 1] === 0xc0);
    large.set([0xff, 0xff, 0xff, 0xff], frame + 5);
    await expect(readJpeg(large, 'a.jpg', 1)).rejects.toThrow(
      `a.jpg has 65535 x 65535 pixels, more than the ${PIXELS_MAX} allowed; resize it`,
    );
  });

  it.each<[string, number, number[], RegExp]>([
    [
      '12 bits per colour',
      4,
      [12],
      /^a\.jpg has 12 bits per colour, and only 8 are supported; convert it: magick a\.jpg/,
    ],
    ['no height', 5, [0, 0], /^a\.jpg has 12 x 0 pixels: its header is damaged; save it again$/],
    [
      'lossless coding',
      1,
      [0xc3],
      /^a\.jpg is a lossless or hierarchical JPEG, which is not supported; convert it/,
    ],
    ['sampling factors of 0', 11, [0], /\(its sampling factors are damaged\)/],
    ['a component too many', 9, [2], /\(its frame header is damaged\)/],
  ])('with %s is refused', async (_, at, bytes, message) => {
    const frame = segmentAt(GREY, 0xc0);
    await expect(readJpeg(changed(GREY, frame + at, ...bytes), 'a.jpg', 3)).rejects.toThrow(message);
  });

  it('with too many scans is refused before decoding', async () => {
    const progressive = COLOURED.progressive as Uint8Array;
    const scan = progressive.subarray(progressive.lastIndexOf(0xda) - 1, -2);
    const many = Buffer.concat([
      progressive.subarray(0, -2),
      ...Array(100).fill(scan),
      progressive.subarray(-2),
    ]);
    await expect(readJpeg(many, 'a.jpg', 3)).rejects.toThrow(
      /in 101 or more scans, which would take too long to decode/,
    );
  });

  it('is decoded after a damaged one', async () => {
    const wanted = await readJpeg(GREY, 'a.jpg', 1);
    const scan = segmentAt(GREY, 0xda);
    const zeros = changed(GREY, scan + 10, ...Array(GREY.length - scan - 12).fill(0));
    await expect(readJpeg(zeros, 'a.jpg', 1)).rejects.toThrow(
      'a.jpg is not a valid JPEG (its compressed data is damaged)',
    );
    expect(await readJpeg(GREY, 'a.jpg', 1)).toEqual(wanted);
  });
});
