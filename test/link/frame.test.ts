import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { AssertionError } from '../../shared/errors.js';
import { decodeFrame, encodeHead, FrameError, HEADER_BYTES_MAX } from '../../shared/link/frame.js';
import { type Envelope, FRAME_BYTES_MAX } from '../../shared/link/link.js';

/**
 * Plain data, but for what MessagePack has no number for, -0, and for fields called __proto__, which come out under
 * another name so that nobody's prototype can be sent.
 */
const messages = fc
  .dictionary(fc.string(), fc.jsonValue())
  .map((m) => JSON.stringify(m))
  .filter((json) => !json.includes('__proto__'))
  .map((json) => JSON.parse(json) as object);
const payloads = fc.uint8Array({ maxLength: 300 });

const { pack } = new Packr({ useRecords: false });

/** The frame as one buffer that begins `shift` bytes behind a multiple of 8. */
function encodeWhole(message: object, payload: Uint8Array, shift = 0): Uint8Array {
  const head = encodeHead(message, payload.length);
  const frame = new Uint8Array(shift + head.length + payload.length).subarray(shift);
  frame.set(head);
  frame.set(payload, head.length);
  return frame;
}

/** Cuts bytes at these places, wherever they lie. */
function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const cuts = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end));
}

/** What decoding gives; anything thrown but a FrameError fails the test. */
function decodeOrRefuse(pieces: readonly Uint8Array[]): Envelope | FrameError {
  try {
    return decodeFrame(pieces);
  } catch (error) {
    if (error instanceof FrameError) return error;
    throw error;
  }
}

describe('frames', () => {
  it('come back as they were, however they are cut and wherever they lie', () => {
    fc.assert(
      fc.property(
        messages,
        payloads,
        fc.nat(7),
        fc.array(fc.nat(), { maxLength: 4 }),
        (m, p, shift, places) => {
          const { message, payload } = decodeFrame(cutAt(encodeWhole(m, p, shift), places));
          expect(message).toEqual(m);
          expect(payload).toEqual(p);
          expect(payload.byteOffset % 8).toBe(0);
        },
      ),
    );
  });

  it('give nobody another prototype', () => {
    const message = JSON.parse(
      '{"a": {"__proto__": {"admin": true}}, "__proto__": {"admin": true}}',
    ) as object;
    const { message: arrived } = decodeFrame([encodeHead(message, 0)]);
    const { a } = arrived as { a: object };
    for (const value of [arrived as object, a]) {
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect('admin' in value).toBe(false);
    }
  });

  it('have heads of a multiple of 8 bytes, padded with zeros', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const head = encodeHead(message, 0);
        const header = pack(message);
        expect(head.length).toBe(Math.ceil((4 + header.length) / 8) * 8);
        expect(Buffer.from(head.buffer, 4)).toEqual(Buffer.concat([header], head.length - 4));
      }),
    );
  });

  it('are taken without a copy where head and payload are pieces of their own', () => {
    const payload = new Uint8Array(64);
    expect(decodeFrame([encodeHead({ kind: 'x' }, 64), payload]).payload).toBe(payload);
    const whole = encodeWhole({ kind: 'x' }, payload);
    expect(decodeFrame([whole]).payload.buffer).toBe(whole.buffer);
  });

  it('of random bytes are refused, never a crash', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 4 }), (pieces) => {
        decodeOrRefuse(pieces);
      }),
      { numRuns: 5000 },
    );
  });

  it('of which bytes were changed, lost or added decode to an object or are refused', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255), fc.constantFrom('set', 'drop', 'add')), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(
        messages,
        payloads,
        edits,
        fc.array(fc.nat(), { maxLength: 3 }),
        (m, p, changes, places) => {
          const bytes = [...encodeWhole(m, p)];
          for (const [at, byte, what] of changes) {
            if (what === 'set') bytes[at % bytes.length] = byte;
            else bytes.splice(at % bytes.length, what === 'drop' ? 1 : 0, ...(what === 'add' ? [byte] : []));
          }
          const result = decodeOrRefuse(cutAt(Uint8Array.from(bytes), places));
          if (!(result instanceof FrameError)) expect(result.message).toBeTypeOf('object');
        },
      ),
      { numRuns: 5000 },
    );
  });

  it.each<[string, Uint8Array[], string]>([
    ['no bytes', [], 'a frame is too short'],
    ['three bytes', [Uint8Array.of(1, 0, 0)], 'a frame is too short'],
    ['a header that is not there', [Uint8Array.of(9, 0, 0, 0, 123, 125)], 'a frame is cut off'],
    [
      'a header beyond the bound',
      [Uint8Array.of(1, 0, 0, 2, 0, 0, 0, 0)],
      `a header exceeds ${HEADER_BYTES_MAX}`,
    ],
    ['padding that is not zero', [Uint8Array.of(1, 0, 0, 0, 0x80, 0, 0, 1)], 'padding'],
    ['a map that is cut off', [Uint8Array.of(2, 0, 0, 0, 0x82, 0xa1, 0, 0)], 'is not MessagePack'],
    ['more than one value', [Uint8Array.of(2, 0, 0, 0, 0x80, 0x80, 0, 0)], 'is not MessagePack'],
    ['a number as header', [Uint8Array.of(1, 0, 0, 0, 7, 0, 0, 0)], 'a header is no object'],
    ['nil as header', [Uint8Array.of(1, 0, 0, 0, 0xc0, 0, 0, 0)], 'a header is no object'],
    ['an empty header', [Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0)], 'is not MessagePack'],
  ])('with %s are refused', (_, pieces, reason) => {
    expect(() => decodeFrame(pieces)).toThrow(FrameError);
    expect(() => decodeFrame(pieces)).toThrow(reason);
  });

  it('with headers of a million nested lists do not exhaust the stack', () => {
    const listOfOne = 0x91;
    const frame = Buffer.alloc(4 + 2 ** 20, listOfOne);
    frame.writeUInt32LE(2 ** 20 - 4, 0);
    frame.fill(0, 2 ** 20);
    expect(() => decodeFrame([frame])).toThrow(FrameError);
  });

  it('are not made larger than the other end accepts', () => {
    expect(() => encodeHead({ kind: 'x' }, FRAME_BYTES_MAX)).toThrow(AssertionError);
    expect(() => encodeHead({ text: 'x'.repeat(HEADER_BYTES_MAX) }, 0)).toThrow(AssertionError);
  });
});
