import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readOrientation, turnUpright } from '../../../shared/data/images/exif-orientation.js';
import type { Orientation } from '../../../shared/data/images/image.js';

/** Exif with one table of entries [tag, type, value]. */
function exif(entries: readonly (readonly [number, number, number])[], isLittle: boolean): Uint8Array {
  const bytes = new Uint8Array(8 + 2 + 12 * entries.length + 4);
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from(isLittle ? 'II' : 'MM'));
  view.setUint16(2, 42, isLittle);
  view.setUint32(4, 8, isLittle);
  view.setUint16(8, entries.length, isLittle);
  for (const [i, [tag, type, value]] of entries.entries()) {
    view.setUint16(10 + 12 * i, tag, isLittle);
    view.setUint16(12 + 12 * i, type, isLittle);
    view.setUint32(14 + 12 * i, 1, isLittle);
    if (type === 3 || type === 8) view.setUint16(18 + 12 * i, value, isLittle);
    else view.setUint32(18 + 12 * i, value, isLittle);
  }
  return bytes;
}

describe('the orientation in Exif', () => {
  it.each([true, false])('stands among other tags, in either byte order (little: %s)', (isLittle) => {
    for (let value = 1; value <= 8; value++)
      for (const type of [3, 4, 8, 9]) {
        const bytes = exif(
          [
            [0x010f, 2, 99],
            [0x0112, type, value],
            [0x8769, 4, 1e9],
          ],
          isLittle,
        );
        expect(readOrientation(bytes)).toBe(value);
        expect(readOrientation(Buffer.concat([Buffer.from('Exif\0\0'), bytes]))).toBe(value);
      }
  });

  it('counts as upright when it is of another type or out of range, and may be missing', () => {
    for (const [type, value] of [
      [3, 0],
      [3, 9],
      [2, 6],
      [5, 6],
      [4, 0xffffffff],
    ] as const)
      expect(readOrientation(exif([[0x0112, type, value]], true))).toBe(1);
    expect(readOrientation(exif([], false))).toBeUndefined();
    const whole = exif([[0x0112, 3, 6]], true);
    for (let length = 0; length < whole.length - 4; length++)
      expect(readOrientation(whole.subarray(0, length))).toBeUndefined();
  });

  it('is found in any bytes in no time, or counts as upright', () => {
    const bytes = fc
      .uint8Array({ maxLength: 200 })
      .map((rest) => Buffer.concat([Buffer.from('II*\0'), rest]));
    fc.assert(
      fc.property(bytes, (exif) => [undefined, 1, 2, 3, 4, 5, 6, 7, 8].includes(readOrientation(exif))),
    );
  });
});

it.each<[Orientation, string]>([
  [1, 'abc def'],
  [2, 'cba fed'],
  [3, 'fed cba'],
  [4, 'def abc'],
  [5, 'ad be cf'],
  [6, 'da eb fc'],
  [7, 'fc eb da'],
  [8, 'cf be ad'],
])('a picture with orientation %i is turned upright', (orientation, rows) => {
  for (const channels of [1, 3] as const) {
    const many = (text: string) => Buffer.from([...text].map((letter) => letter.repeat(channels)).join(''));
    const stored = { width: 3, height: 2, pixels: new Uint8Array(many('abcdef')) };
    const { width, height, pixels } = turnUpright(stored, channels, orientation);
    expect([width, height]).toEqual([rows.indexOf(' '), rows.split(' ').length]);
    expect(Buffer.from(pixels).toString()).toBe(many(rows.replaceAll(' ', '')).toString());
  }
});
