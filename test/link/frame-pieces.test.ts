import { expect, it } from 'vitest';
import { encodeHead, FrameError, FrameReader } from '../../shared/link/frame.js';
import { FramePieces, pieceHeader } from '../../shared/link/frame-pieces.js';
import type { Envelope } from '../../shared/link/link.js';
import { SpareBuffers } from '../../shared/link/spare-buffers.js';
import { patterned } from './recorder.js';

function reader(bytesMax = 1000): { pieces: FramePieces; received: Envelope[] } {
  const frames = new FrameReader(new SpareBuffers());
  const received: Envelope[] = [];
  const pieces = new FramePieces(
    frames,
    () => bytesMax,
    () => received.push(frames.end()),
  );
  return { pieces, received };
}

const frameOf = (message: object, payload: Uint8Array): Uint8Array => {
  const head = encodeHead(message, payload.length);
  return Uint8Array.from([...pieceHeader(head.length + payload.length), ...head, ...payload]);
};

it.each([1, 2, 3, 5, 64, 1000])('joins frames from messages of %i bytes, which arrive in parts', (size) => {
  const { pieces, received } = reader();
  for (const payload of [patterned(200), patterned(0), patterned(9)]) {
    const bytes = frameOf({ kind: 'x' }, payload);
    for (let at = 0; at < bytes.length; at += size) {
      const message = bytes.subarray(at, at + size);
      const middle = message.length >>> 1;
      for (const part of [message.subarray(0, middle), message.subarray(middle)]) pieces.data(part);
      pieces.end();
    }
  }
  expect(received.map(({ payload }) => payload)).toEqual([patterned(200), patterned(0), patterned(9)]);
});

it('refuses a frame that is too large before it arrives', () => {
  expect(() => reader(100).pieces.data(pieceHeader(101))).toThrow(
    new FrameError('a frame exceeds 100 bytes'),
  );
});

it('refuses a message that goes on after its frame', () => {
  const bytes = Uint8Array.from([...frameOf({ kind: 'x' }, patterned(8)), 0]);
  expect(() => reader().pieces.data(bytes)).toThrow('a message goes on after the end of its frame');
});

it('refuses an empty message, of which a peer could send any number', () => {
  const { pieces } = reader();
  expect(() => pieces.end()).toThrow('a piece of a frame is empty');
});

it('refuses a frame that is shorter than a head', () => {
  const { pieces } = reader();
  pieces.data(pieceHeader(0));
  expect(() => pieces.end()).toThrow('a frame is too short');
});
