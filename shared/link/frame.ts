/*
 * One frame of a byte stream: a message and the bytes that go with it.
 *
 *     u32 little-endian    bytes of the header
 *     header               the message as MessagePack, without records: every frame stands by itself
 *     zeros                up to the next multiple of 8
 *     payload              the rest
 *
 * The payload is never copied into the frame: it is sent right behind the head. Nor does it pass through MessagePack,
 * which would hand a Float32Array back as bytes, or copy it at both ends. Whatever a header decodes to is untrusted
 * until shared/protocol has looked at every field of it.
 */
import { Packr } from 'msgpackr';
import { assert } from '../errors.js';
import { type Envelope, FRAME_BYTES_MAX, NO_PAYLOAD } from './link.js';

/** Largest header: a manifest with the hashes of the most chunks takes 9 MB, the rest is for the model. */
export const HEADER_BYTES_MAX = 32 * 2 ** 20;

const LENGTH_BYTES = 4;
const ALIGNMENT = 8;

const packr = new Packr({ useRecords: false });

/** These bytes are no frame. The message says why, and repeats nothing of them. */
export class FrameError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FrameError';
  }
}

/**
 * The part of a frame before the payload; its length is a multiple of 8.
 * @param payloadBytes bytes that will follow
 * @throws AssertionError when the frame would exceed what the other end accepts
 */
export function encodeHead(message: object, payloadBytes: number): Uint8Array {
  const header = packr.pack(message);
  assert(header.length <= HEADER_BYTES_MAX, `a header of ${header.length} bytes exceeds ${HEADER_BYTES_MAX}`);
  const head = new Uint8Array(headBytes(header.length));
  const bytes = head.length + payloadBytes;
  assert(bytes <= FRAME_BYTES_MAX, `a frame of ${bytes} bytes exceeds ${FRAME_BYTES_MAX}`);
  new DataView(head.buffer).setUint32(0, header.length, true);
  head.set(header, LENGTH_BYTES);
  return head;
}

/**
 * Takes a frame apart.
 * @param pieces the frame's bytes in order. Cut between head and payload, as our own links send it, the payload is
 *   used as it is if it lies at a multiple of 8 bytes; else one copy is made
 * @throws FrameError for whatever else they are
 */
export function decodeFrame(pieces: readonly Uint8Array[]): Envelope {
  const [head, payload] = cut(pieces);
  return { message: parseHeader(head), payload: aligned(payload) };
}

/** Head and payload, without a copy if the frame was cut there. */
function cut(pieces: readonly Uint8Array[]): [head: Uint8Array, payload: Uint8Array] {
  const [first, second] = pieces;
  if (pieces.length === 2 && first !== undefined && second !== undefined) {
    if (first.length >= LENGTH_BYTES && first.length === headBytes(headerBytes(first)))
      return [first, second];
  }
  const frame = pieces.length === 1 && first !== undefined ? first : concatenate(pieces);
  if (frame.length < LENGTH_BYTES) throw new FrameError('a frame is too short');
  const end = headBytes(headerBytes(frame));
  if (end > frame.length) throw new FrameError('a frame is cut off');
  return [frame.subarray(0, end), frame.subarray(end)];
}

function parseHeader(head: Uint8Array): object {
  const end = LENGTH_BYTES + headerBytes(head);
  if (head.subarray(end).some((byte) => byte !== 0))
    throw new FrameError('the padding of a frame is not zero');
  let message: unknown;
  try {
    message = packr.unpack(head.subarray(LENGTH_BYTES, end));
  } catch {
    throw new FrameError('the header of a frame is not MessagePack');
  }
  if (typeof message !== 'object' || message === null) throw new FrameError('a header is no object');
  return message;
}

/** The header's length that a head declares. */
function headerBytes(head: Uint8Array): number {
  const bytes = new DataView(head.buffer, head.byteOffset, LENGTH_BYTES).getUint32(0, true);
  if (bytes > HEADER_BYTES_MAX) throw new FrameError(`a header exceeds ${HEADER_BYTES_MAX} bytes`);
  return bytes;
}

/** Bytes of length, header and padding. */
function headBytes(header: number): number {
  return Math.ceil((LENGTH_BYTES + header) / ALIGNMENT) * ALIGNMENT;
}

function aligned(payload: Uint8Array): Uint8Array {
  if (payload.length === 0) return NO_PAYLOAD;
  return payload.byteOffset % ALIGNMENT === 0 ? payload : new Uint8Array(payload);
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((bytes, piece) => bytes + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
