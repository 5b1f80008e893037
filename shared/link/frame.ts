/*
 * One frame of a byte stream: a message and its payload.
 *
 *     u32 little-endian    bytes of the header
 *     header               the message as MessagePack, without records: every frame can be decoded by itself
 *     zeros                up to the next multiple of 8
 *     payload              the rest
 *
 * The payload is not copied into the frame: it is sent right after the head. It does not pass through MessagePack either,
 * which would return a Float32Array as bytes, or copy it at both ends. What a header decodes to is untrusted until
 * shared/protocol has validated every field.
 */
import { Packr } from 'msgpackr';
import { assert } from '../errors.js';
import { type Envelope, FRAME_BYTES_MAX, type FrameBounds, NO_PAYLOAD } from './link.js';
import type { SpareBuffers } from './spare-buffers.js';

/** Largest header: a manifest with the largest number of chunk hashes takes 9 MB; the rest is for the model. */
export const HEADER_BYTES_MAX = 32 * 2 ** 20;

const LENGTH_BYTES = 4;
const ALIGNMENT = 8;
/** Fewer bytes are better read with what follows them. */
const ROOM_BYTES_MIN = 64 * 2 ** 10;

/** The bounds of any frame. */
export const WIDEST_BOUNDS: FrameBounds = {
  headerBytesMax: HEADER_BYTES_MAX,
  payloadBytesMax: () => FRAME_BYTES_MAX,
};

const packr = new Packr({ useRecords: false });

/** The bytes are not a frame. The message says why and does not repeat any of them. */
export class FrameError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FrameError';
  }
}

/**
 * The part of a frame before the payload; its length is a multiple of 8.
 * @param payloadBytes bytes that will follow
 * @throws AssertionError when the frame would exceed what the peer accepts
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
 * Assembles frames from their bytes as they arrive. It copies each byte once, into memory of the payload's size, if that
 * size is known with the payload's first byte, as it is in all frames that our own links send.
 */
export class FrameReader {
  /** Bounds of the frames from now on. */
  bounds = WIDEST_BOUNDS;
  /** Length, header and padding. */
  readonly #head = new HeadBuffer();
  /** Bytes of all three; undefined until the length has arrived. */
  #headBytes: number | undefined;
  /** The message; undefined until its head has arrived. */
  #message: object | undefined;
  #payload: Uint8Array = NO_PAYLOAD;
  #payloadBytes = 0;
  /** Bytes that were announced and have not arrived, and whether the frame ends with them. */
  #announced = 0;
  #isLast = false;

  constructor(private readonly spares: SpareBuffers) {}

  /** Announces the next bytes of the frame. `isLast`: it ends with them. */
  span(bytes: number, isLast: boolean): void {
    this.#announced = bytes;
    this.#isLast = isLast;
  }

  /**
   * Takes some of the announced bytes.
   * @throws FrameError when the head is malformed or too large, or the payload exceeds its bound
   */
  data(bytes: Uint8Array): void {
    const inHead = this.#pushHead(bytes);
    this.#announced -= inHead;
    if (inHead < bytes.length) this.#pushPayload(bytes.subarray(inHead));
  }

  /**
   * Where the next bytes of the payload belong: who reads them there saves a copy. They must be taken all the same.
   * @param most bytes that will be the next ones for certain
   * @returns undefined where they are few, or the payload has not begun
   */
  room(most: number): Uint8Array | undefined {
    const bytes = Math.min(most, this.#announced);
    if (this.#payloadBytes === 0 || bytes < ROOM_BYTES_MIN) return undefined;
    return this.#payload.subarray(this.#payloadBytes, this.#payloadBytes + bytes);
  }

  /**
   * The frame is complete.
   * @throws FrameError when its head is not
   */
  end(): Envelope {
    const message = this.#message;
    if (message === undefined)
      throw new FrameError(`a frame is ${this.#headBytes === undefined ? 'too short' : 'cut off'}`);
    const payload = this.#payload.subarray(0, this.#payloadBytes);
    this.#head.clear();
    this.#headBytes = undefined;
    this.#message = undefined;
    this.#payload = NO_PAYLOAD;
    this.#payloadBytes = 0;
    return { message, payload };
  }

  /** @returns how many of the bytes belong to the head */
  #pushHead(bytes: Uint8Array): number {
    let at = 0;
    if (this.#headBytes === undefined) {
      at = this.#head.fill(bytes, LENGTH_BYTES);
      if (this.#head.bytes.length < LENGTH_BYTES) return at;
      this.#headBytes = headBytes(headerBytes(this.#head.bytes, this.bounds.headerBytesMax));
    }
    if (this.#message !== undefined) return at;
    at += this.#head.fill(bytes.subarray(at), this.#headBytes);
    if (this.#head.bytes.length === this.#headBytes) this.#message = parseHeader(this.#head.bytes);
    return at;
  }

  #pushPayload(bytes: Uint8Array): void {
    this.#reserve();
    const at = this.#payload.byteOffset + this.#payloadBytes;
    // What was read into `room` is in place.
    if (bytes.buffer !== this.#payload.buffer || bytes.byteOffset !== at)
      this.#payload.set(bytes, this.#payloadBytes);
    this.#payloadBytes += bytes.length;
    this.#announced -= bytes.length;
  }

  /** Makes the payload large enough for the bytes that were announced. */
  #reserve(): void {
    const { length } = this.#payload;
    const needed = this.#payloadBytes + this.#announced;
    const most = this.bounds.payloadBytesMax(this.#message as object);
    if (needed > most) throw new FrameError(`a message has a payload of ${needed} bytes, more than ${most}`);
    if (needed > length) {
      // Unless these are the last bytes, more will follow: twice the memory each time keeps the copies few.
      const larger = this.spares.take(this.#isLast ? needed : Math.max(needed, 2 * length));
      larger.set(this.#payload.subarray(0, this.#payloadBytes));
      this.#payload = larger;
    }
  }
}

/** Collects the bytes of a head. It allocates only for bytes that have arrived. */
class HeadBuffer {
  #buffer = new Uint8Array(512);
  #length = 0;

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Takes bytes until it has `most`. @returns how many it took */
  fill(bytes: Uint8Array, most: number): number {
    const taken = Math.min(bytes.length, most - this.#length);
    if (this.#length + taken > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(this.#length + taken, 2 * this.#buffer.length));
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes.subarray(0, taken), this.#length);
    this.#length += taken;
    return taken;
  }

  clear(): void {
    this.#length = 0;
  }
}

function parseHeader(head: Uint8Array): object {
  const end = LENGTH_BYTES + headerBytes(head, HEADER_BYTES_MAX);
  if (head.subarray(end).some((byte) => byte !== 0))
    throw new FrameError('the padding of a frame is not zero');
  let message: unknown;
  try {
    message = packr.unpack(head.subarray(LENGTH_BYTES, end));
  } catch {
    throw new FrameError('the header of a frame is not MessagePack');
  }
  if (typeof message !== 'object' || message === null) throw new FrameError('a header is not an object');
  return message;
}

/** The length of the header, as its head declares it. */
function headerBytes(head: Uint8Array, most: number): number {
  const bytes = new DataView(head.buffer, head.byteOffset, LENGTH_BYTES).getUint32(0, true);
  if (bytes > most) throw new FrameError(`a header exceeds ${most} bytes`);
  return bytes;
}

/** Bytes of length, header and padding. */
function headBytes(header: number): number {
  return Math.ceil((LENGTH_BYTES + header) / ALIGNMENT) * ALIGNMENT;
}
