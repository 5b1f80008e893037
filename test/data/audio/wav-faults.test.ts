import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readWav } from '../../../shared/data/audio/wav.js';
import { UserError } from '../../../shared/errors.js';
import { FUZZ_TIMEOUT_MS, fuzzRuns } from '../../support/mutation.js';
import { changedAt, parts, wavBytes } from './wav-bytes.js';

describe('any bytes give a recording or an error of one line', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const files = [
    wavBytes({}, 20, (view, at, i) => view.setInt16(at, i * 900, true)),
    wavBytes({ kind: 3, bits: 64, channels: 3 }, 5, (view, at, i) => view.setFloat64(at, i / 9, true)),
    wavBytes({ bits: 24 }, 7, () => {}, { extensible: true, before: parts('LIST', 3, 'abcd') }),
  ];
  const answers = (bytes: Uint8Array): void => {
    try {
      const { sampleRate, samples } = readWav(bytes, 'a.wav');
      expect(sampleRate).toBeGreaterThan(0);
      expect(samples.length).toBeGreaterThan(0);
      expect(samples.length).toBeLessThanOrEqual(bytes.length);
      expect(samples.every(Number.isFinite)).toBe(true);
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      expect((error as Error).message).not.toContain('\n');
    }
  };

  it('changed files', () => {
    const changes = fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...files), changes, (file, changes) =>
        answers(changes.reduce((bytes, [at, value]) => changedAt(bytes, at % bytes.length, value), file)),
      ),
      { numRuns: fuzzRuns(1000) },
    );
  });

  it('files with a part missing or repeated, and random bytes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.nat(150),
        fc.nat(150),
        fc.uint8Array(),
        (file, from, to, bytes) => {
          answers(Buffer.concat([file.subarray(0, to), file.subarray(from)]));
          answers(Buffer.concat([parts('RIFF', 0, 'WAVE'), bytes]));
          answers(bytes);
        },
      ),
      { numRuns: fuzzRuns(500) },
    );
  });
});
