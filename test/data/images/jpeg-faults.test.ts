import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJpeg } from '../../../shared/data/images/jpeg.js';
import { UserError } from '../../../shared/errors.js';
import { FUZZ_TIMEOUT_MS, fuzzRuns } from '../../support/mutation.js';
import { CMYK, COLOURED, GREY, RARE, segmentAt } from './jpeg-bytes.js';

describe('any bytes give an image or an error of one line', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const files = [
    ...Object.values(COLOURED),
    GREY,
    CMYK,
    RARE,
    ...['rgb.jpg'].map((name) => readFileSync(join(import.meta.dirname, '..', 'cases', name))),
  ];
  const answers = async (bytes: Uint8Array): Promise<void> => {
    try {
      const { width, height, pixels } = await readJpeg(bytes, 'a.jpg', 3);
      expect(pixels).toHaveLength(width * height * 3);
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      expect((error as Error).message).not.toContain('\n');
    }
  };

  it('changed files', async () => {
    const changes = fc.array(fc.tuple(fc.nat(700), fc.nat(255)), { minLength: 1, maxLength: 4 });
    const property = fc.asyncProperty(fc.constantFrom(...files), changes, async (file, changes) => {
      const bytes = Uint8Array.from(file);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      await answers(bytes);
    });
    await fc.assert(property, { numRuns: fuzzRuns(300) });
  });

  it('files with a part missing or repeated', async () => {
    const cut = fc.tuple(fc.constantFrom(...files), fc.nat(700), fc.nat(700), fc.boolean());
    const property = fc.asyncProperty(cut, ([file, one, other, isTwice]) => {
      const [from, to] = [Math.min(one, other), Math.max(one, other)];
      const end = isTwice ? [file.subarray(from)] : [file.subarray(to)];
      return answers(Buffer.concat([file.subarray(0, isTwice ? to : from), ...end]));
    });
    await fc.assert(property, { numRuns: fuzzRuns(200) });
  });

  it('segments in any order', async () => {
    const parts = files.flatMap((file) => {
      const found: Uint8Array[] = [];
      for (let at = 2; file[at + 1] !== 0xda; ) {
        const end = at + 2 + ((file[at + 2] as number) << 8) + (file[at + 3] as number);
        found.push(file.subarray(at, end));
        at = end;
      }
      return [...found, file.subarray(segmentAt(file, 0xda), -2)];
    });
    const some = fc.array(fc.constantFrom(...parts), { maxLength: 12 });
    const property = fc.asyncProperty(some, (some) =>
      answers(Buffer.concat([Uint8Array.of(0xff, 0xd8), ...some, Uint8Array.of(0xff, 0xd9)])),
    );
    await fc.assert(property, { numRuns: fuzzRuns(200) });
  });

  it('random bytes', async () => {
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), (bytes) =>
      answers(Uint8Array.of(0xff, 0xd8, 0xff, ...bytes)),
    );
    await fc.assert(property, { numRuns: fuzzRuns(200) });
  });
});
