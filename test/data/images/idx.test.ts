import { describe, expect, it } from 'vitest';
import { parseIdx } from '../../../shared/data/images/idx.js';
import { UserError } from '../../../shared/errors.js';
import { idxBytes } from './idx-bytes.js';

describe('parseIdx', () => {
  it('reads the bytes of a file written by hand', () => {
    const file = Uint8Array.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]);
    const array = parseIdx(file, 'f');
    expect(array.dimensions).toEqual([2, 3]);
    expect([...array.bytes]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('reads a view in the middle of a buffer', () => {
    const file = Uint8Array.from([9, 9, 9, 0, 0, 8, 1, 0, 0, 1, 0, ...new Uint8Array(256), 7]);
    const array = parseIdx(file.subarray(3, -1), 'f');
    expect(array.dimensions).toEqual([256]);
    expect(array.bytes.length).toBe(256);
  });

  const whole = idxBytes([2, 3], [1, 2, 3, 4, 5, 6]);
  const altered = (at: number, value: number) => whole.map((byte, i) => (i === at ? value : byte));
  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(), /is empty; download or save it again/],
    ['a gzip file', Uint8Array.from([0x1f, 0x8b, 8, 0]), /not an IDX file/],
    ['floats', altered(2, 0x0d), /type 0x0d, not unsigned bytes/],
    ['no dimensions', altered(3, 0), /0 dimensions/],
    ['too many dimensions', altered(3, 200), /200 dimensions/],
    ['half a header', whole.subarray(0, 9), /truncated in its header/],
    ['no samples', idxBytes([0, 3], []), /no samples/],
    ['a truncated file', whole.subarray(0, -1), /truncated: 17 bytes, where its header promises 18/],
    ['a file with more at its end', Uint8Array.from([...whole, 0]), /altered: 19 bytes/],
    ['dimensions beyond all memory', idxBytes([2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1], []), /truncated/],
  ])('refuses %s, naming the file and the remedy', (_, bytes, message) => {
    expect(() => parseIdx(bytes, 'dir/images')).toThrow(UserError);
    expect(() => parseIdx(bytes, 'dir/images')).toThrow(message);
    expect(() => parseIdx(bytes, 'dir/images')).toThrow(
      /^dir\/images .*; download (the file|or save it) again/,
    );
  });
});
