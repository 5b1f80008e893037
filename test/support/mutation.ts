import fc from 'fast-check';

/** A time limit that no busy machine reaches: what hangs is ended by it, too. */
export const FUZZ_TIMEOUT_MS = 3_600_000;
/** UNISUM_FUZZ for which as many inputs are tried as without it. */
const USUAL_FUZZ = 25_000;

/**
 * How many inputs a property test of a reader tries.
 * @param usual without UNISUM_FUZZ; a larger UNISUM_FUZZ multiplies it
 */
export function fuzzRuns(usual: number): number {
  return Math.ceil(usual * Math.max(1, Number(process.env.UNISUM_FUZZ ?? 0) / USUAL_FUZZ));
}

const SPECIAL = ['"', '\n', '\r', ';', ',', '\0', '-', '\xff', '\x80', '{', '['];

/** Good files with some bytes set, removed, inserted or repeated, or cut off. */
export function mutated(good: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const change = fc.record({
    kind: fc.constantFrom('set', 'delete', 'insert', 'repeat', 'cut'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    size: fc.integer({ min: 1, max: 64 }),
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 8 }),
      fc
        .constantFrom(...SPECIAL, '9'.repeat(400), '"'.repeat(50), '\xff'.repeat(8), '['.repeat(5000))
        .map((text) => Buffer.from(text, 'latin1')),
    ),
  });
  const changes = fc.array(change, { minLength: 1, maxLength: 4 });
  return fc.tuple(fc.constantFrom(...good), changes).map(([file, changes]) => {
    let bytes = Buffer.from(file);
    for (const { kind, at, size, bytes: put } of changes) {
      const from = Math.floor(at * bytes.length);
      const [head, tail] = [bytes.subarray(0, from), bytes.subarray(from)];
      if (kind === 'set') bytes = Buffer.concat([head, put, tail.subarray(put.length)]);
      else if (kind === 'delete') bytes = Buffer.concat([head, tail.subarray(size)]);
      else if (kind === 'insert') bytes = Buffer.concat([head, put, tail]);
      else if (kind === 'repeat') bytes = Buffer.concat([head, tail.subarray(0, size), tail]);
      else bytes = Buffer.from(head);
    }
    return bytes;
  });
}
