/*
 * The framing of RFC 6455, section 5: the bytes of a connection after the WebSocket handshake.
 *
 *     FIN, three bits of 0, opcode     1 byte
 *     MASK, length                     1 byte; 126: the length is in the next 2 bytes, 127: in the next 8
 *     mask                             4 bytes, if MASK is set, as it is in all that a client sends
 *     payload
 *
 * A message is one frame or several: the first has the message's opcode, the others that of a continuation, and the last
 * has FIN. Bytes are passed on as they arrive; a large message is never assembled here.
 */

/** Opcodes. */
const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Status codes of section 7.4.1. `none` and `lost` mean that the peer sent no status. */
export const STATUS = { normal: 1000, protocolError: 1002, tooLarge: 1009, none: 1005, lost: 1006 } as const;

/** Most bytes of a control frame's payload. */
const CONTROL_BYTES_MAX = 125;
/** Most frames, control frames included, until a message is complete, besides one for so many bytes of it. */
export const FRAMES_MAX = 64;
const FRAME_BYTES_LEAST = 1024;
/** Most bytes of a header. */
const HEADER_BYTES_MAX = 14;
const FIN = 0x80;
const MASK = 0x80;
const MASK_BYTES = 4;

/** Most bytes of a close reason. */
export const REASON_BYTES_MAX = CONTROL_BYTES_MAX - 2;

/** The bytes violate the WebSocket protocol. `status` is what the peer is told. */
export class WebSocketFault extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = 'WebSocketFault';
  }
}

/** What a reader reports, in the order of the bytes. */
export interface WebSocketEvents {
  /** A frame with so many bytes of a binary message begins. `isLast`: the message ends with them. */
  span(bytes: number, isLast: boolean): void;
  /** The next of these bytes, valid until the call returns. */
  data(bytes: Uint8Array): void;
  /** The message is complete. */
  end(): void;
  /** To be answered with a pong that has the same payload. */
  ping(payload: Uint8Array): void;
  /** The peer closes the connection. Nothing is reported any more. */
  close(status: number, reason: string): void;
}

/** Reads the frames of a connection, whose bytes may arrive in pieces of any size. */
export class WebSocketReader {
  /** Most bytes of one message, in all of its frames. */
  messageBytesMax = Number.POSITIVE_INFINITY;
  readonly #header = new Uint8Array(HEADER_BYTES_MAX);
  #headerBytes = 0;
  /** The current frame. */
  #opcode: number = OPCODE.continuation;
  #isFinal = true;
  #mask: Uint8Array | undefined;
  /** Bytes of its payload that have arrived, and that have not. */
  #taken = 0;
  #left = 0;
  /** Payload of a control frame. */
  readonly #control = new Uint8Array(CONTROL_BYTES_MAX);
  /** Bytes of the current message that its frames have announced; undefined between messages. */
  #messageBytes: number | undefined;
  /** Frames since the end of the last message. */
  #frames = 0;
  #isClosed = false;

  /** @param masked whether the peer masks what it sends: a client does, a server must not */
  constructor(
    private readonly masked: boolean,
    private readonly events: WebSocketEvents,
  ) {}

  /** Bytes that follow for certain, all of them of the current message; 0 between frames and in control frames. */
  get dataLeft(): number {
    return this.#opcode >= OPCODE.close ? 0 : this.#left;
  }

  /**
   * Reads the next bytes. Masked bytes are unmasked in place.
   * @throws WebSocketFault when they violate the protocol; no bytes after them can be read
   */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.#isClosed; ) {
      if (this.#left === 0) {
        this.#pushHeader(bytes[at++] as number);
      } else {
        const end = Math.min(at + this.#left, bytes.length);
        this.#pushPayload(bytes.subarray(at, end));
        at = end;
      }
    }
  }

  #pushHeader(byte: number): void {
    const header = this.#header;
    header[this.#headerBytes++] = byte;
    if (this.#headerBytes < 2) return;
    const [first, second] = header as unknown as [number, number];
    const length = second & ~MASK;
    const lengthBytes = length === 126 ? 2 : length === 127 ? 8 : 0;
    const maskBytes = (second & MASK) === 0 ? 0 : MASK_BYTES;
    if (this.#headerBytes < 2 + lengthBytes + maskBytes) return;
    this.#headerBytes = 0;
    this.#opcode = first & 0x0f;
    this.#isFinal = (first & FIN) !== 0;
    this.#mask = maskBytes === 0 ? undefined : header.subarray(2 + lengthBytes, 2 + lengthBytes + maskBytes);
    this.#taken = 0;
    this.#left = lengthBytes === 0 ? length : bigEndian(header.subarray(2, 2 + lengthBytes));
    if ((first & 0x70) !== 0) throw violation('a frame has reserved bits');
    this.#frames += 1;
    if (this.#frames > FRAMES_MAX + (this.#messageBytes ?? 0) / FRAME_BYTES_LEAST)
      throw violation(`a message has ${this.#frames} frames, too many for its bytes`);
    if (maskBytes > 0 !== this.masked) throw violation(`a frame is ${this.masked ? 'not masked' : 'masked'}`);
    this.#begin();
    if (this.#left === 0) this.#finish();
  }

  #begin(): void {
    if (this.#opcode >= OPCODE.close) {
      if (!this.#isFinal || this.#left > CONTROL_BYTES_MAX) throw violation('a control frame is too long');
      return;
    }
    if (this.#opcode === OPCODE.text) throw violation('the peer sent text instead of a frame');
    const expected = this.#messageBytes === undefined ? OPCODE.binary : OPCODE.continuation;
    if (this.#opcode !== expected) throw violation(`a frame has the opcode ${this.#opcode} out of turn`);
    this.#messageBytes = (this.#messageBytes ?? 0) + this.#left;
    if (this.#messageBytes > this.messageBytesMax)
      throw new WebSocketFault(STATUS.tooLarge, `a message exceeds ${this.messageBytesMax} bytes`);
    this.events.span(this.#left, this.#isFinal);
  }

  #pushPayload(bytes: Uint8Array): void {
    if (this.#mask !== undefined) unmask(bytes, this.#mask, this.#taken);
    if (this.#opcode >= OPCODE.close) this.#control.set(bytes, this.#taken);
    else this.events.data(bytes);
    this.#taken += bytes.length;
    this.#left -= bytes.length;
    if (this.#left === 0) this.#finish();
  }

  #finish(): void {
    if (this.#opcode < OPCODE.close) {
      if (!this.#isFinal) return;
      this.#messageBytes = undefined;
      this.#frames = 0;
      return this.events.end();
    }
    const payload = this.#control.slice(0, this.#taken);
    switch (this.#opcode) {
      case OPCODE.close:
        this.#isClosed = true;
        if (payload.length === 1) throw violation('a status is cut off');
        if (payload.length === 0) return this.events.close(STATUS.none, '');
        return this.events.close(
          bigEndian(payload.subarray(0, 2)),
          new TextDecoder().decode(payload.subarray(2)),
        );
      case OPCODE.ping:
        return this.events.ping(payload);
      case OPCODE.pong:
        return;
      default:
        throw violation(`a frame has the unknown opcode ${this.#opcode}`);
    }
  }
}

/**
 * The header of a frame with bytes of a binary message.
 * @param masked whether the frame has a mask: one of zeros, which leaves the bytes unchanged
 */
export function binaryHeader(
  bytes: number,
  { isFirst, isLast, masked }: { isFirst: boolean; isLast: boolean; masked: boolean },
): Uint8Array {
  return frameHeader(isFirst ? OPCODE.binary : OPCODE.continuation, isLast, bytes, masked);
}

/** The frame that answers a ping. */
export function pongFrame(payload: Uint8Array, masked: boolean): Uint8Array {
  return controlFrame(OPCODE.pong, payload, masked);
}

/** The frame that closes a connection. With STATUS.none it has no status and no reason. */
export function closeFrame(status: number, reason: string, masked: boolean): Uint8Array {
  if (status === STATUS.none) return controlFrame(OPCODE.close, new Uint8Array(0), masked);
  const payload = new Uint8Array([status >>> 8, status & 0xff, ...new TextEncoder().encode(reason)]);
  return controlFrame(OPCODE.close, payload, masked);
}

function controlFrame(opcode: number, payload: Uint8Array, masked: boolean): Uint8Array {
  return new Uint8Array([...frameHeader(opcode, true, payload.length, masked), ...payload]);
}

function frameHeader(opcode: number, isFinal: boolean, bytes: number, masked: boolean): Uint8Array {
  const lengthBytes = bytes < 126 ? 0 : bytes < 2 ** 16 ? 2 : 8;
  const header = new Uint8Array(2 + lengthBytes + (masked ? MASK_BYTES : 0));
  header[0] = opcode | (isFinal ? FIN : 0);
  header[1] = (lengthBytes === 0 ? bytes : lengthBytes === 2 ? 126 : 127) | (masked ? MASK : 0);
  for (let i = lengthBytes, rest = bytes; i > 0; i--) {
    header[1 + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return header;
}

function bigEndian(bytes: Uint8Array): number {
  return bytes.reduce((number, byte) => number * 256 + byte, 0);
}

/** @param from position of the first byte in its frame's payload */
function unmask(bytes: Uint8Array, mask: Uint8Array, from: number): void {
  if (mask.every((byte) => byte === 0)) return;
  const byByte = (start: number, end: number): void => {
    for (let i = start; i < end; i++) (bytes[i] as number) ^= mask[(from + i) & 3] as number;
  };
  // Four bytes at a time where they are a word of the buffer: browsers mask megabytes of partial sums.
  const before = -bytes.byteOffset & 3;
  if (bytes.length < before + 4) return byByte(0, bytes.length);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + before, (bytes.length - before) >>> 2);
  const [word = 0] = new Int32Array(
    Uint8Array.from(mask, (_, i) => mask[(from + before + i) & 3] as number).buffer,
  );
  byByte(0, before);
  for (let i = 0; i < words.length; i++) (words[i] as number) ^= word;
  byByte(before + words.byteLength, bytes.length);
}

function violation(message: string): WebSocketFault {
  return new WebSocketFault(STATUS.protocolError, message);
}
