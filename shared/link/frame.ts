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
import { type Envelope, FRAME_BYTES_MAX, type FrameBounds, NO_PAYLOAD } from './link.js';
import type { SpareBuffers } from './spare-buffers.js';

/** Largest header: a manifest with the hashes of the most chunks takes 9 MB, the rest is for the model. */
export const HEADER_BYTES_MAX = 32 * 2 ** 20;

const LENGTH_BYTES = 4;
const ALIGNMENT = 8;

/** What any frame is held to. */
export const WIDEST_BOUNDS: FrameBounds = {
  headerBytesMax: HEADER_BYTES_MAX,
  payloadBytesMax: () => FRAME_BYTES_MAX,
};

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
 * Puts frames together as their bytes arrive, each byte copied once: a payload whose size is known when its first byte
 * comes, as in all that our own links send, into memory of that size.
 */
export class FrameReader {
  /** Hold for what comes from now on. */
  bounds = WIDEST_BOUNDS;
  /** Length, header and padding. */
  readonly #head = new Gathering();
  /** Bytes of all three; undefined until the length is there. */
  #headBytes: number | undefined;
  /** The message; undefined until its head is there. */
  #message: object | undefined;
  #payload: Uint8Array = NO_PAYLOAD;
  #payloadBytes = 0;
  /** Bytes announced and not here yet, and whether the frame ends with them. */
  #coming = 0;
  #isLast = false;

  constructor(private readonly spares: SpareBuffers) {}

  /** So many bytes of the frame come next; `isLast`: it ends with them. */
  stretch(bytes: number, isLast: boolean): void {
    this.#coming = bytes;
    this.#isLast = isLast;
  }

  /**
   * Takes in some of the bytes that were announced.
   * @throws FrameError when the head is none or declares too much, or more comes with it than may
   */
  data(bytes: Uint8Array): void {
    const inHead = this.#pushHead(bytes);
    this.#coming -= inHead;
    if (inHead < bytes.length) this.#pushPayload(bytes.subarray(inHead));
  }

  /**
   * The frame is complete.
   * @throws FrameError when it is none
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
    const { length } = this.#payload;
    const wanted = this.#payloadBytes + this.#coming;
    const most = this.bounds.payloadBytesMax(this.#message as object);
    if (wanted > most) throw new FrameError(`a message carries ${wanted} bytes where ${most} may come`);
    if (wanted > length) {
      // More is to come of what is not the last stretch: twice the memory each time keeps the copies few.
      const larger = this.spares.take(this.#isLast ? wanted : Math.max(wanted, 2 * length));
      larger.set(this.#payload.subarray(0, this.#payloadBytes));
      this.#payload = larger;
    }
    this.#payload.set(bytes, this.#payloadBytes);
    this.#payloadBytes += bytes.length;
    this.#coming -= bytes.length;
  }
}

/** Bytes that are put together; takes memory only for what is there. */
class Gathering {
  #buffer = new Uint8Array(512);
  #length = 0;

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Takes in bytes until there are `most`. @returns how many it took */
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
  if (typeof message !== 'object' || message === null) throw new FrameError('a header is no object');
  return message;
}

/** The header's length that a head declares. */
function headerBytes(head: Uint8Array, most: number): number {
  const bytes = new DataView(head.buffer, head.byteOffset, LENGTH_BYTES).getUint32(0, true);
  if (bytes > most) throw new FrameError(`a header exceeds ${most} bytes`);
  return bytes;
}

/** Bytes of length, header and padding. */
function headBytes(header: number): number {
  return Math.ceil((LENGTH_BYTES + header) / ALIGNMENT) * ALIGNMENT;
}
