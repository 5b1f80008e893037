import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  binaryHeader,
  closeFrame,
  pongFrame,
  WebSocketFault,
  WebSocketReader,
} from '../../shared/link/web-socket-frames.js';
import { patterned } from './recorder.js';

/** What a peer sends. */
type Sent =
  | { readonly kind: 'message'; readonly parts: readonly Uint8Array[] }
  | { readonly kind: 'ping' | 'pong'; readonly payload: Uint8Array };

/** What a reader reports: whole messages, pings, and the close frame. */
type Reported = readonly (readonly [what: string, ...rest: unknown[]])[];

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const control = fc.record({ kind: fc.constantFrom('ping' as const, 'pong' as const), payload: bytes(125) });
const message = fc.record({
  kind: fc.constant('message' as const),
  parts: fc.array(fc.oneof(bytes(10), bytes(300)), { minLength: 1, maxLength: 4 }),
});
const traffic = fc.array(fc.oneof(message, control), { maxLength: 6 });
const mask = fc.option(fc.uint8Array({ minLength: 4, maxLength: 4 }), { nil: undefined });

/** Encodes a frame as the standard describes it: the reference implementation, not written for speed. */
function frame(opcode: number, fin: boolean, payload: Uint8Array, key: Uint8Array | undefined): number[] {
  const { length } = payload;
  const size =
    length < 126
      ? [length]
      : length < 65_536
        ? [126, length >> 8, length & 255]
        : [127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255];
  size[0] = (size[0] as number) | (key === undefined ? 0 : 0x80);
  const masked = Array.from(payload, (byte, i) => byte ^ (key?.[i % 4] ?? 0));
  return [(fin ? 0x80 : 0) | opcode, ...size, ...(key ?? []), ...masked];
}

function encode(sent: readonly Sent[], key: Uint8Array | undefined): number[] {
  return sent.flatMap((item) =>
    item.kind === 'message'
      ? item.parts.flatMap((part, i) => frame(i === 0 ? 2 : 0, i === item.parts.length - 1, part, key))
      : frame(item.kind === 'ping' ? 9 : 10, true, item.payload, key),
  );
}

/** What a reader should report of it. */
function expectedOf(sent: readonly Sent[]): Reported {
  return sent.flatMap((item): Reported => {
    if (item.kind === 'message') return [['message', [...Buffer.concat(item.parts)]]];
    return item.kind === 'ping' ? [['ping', [...item.payload]]] : [];
  });
}

/** Reads a stream in pieces that end at these positions. */
function read(
  stream: readonly number[],
  positions: readonly number[],
  masked: boolean,
  most?: number,
): Reported {
  const reported: (readonly [string, ...unknown[]])[] = [];
  let message: number[] = [];
  let announced = 0;
  const reader = new WebSocketReader(masked, {
    span: (length) => {
      expect(announced).toBe(0);
      announced = length;
    },
    data: (piece) => {
      expect(piece.length).toBeGreaterThan(0);
      announced -= piece.length;
      message.push(...piece);
    },
    end: () => {
      expect(announced).toBe(0);
      reported.push(['message', message]);
      message = [];
    },
    ping: (payload) => reported.push(['ping', [...payload]]),
    close: (status, reason) => reported.push(['close', status, reason]),
  });
  if (most !== undefined) reader.messageBytesMax = most;
  const cuts = [
    0,
    ...positions.map((position) => position % (stream.length + 1)).sort((a, b) => a - b),
    stream.length,
  ];
  for (let i = 1; i < cuts.length; i++) reader.push(Uint8Array.from(stream.slice(cuts[i - 1], cuts[i])));
  return reported;
}

describe('web socket frames', () => {
  it('are read as they were sent, in pieces of any size, fragmented and masked', () => {
    fc.assert(
      fc.property(traffic, mask, fc.array(fc.nat(), { maxLength: 8 }), (sent, key, positions) => {
        expect(read(encode(sent, key), positions, key !== undefined)).toEqual(expectedOf(sent));
      }),
      { numRuns: 500 },
    );
  });

  it.each([undefined, Uint8Array.of(1, 2, 3, 4)])('may be split at every byte (mask %j)', (key) => {
    const sent: Sent[] = [
      { kind: 'message', parts: [patterned(3), patterned(126)] },
      { kind: 'ping', payload: patterned(5) },
      { kind: 'message', parts: [new Uint8Array(0)] },
      { kind: 'message', parts: [patterned(9)] },
    ];
    const stream = encode(sent, key);
    for (let at = 0; at <= stream.length; at++)
      expect(read(stream, [at], key !== undefined)).toEqual(expectedOf(sent));
    expect(read(stream, [...stream.keys()], key !== undefined)).toEqual(expectedOf(sent));
    // The longest form of a header.
    const large: Sent[] = [{ kind: 'message', parts: [patterned(65_536)] }];
    for (let at = 0; at < 16; at++)
      expect(read(encode(large, key), [at], key !== undefined)).toEqual(expectedOf(large));
  });

  it('may have control frames between the frames of a message', () => {
    const stream = [
      ...frame(2, false, patterned(4), undefined),
      ...frame(9, true, patterned(2), undefined),
      ...frame(0, true, patterned(3), undefined),
    ];
    for (let at = 0; at <= stream.length; at++) {
      expect(read(stream, [at], false)).toEqual([
        ['ping', [...patterned(2)]],
        ['message', [...patterned(4), ...patterned(3)]],
      ]);
    }
  });

  it.each([0, 1, 125, 126, 65_535, 65_536, 20_000_000, 2 ** 32, 2 ** 40])(
    'have headers of the shortest form (%i bytes)',
    (length) => {
      for (const masked of [false, true]) {
        const header = binaryHeader(length, { isFirst: true, isLast: true, masked });
        const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
        expect(header).toHaveLength(2 + extra + (masked ? 4 : 0));
        const spans: [number, boolean][] = [];
        const reported: string[] = [];
        const reader = new WebSocketReader(masked, {
          span: (...span) => spans.push(span),
          data: () => reported.push('data'),
          end: () => reported.push('end'),
          ping: () => reported.push('ping'),
          close: () => reported.push('close'),
        });
        reader.push(header);
        expect(spans).toEqual([[length, true]]);
        expect(reported).toEqual(length === 0 ? ['end'] : []);
      }
    },
  );

  it('that answer pings and close connections are those of the reference implementation', () => {
    const none = Uint8Array.of(0, 0, 0, 0);
    expect([...pongFrame(patterned(9), false)]).toEqual(frame(10, true, patterned(9), undefined));
    expect([...pongFrame(patterned(9), true)]).toEqual(frame(10, true, patterned(9), none));
    expect(read([...closeFrame(1002, 'für dich', false)], [], false)).toEqual([['close', 1002, 'für dich']]);
    expect(read([...closeFrame(1000, '', true)], [3], true)).toEqual([['close', 1000, '']]);
    expect(read([...closeFrame(1005, 'not sent', false)], [], false)).toEqual([['close', 1005, '']]);
  });

  it('may be 64 up to the end of a message, and as many more as it has KiB', () => {
    const ping = frame(9, true, patterned(1), undefined);
    const pings = (count: number): number[] => Array.from({ length: count }, () => ping).flat();
    const empty = (count: number): number[] =>
      Array.from({ length: count }, () => frame(0, false, patterned(0), undefined)).flat();
    const begin = frame(2, false, patterned(3 * 1024), undefined);
    const end = frame(0, true, patterned(1), undefined);
    expect(
      read([...pings(63), ...frame(2, true, patterned(1), undefined), ...pings(64)], [], false).length,
    ).toBe(128);
    expect(() => read(pings(65), [], false)).toThrow(/has 65 frames/);
    expect(read([...begin, ...empty(65), ...end], [], false).length).toBe(1);
    expect(() => read([...begin, ...empty(67)], [], false)).toThrow(/has 68 frames/);
  });

  it('are not read after a close frame', () => {
    const stream = [...closeFrame(1000, 'bye', false), ...frame(9, true, patterned(1), undefined)];
    for (let at = 0; at <= stream.length; at++)
      expect(read(stream, [at], false)).toEqual([['close', 1000, 'bye']]);
  });

  it.each<[string, number[], boolean, RegExp]>([
    ['reserved bits', [0xc2, 0], false, /reserved bits/],
    ['a mask from a server', frame(2, true, patterned(1), Uint8Array.of(1, 2, 3, 4)), false, /is masked/],
    ['no mask from a client', frame(2, true, patterned(1), undefined), true, /is not masked/],
    ['text', frame(1, true, patterned(1), undefined), false, /text instead of a frame/],
    ['an unknown opcode', frame(3, true, patterned(1), undefined), false, /opcode 3 out of turn/],
    ['an unknown control frame', frame(11, true, patterned(1), undefined), false, /unknown opcode 11/],
    ['a continuation of nothing', frame(0, true, patterned(1), undefined), false, /opcode 0 out of turn/],
    ['a control frame in parts', frame(9, false, patterned(1), undefined), false, /control frame/],
    ['a long control frame', frame(9, true, patterned(126), undefined), false, /control frame/],
    ['an incomplete status', frame(8, true, patterned(1), undefined), false, /status is cut off/],
    ['more than the bound', frame(2, true, patterned(1001), undefined), false, /exceeds 1000 bytes/],
    [
      'a message that never ends',
      [...frame(2, false, patterned(999), undefined), ...frame(0, false, patterned(2), undefined)],
      false,
      /exceeds 1000 bytes/,
    ],
    [
      'a message within another',
      [...frame(2, false, patterned(1), undefined), ...frame(2, true, patterned(1), undefined)],
      false,
      /opcode 2 out of turn/,
    ],
  ])('with %s are refused, wherever they are cut', (_, stream, masked, reason) => {
    for (let at = 0; at <= Math.min(stream.length, 200); at++) {
      expect(() => read(stream, [at], masked, 1000)).toThrow(WebSocketFault);
      expect(() => read(stream, [at], masked, 1000)).toThrow(reason);
    }
  });

  it('of random bytes are read or refused, without any other error', () => {
    fc.assert(
      fc.property(bytes(200), fc.boolean(), (stream, masked) => {
        try {
          read([...stream], [], masked, 1000);
        } catch (error) {
          if (!(error instanceof WebSocketFault)) throw error;
        }
      }),
      { numRuns: 5000 },
    );
  });
});
