import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { AssertionError } from '../../shared/errors.js';
import { encodeHead, FrameError, FrameReader, HEADER_BYTES_MAX } from '../../shared/link/frame.js';
import { type Envelope, FRAME_BYTES_MAX } from '../../shared/link/link.js';
import { SpareBuffers } from '../../shared/link/spare-buffers.js';
import { patterned } from './recorder.js';

/**
 * Plain data, without -0, which MessagePack does not distinguish from 0, and without fields named __proto__, which are
 * renamed so that no prototype can be sent.
 */
const messages = fc
  .dictionary(fc.string(), fc.jsonValue())
  .map((m) => JSON.stringify(m))
  .filter((json) => !json.includes('__proto__'))
  .map((json) => JSON.parse(json) as object);
const payloads = fc.uint8Array({ maxLength: 300 });

const { pack } = new Packr({ useRecords: false });

/** The frame as one buffer that begins `shift` bytes after a multiple of 8. */
function encodeWhole(message: object, payload: Uint8Array, shift = 0): Uint8Array {
  const head = encodeHead(message, payload.length);
  const frame = new Uint8Array(shift + head.length + payload.length).subarray(shift);
  frame.set(head);
  frame.set(payload, head.length);
  return frame;
}

/** Splits bytes at these positions. */
function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const cuts = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end));
}

/** How the pieces of a frame are announced: all at once, or each by itself. */
type Announced = 'at once' | 'piece by piece';

/** Reads a frame that arrives in pieces. */
function decodeFrame(
  pieces: readonly Uint8Array[],
  announced: Announced = 'at once',
  reader = new FrameReader(new SpareBuffers()),
): Envelope {
  const all = pieces.reduce((bytes, piece) => bytes + piece.length, 0);
  if (announced === 'at once') reader.span(all, true);
  pieces.forEach((piece, i) => {
    if (announced === 'piece by piece') reader.span(piece.length, i === pieces.length - 1);
    reader.data(piece);
  });
  return reader.end();
}

/** The result of decoding. Any other error than a FrameError fails the test. */
function decodeOrRefuse(pieces: readonly Uint8Array[]): Envelope | FrameError {
  try {
    return decodeFrame(pieces);
  } catch (error) {
    if (error instanceof FrameError) return error;
    throw error;
  }
}

it('has room for the bytes that follow, which are read into it and not copied', () => {
  const spares = new SpareBuffers();
  const place = new Uint8Array(300_000);
  spares.give(place);
  const reader = new FrameReader(spares);
  const payload = patterned(300_000);
  const frame = encodeWhole({ kind: 'work' }, payload);
  const begin = frame.length - payload.length + 1000;
  reader.span(frame.length, true);
  expect(reader.room(1e9)).toBeUndefined();
  // The head may come with a part of the payload; what is announced after it is the size of the buffer.
  reader.data(frame.subarray(0, begin - 1000));
  expect(reader.room(1e9)).toBeUndefined();
  reader.data(frame.subarray(begin - 1000, begin));
  let at = begin;
  for (const most of [100_000, 1e9]) {
    const room = reader.room(most) as Uint8Array;
    expect(room.length).toBe(Math.min(most, frame.length - at));
    const read = room.subarray(0, Math.min(room.length, 90_000));
    read.set(frame.subarray(at, at + read.length));
    reader.data(read);
    at += read.length;
  }
  reader.data(frame.subarray(at));
  const { payload: arrived } = reader.end();
  expect(arrived.buffer).toBe(place.buffer);
  expect(Buffer.from(arrived).equals(Buffer.from(payload))).toBe(true);
  expect(reader.room(1e9)).toBeUndefined();
});

describe('frames', () => {
  it('are decoded as they were encoded, in any pieces and at any address', () => {
    fc.assert(
      fc.property(
        messages,
        payloads,
        fc.nat(7),
        fc.array(fc.nat(), { maxLength: 4 }),
        fc.constantFrom<Announced>('at once', 'piece by piece'),
        (m, p, shift, places, announced) => {
          const { message, payload } = decodeFrame(cutAt(encodeWhole(m, p, shift), places), announced);
          expect(message).toEqual(m);
          expect(payload).toEqual(p);
          expect(payload.byteOffset % 8).toBe(0);
        },
      ),
    );
  });

  it('do not change a prototype', () => {
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

  it.each<Announced>(['at once', 'piece by piece'])(
    'may be split at every byte, announced %s',
    (announced) => {
      const reader = new FrameReader(new SpareBuffers());
      const frame = encodeWhole({ kind: 'x', text: 'split' }, patterned(40));
      for (let at = 0; at <= frame.length; at++) {
        const { message, payload } = decodeFrame(cutAt(frame, [at]), announced, reader);
        expect(message).toEqual({ kind: 'x', text: 'split' });
        expect(payload).toEqual(patterned(40));
      }
      const bytes = Array.from(frame, (_, at) => frame.subarray(at, at + 1));
      expect(decodeFrame(bytes, announced, reader).payload).toEqual(patterned(40));
    },
  );

  it('reuse the buffers that were returned, and no others', () => {
    const spares = new SpareBuffers();
    const reader = new FrameReader(spares);
    const read = (bytes: Uint8Array): Uint8Array =>
      decodeFrame([encodeWhole({ kind: 'x' }, bytes)], 'at once', reader).payload;
    const first = read(patterned(64));
    const second = read(new Uint8Array(64).fill(7));
    expect(first).toEqual(patterned(64));
    spares.give(first);
    const third = read(new Uint8Array(64).fill(9));
    expect(third.buffer).toBe(first.buffer);
    expect(second).toEqual(new Uint8Array(64).fill(7));
    spares.give(third);
    expect(read(patterned(65))).toEqual(patterned(65));
  });

  it('whose payload exceeds its bound are refused before it is received', () => {
    const reader = new FrameReader(new SpareBuffers());
    reader.bounds = {
      headerBytesMax: 64,
      payloadBytesMax: (message) => ('sums' in message ? 16 : 0),
    };
    expect(decodeFrame([encodeWhole({ sums: 1 }, patterned(16))], 'at once', reader).payload).toHaveLength(
      16,
    );
    const head = encodeHead({ pong: 1 }, 2 ** 20);
    reader.span(head.length + 2 ** 20, true);
    reader.data(head);
    expect(() => reader.data(Uint8Array.of(1))).toThrow(
      'a message has a payload of 1048576 bytes, more than 0',
    );
    const long = new FrameReader(new SpareBuffers());
    long.bounds = reader.bounds;
    expect(() => long.data(encodeHead({ text: 'x'.repeat(64) }, 0))).toThrow('a header exceeds 64 bytes');
  });

  it('allocate only for what has arrived while their size is not known', () => {
    const reader = new FrameReader(new SpareBuffers());
    reader.span(2 ** 40, false);
    reader.data(encodeHead({ kind: 'x' }, 0));
    reader.span(3, false);
    reader.data(Uint8Array.of(1, 2, 3));
    reader.span(0, true);
    expect(reader.end().payload).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('of random bytes are refused, without any other error', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 4 }), (pieces) => {
        decodeOrRefuse(pieces);
      }),
      { numRuns: 5000 },
    );
  });

  it('with changed, missing or additional bytes decode to an object or are refused', () => {
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
    ['a missing header', [Uint8Array.of(9, 0, 0, 0, 123, 125)], 'a frame is cut off'],
    [
      'a header beyond the bound',
      [Uint8Array.of(1, 0, 0, 2, 0, 0, 0, 0)],
      `a header exceeds ${HEADER_BYTES_MAX}`,
    ],
    ['padding that is not zero', [Uint8Array.of(1, 0, 0, 0, 0x80, 0, 0, 1)], 'padding'],
    ['a map that is cut off', [Uint8Array.of(2, 0, 0, 0, 0x82, 0xa1, 0, 0)], 'is not MessagePack'],
    ['more than one value', [Uint8Array.of(2, 0, 0, 0, 0x80, 0x80, 0, 0)], 'is not MessagePack'],
    ['a number as header', [Uint8Array.of(1, 0, 0, 0, 7, 0, 0, 0)], 'a header is not an object'],
    ['nil as header', [Uint8Array.of(1, 0, 0, 0, 0xc0, 0, 0, 0)], 'a header is not an object'],
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

  it('are not encoded when the peer would refuse their size', () => {
    expect(() => encodeHead({ kind: 'x' }, FRAME_BYTES_MAX)).toThrow(AssertionError);
    expect(() => encodeHead({ text: 'x'.repeat(HEADER_BYTES_MAX) }, 0)).toThrow(AssertionError);
  });
});
