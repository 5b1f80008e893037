/*
 * The framing of RFC 6455, section 5: what is said over a connection once it has become a WebSocket.
 *
 *     FIN, three bits of 0, opcode     1 byte
 *     MASK, length                     1 byte; 126: the length is in the next 2 bytes, 127: in the next 8
 *     mask                             4 bytes, if MASK is set, as it is in all that a client sends
 *     payload
 *
 * A message is one frame, or several: the first with the message's opcode, the others with that of a continuation, the
 * last with FIN. Bytes are passed on as they arrive, so that a large message is never put together here.
 */

/** Opcodes. */
const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Status codes of section 7.4.1, and those that stand for none. */
export const STATUS = { normal: 1000, protocolError: 1002, tooLarge: 1009, none: 1005, lost: 1006 } as const;

/** Bytes of a control frame's payload. */
const CONTROL_BYTES_MAX = 125;
/** Frames, those of control too, until a message is complete: of the largest one, cut into pieces of 32 KiB. */
export const FRAMES_MAX = 8192;
/** Bytes of the longest header. */
const HEADER_BYTES_MAX = 14;
const FIN = 0x80;
const MASK = 0x80;
const MASK_BYTES = 4;

/** Bytes of a close reason. */
export const REASON_BYTES_MAX = CONTROL_BYTES_MAX - 2;

/** These bytes are no WebSocket; `status` is what the peer is told. */
export class WebSocketFault extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = 'WebSocketFault';
  }
}

/** What a reader tells, in the order of the bytes. */
export interface WebSocketEvents {
  /** So many bytes of a binary message are in the frame that begins; `isLast`: the message ends with them. */
  stretch(bytes: number, isLast: boolean): void;
  /** The next of these bytes; lent until the call returns. */
  data(bytes: Uint8Array): void;
  /** The message is complete. */
  end(): void;
  /** To be answered by a pong of the same payload. */
  ping(payload: Uint8Array): void;
  /** The peer says that nothing follows. Nothing is told any more. */
  close(status: number, reason: string): void;
}

/** Takes a connection's bytes apart, in whatever pieces they come. */
export class WebSocketReader {
  /** Most bytes of one message, over all of its frames. */
  messageBytesMax = Number.POSITIVE_INFINITY;
  readonly #header = new Uint8Array(HEADER_BYTES_MAX);
  #headerBytes = 0;
  /** The frame under way. */
  #opcode: number = OPCODE.continuation;
  #isFinal = true;
  #mask: Uint8Array | undefined;
  /** Bytes of its payload that have come, and that are yet to come. */
  #taken = 0;
  #left = 0;
  /** Of a control frame. */
  readonly #control = new Uint8Array(CONTROL_BYTES_MAX);
  /** Bytes of the message under way that its frames have announced; undefined between messages. */
  #messageBytes: number | undefined;
  /** Frames since the last message. */
  #frames = 0;
  #isClosed = false;

  /** @param masked whether the peer masks what it sends: a client does, a server must not */
  constructor(
    private readonly masked: boolean,
    private readonly events: WebSocketEvents,
  ) {}

  /**
   * Takes in the next bytes; those that are masked are unmasked in place.
   * @throws WebSocketFault when they break the protocol; what follows has no meaning then
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
    if (++this.#frames > FRAMES_MAX) throw violation(`more than ${FRAMES_MAX} frames make no message`);
    if (maskBytes > 0 !== this.masked) throw violation(`a frame is ${this.masked ? 'not masked' : 'masked'}`);
    this.#begin();
    if (this.#left === 0) this.#finish();
  }

  #begin(): void {
    if (this.#opcode >= OPCODE.close) {
      if (!this.#isFinal || this.#left > CONTROL_BYTES_MAX) throw violation('a control frame is too long');
      return;
    }
    if (this.#opcode === OPCODE.text) throw violation('the peer sent text in place of a frame');
    const expected = this.#messageBytes === undefined ? OPCODE.binary : OPCODE.continuation;
    if (this.#opcode !== expected) throw violation(`a frame has the opcode ${this.#opcode} out of turn`);
    this.#messageBytes = (this.#messageBytes ?? 0) + this.#left;
    if (this.#messageBytes > this.messageBytesMax)
      throw new WebSocketFault(STATUS.tooLarge, `a message exceeds ${this.messageBytesMax} bytes`);
    this.events.stretch(this.#left, this.#isFinal);
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
 * What comes before the bytes of a binary message, in one frame or as the beginning of several.
 * @param masked whether a mask is announced: one of zeros, which leaves the bytes as they are
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

/** The frame that says that nothing follows. STATUS.none: without a status and a reason. */
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

/** @param from place of the first byte in its frame */
function unmask(bytes: Uint8Array, mask: Uint8Array, from: number): void {
  if (mask.every((byte) => byte === 0)) return;
  for (let i = 0; i < bytes.length; i++) (bytes[i] as number) ^= mask[(from + i) & 3] as number;
}

function violation(message: string): WebSocketFault {
  return new WebSocketFault(STATUS.protocolError, message);
}
