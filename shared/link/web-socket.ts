/*
 * A link over WebSocket. A message goes out as two frames, head and payload, so that the payload is not copied; as it
 * arrives, it is copied once, into memory that is used again.
 *
 * ws does the handshake (web-socket-handshake.ts), and from then on the connection is ours: ws would put a payload
 * together out of views of fresh memory, and what is fresh in each step keeps the garbage collector at work.
 */
import type { Socket } from 'node:net';
import type { Cancel, Clock } from '../actor/clock.js';
import { toPlainText } from '../protocol/text.js';
import type { BufferedSocket } from './buffered-socket.js';
import { encodeHead, FrameError, FrameReader, WIDEST_BOUNDS } from './frame.js';
import {
  BUFFERED_BYTES_MAX,
  FRAME_BYTES_MAX,
  type FrameBounds,
  type Link,
  type LinkEvents,
  NO_PAYLOAD,
  NOT_READING,
} from './link.js';
import type { SpareBuffers } from './spare-buffers.js';
import {
  binaryHeader,
  closeFrame,
  pongFrame,
  REASON_BYTES_MAX,
  STATUS,
  WebSocketFault,
  WebSocketReader,
} from './web-socket-frames.js';

/** How long a peer may take to answer the end of a connection. */
const CLOSE_WAIT_MS = 2000;

/** With more than this on its way, pings are not answered: one pong to the latest is enough (RFC 6455, 5.5.3). */
const PONG_BACKLOG_BYTES_MAX = 64 * 2 ** 10;

/** Bytes of shared memory that are copied and sent at once. */
const PIECE_BYTES = 256 * 2 ** 10;

/** What a link over WebSocket is made of. */
export interface WebSocketParts {
  readonly connection: BufferedSocket;
  /** A client masks what it sends, a server does not. */
  readonly side: 'client' | 'server';
  readonly peer: string;
  readonly clock: Clock;
  /** Memory for payloads; may be shared with other links. */
  readonly spares: SpareBuffers;
  /** Most bytes, whatever they belong to, until the peer has proven itself. */
  readonly strangerBytesMax?: number;
  /** Most bytes that may wait for the peer to read them; left out: BUFFERED_BYTES_MAX. */
  readonly bufferedBytesMax?: number;
  /** Called when the peer has proven itself. */
  readonly onAdmit?: () => void;
}

/** One end of a WebSocket as a link; takes the connection over. */
export class WebSocketLink implements Link {
  readonly peer: string;
  readonly #parts: WebSocketParts;
  readonly #socket: Socket;
  readonly #masks: boolean;
  readonly #reader: WebSocketReader;
  readonly #frames: FrameReader;
  #events: LinkEvents | undefined;
  /** Why this end sends and takes nothing any more. */
  #ending: string | undefined;
  #gone = false;
  /** The peer has said what is no WebSocket: nothing that follows is looked at. */
  #isDeaf = false;
  #strangerBytesLeft: number;
  #cancelWait: Cancel = () => {};

  constructor(parts: WebSocketParts) {
    this.peer = parts.peer;
    this.#parts = parts;
    this.#masks = parts.side === 'client';
    this.#frames = new FrameReader(parts.spares);
    this.#reader = new WebSocketReader(parts.side === 'server', {
      stretch: (bytes, isLast) => this.#frames.stretch(bytes, isLast),
      data: (bytes) => this.#frames.data(bytes),
      end: () => this.#deliver(),
      ping: (payload) =>
        this.bufferedBytes < PONG_BACKLOG_BYTES_MAX && this.#write(pongFrame(payload, this.#masks)),
      close: (status, reason) => this.#peerLeaves(status, reason),
    });
    this.#reader.messageBytesMax = parts.strangerBytesMax ?? FRAME_BYTES_MAX;
    this.#strangerBytesLeft = parts.strangerBytesMax ?? Number.POSITIVE_INFINITY;
    const { socket } = parts.connection;
    this.#socket = socket;
    socket.setNoDelay();
    socket.on('error', (error) => this.#end(`the connection broke: ${error.message}`));
    socket.on('close', () => this.#closed());
    socket.on('end', () => {
      this.#end(lost(STATUS.lost));
      socket.end();
    });
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  open(events: LinkEvents): void {
    this.#events = events;
    if (this.#gone) {
      queueMicrotask(() => events.closed(this.#ending as string, this.#isDeaf));
      return;
    }
    this.#parts.connection.read((bytes) => this.#receive(bytes));
  }

  send(message: object, payload: Uint8Array = NO_PAYLOAD): void {
    if (this.#ending !== undefined) return;
    const masked = this.#masks;
    const head = encodeHead(message, payload.length);
    const isWhole = payload.length === 0;
    const socket = this.#socket;
    socket.cork();
    socket.write(binaryHeader(head.length, { isFirst: true, isLast: isWhole, masked }));
    socket.write(head);
    if (!isWhole) socket.write(binaryHeader(payload.length, { isFirst: false, isLast: true, masked }));
    socket.uncork();
    if (!isWhole) this.#writePayload(payload);
    const { bufferedBytesMax = BUFFERED_BYTES_MAX } = this.#parts;
    if (this.bufferedBytes > bufferedBytesMax) this.break(NOT_READING);
  }

  recycle(payload: Uint8Array): void {
    this.#parts.spares.give(payload);
  }

  admit(bounds: FrameBounds = WIDEST_BOUNDS): void {
    this.#frames.bounds = bounds;
    this.#reader.messageBytesMax = FRAME_BYTES_MAX;
    this.#strangerBytesLeft = Number.POSITIVE_INFINITY;
    this.#parts.onAdmit?.();
  }

  close(reason: string): void {
    this.#leave(STATUS.normal, reason);
  }

  /** Ends the connection at once, without a word to the peer. */
  break(reason: string): void {
    this.#end(reason);
    this.#socket.destroy();
  }

  #writePayload(payload: Uint8Array): void {
    if (payload.buffer instanceof ArrayBuffer) {
      this.#socket.write(payload);
      return;
    }
    // Whoever owns shared memory goes on computing in it while the bytes wait to be sent. In pieces: one that the
    // system takes at once is copied again out of the core's cache, and its memory serves for the next.
    const { spares } = this.#parts;
    const socket = this.#socket;
    for (let at = 0; at < payload.length; at += PIECE_BYTES) {
      const piece = payload.subarray(at, at + PIECE_BYTES);
      const copy = spares.take(piece.length);
      copy.set(piece);
      let isSent = false;
      socket.write(copy, () => isSent || spares.give(copy));
      isSent = socket.writableLength === 0;
      if (isSent) spares.give(copy);
    }
  }

  #receive(bytes: Uint8Array): void {
    if (this.#isDeaf) return;
    this.#strangerBytesLeft -= bytes.length;
    try {
      if (this.#strangerBytesLeft < 0) throw new WebSocketFault(STATUS.tooLarge, 'a stranger sent too much');
      this.#reader.push(bytes);
    } catch (error) {
      // What follows is told from nothing any more: there is no use in waiting for the peer's farewell.
      if (error instanceof WebSocketFault) this.#leave(error.status, error.message, true);
      else if (error instanceof FrameError) this.#leave(STATUS.protocolError, error.message, true);
      else throw error;
    }
  }

  #deliver(): void {
    const envelope = this.#frames.end();
    if (this.#ending === undefined) this.#events?.message(envelope);
  }

  #peerLeaves(status: number, reason: string): void {
    if (this.#ending === undefined) {
      this.#end(reason === '' ? lost(status) : toPlainText(reason, REASON_BYTES_MAX));
      this.#write(closeFrame(status, cutReason(reason), this.#masks));
      this.#waitForEnd();
    }
    this.#socket.end();
  }

  #leave(status: number, reason: string, isDeaf = false): void {
    if (this.#ending === undefined) {
      this.#end(reason);
      this.#write(closeFrame(status, cutReason(reason), this.#masks));
      this.#waitForEnd();
    }
    if (isDeaf) {
      this.#isDeaf = true;
      this.#socket.end();
    }
    // Of a paused connection, the peer's answer would not be noticed.
    this.#socket.resume();
  }

  #waitForEnd(): void {
    this.#cancelWait = this.#parts.clock.after(CLOSE_WAIT_MS, () => this.#socket.destroy());
  }

  #write(bytes: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  #end(reason: string): void {
    this.#ending ??= reason;
  }

  #closed(): void {
    this.#gone = true;
    this.#cancelWait();
    this.#end(lost(STATUS.lost));
    this.#events?.closed(this.#ending as string, this.#isDeaf);
  }
}

/** The reason of an end for which nobody gave one. */
function lost(status: number): string {
  return `the connection was lost (${status})`;
}

/** As much of a reason as the WebSocket protocol carries. */
function cutReason(reason: string): string {
  const plain = reason === '' ? '' : toPlainText(reason, REASON_BYTES_MAX);
  const bytes = Buffer.from(plain);
  if (bytes.length <= REASON_BYTES_MAX) return plain;
  // A character cut in half decodes as U+FFFD, which has three bytes itself.
  return bytes
    .subarray(0, REASON_BYTES_MAX - 3)
    .toString()
    .replace(/\uFFFD+$/, '');
}
