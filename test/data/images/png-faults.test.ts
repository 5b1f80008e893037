import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPng } from '../../../shared/data/images/png.js';
import { UserError } from '../../../shared/errors.js';
import { FUZZ_TIMEOUT_MS, fuzzRuns } from '../../support/mutation.js';
import { PNG_KINDS, pngBytes } from '../../support/png.js';

describe('any bytes give an image or an error of one line', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const files = PNG_KINDS.flatMap(([kind, bits]) =>
    [false, true].map((isInterlaced) =>
      pngBytes({
        ...{ width: 11, height: 9, kind, bits, isInterlaced },
        numbers: Array(11 * 9 * { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[kind]).fill(1),
        ...(kind === 3 && { palette: Array(2 ** bits).fill([1, 2, 3]) }),
      }),
    ),
  );
  const answers = (bytes: Uint8Array): void => {
    try {
      const { width, height, pixels } = readPng(bytes, 'a.png', 3);
      expect(pixels).toHaveLength(width * height * 3);
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      expect((error as Error).message).not.toMatch(/[^\x20-\x7e]/);
    }
  };

  it('changed files, also with correct checksums', () => {
    const changes = fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...files), changes, (file, changes) => {
        const bytes = Uint8Array.from(file);
        for (const [at, value] of changes) bytes[8 + (at % (bytes.length - 8))] = value;
        answers(bytes);
        answers(withChecksums(bytes));
      }),
      { numRuns: fuzzRuns(400) },
    );
  });

  it('files with a part missing or repeated', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.nat(300),
        fc.nat(300),
        fc.boolean(),
        (file, one, other, isTwice) => {
          const [from, to] = [Math.min(one, other), Math.max(one, other)];
          const parts = isTwice
            ? [file.subarray(0, to), file.subarray(from)]
            : [file.subarray(0, from), file.subarray(to)];
          answers(Buffer.concat(parts));
        },
      ),
      { numRuns: fuzzRuns(300) },
    );
  });

  it('chunks in any order', () => {
    const parts = files.flatMap(chunksOf);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 8 }), (some) =>
        answers(Buffer.concat([files[0]!.subarray(0, 33), ...some])),
      ),
      { numRuns: fuzzRuns(300) },
    );
  });

  it('random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) =>
        answers(Buffer.concat([files[0]!.subarray(0, 8), bytes])),
      ),
    );
  });
});

function chunksOf(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const chunks: Uint8Array[] = [];
  for (let at = 8; at + 12 <= file.length; ) {
    const end = at + 12 + view.getUint32(at);
    chunks.push(file.subarray(at, end));
    at = end;
  }
  return chunks;
}

/** The file with the checksums that its chunks should have, as far as they can be found. */
function withChecksums(file: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(file);
  const view = new DataView(copy.buffer);
  for (const chunk of chunksOf(copy)) {
    const end = chunk.byteOffset + chunk.length - 4;
    if (end + 4 <= copy.length) view.setUint32(end, crc32(copy.subarray(chunk.byteOffset + 4, end)));
  }
  return copy;
}
