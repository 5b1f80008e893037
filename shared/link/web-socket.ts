/*
 * A link over WebSocket. A message is sent as two frames, head and payload, so that the payload is not copied. On arrival
 * most of a payload is read into its place, a buffer that is reused.
 *
 * ws performs the handshake (web-socket-handshake.ts); this file reads and writes the frames. ws would assemble a payload
 * from newly allocated memory, and allocations in every step keep the garbage collector busy.
 */
import type { Socket } from 'node:net';
import type { Cancel, Clock } from '../actor/clock.js';
import { toPlainText } from '../protocol/text.js';
import type { BufferedSocket } from './buffered-socket.js';
import { encodeHead, FrameError, FrameReader, WIDEST_BOUNDS } from './frame.js';
import { FramePieces } from './frame-pieces.js';
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
  type WebSocketEvents,
  WebSocketFault,
  WebSocketReader,
} from './web-socket-frames.js';

/** How long a peer may take to answer a close frame. */
const CLOSE_WAIT_MS = 2000;

/** With more unsent bytes than this, pings are not answered: one pong to the latest is enough (RFC 6455, 5.5.3). */
const PONG_BACKLOG_BYTES_MAX = 64 * 2 ** 10;

/** Bytes of shared memory that are copied and written at once. */
const PIECE_BYTES = 256 * 2 ** 10;

/** What a link over WebSocket is created with. */
export interface WebSocketLinkOptions {
  readonly connection: BufferedSocket;
  /** A client masks what it sends, a server does not. */
  readonly side: 'client' | 'server';
  readonly peer: string;
  readonly clock: Clock;
  /** Buffers for payloads; may be shared with other links. */
  readonly spares: SpareBuffers;
  /** Most bytes of all kinds until the peer has authenticated; left out: not limited. */
  readonly unauthenticatedBytesMax?: number;
  /** Most bytes that may wait for the peer to read them; left out: BUFFERED_BYTES_MAX. */
  readonly bufferedBytesMax?: number;
  /** Whether the peer's frames come in pieces; see frame-pieces.ts. */
  readonly inPieces?: boolean;
  /** Called when the peer has authenticated. */
  readonly onAdmit?: () => void;
}

/** One end of a WebSocket as a link. It takes over the connection. */
export class WebSocketLink implements Link {
  readonly peer: string;
  readonly #options: WebSocketLinkOptions;
  readonly #socket: Socket;
  readonly #masks: boolean;
  readonly #reader: WebSocketReader;
  readonly #frames: FrameReader;
  #events: LinkEvents | undefined;
  /** Why this end is closed; undefined while it is open. */
  #ending: string | undefined;
  #gone = false;
  /** The peer has violated the protocol: what follows is ignored. */
  #isFaulty = false;
  #unauthenticatedBytesLeft: number;
  #cancelWait: Cancel = () => {};

  constructor(options: WebSocketLinkOptions) {
    this.peer = options.peer;
    this.#options = options;
    this.#masks = options.side === 'client';
    this.#frames = new FrameReader(options.spares);
    this.#reader = new WebSocketReader(options.side === 'server', {
      ...(options.inPieces ? this.#piecewise() : this.#whole()),
      ping: (payload) =>
        this.bufferedBytes < PONG_BACKLOG_BYTES_MAX && this.#write(pongFrame(payload, this.#masks)),
      close: (status, reason) => this.#closedByPeer(status, reason),
    });
    this.#reader.messageBytesMax = options.unauthenticatedBytesMax ?? FRAME_BYTES_MAX;
    this.#unauthenticatedBytesLeft = options.unauthenticatedBytesMax ?? Number.POSITIVE_INFINITY;
    const { socket } = options.connection;
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
      queueMicrotask(() => events.closed(this.#ending as string, this.#isFaulty));
      return;
    }
    this.#options.connection.read(
      (bytes) => this.#receive(bytes),
      () => this.#frames.room(this.#reader.dataLeft),
    );
  }

  send(message: object, payload: Uint8Array = NO_PAYLOAD, onSent?: () => void): void {
    if (this.#ending !== undefined) return;
    const masked = this.#masks;
    const head = encodeHead(message, payload.length);
    const isWhole = payload.length === 0;
    const socket = this.#socket;
    const sent =
      onSent &&
      ((error?: Error | null): void => {
        if (!error && this.#ending === undefined) onSent();
      });
    socket.cork();
    socket.write(binaryHeader(head.length, { isFirst: true, isLast: isWhole, masked }));
    socket.write(head, isWhole ? sent : undefined);
    if (!isWhole) socket.write(binaryHeader(payload.length, { isFirst: false, isLast: true, masked }));
    socket.uncork();
    if (!isWhole) this.#writePayload(payload, sent);
    const { bufferedBytesMax = BUFFERED_BYTES_MAX } = this.#options;
    if (this.bufferedBytes > bufferedBytesMax) this.break(NOT_READING);
  }

  recycle(payload: Uint8Array): void {
    this.#options.spares.give(payload);
  }

  admit(bounds: FrameBounds = WIDEST_BOUNDS): void {
    this.#frames.bounds = bounds;
    this.#reader.messageBytesMax = FRAME_BYTES_MAX;
    this.#unauthenticatedBytesLeft = Number.POSITIVE_INFINITY;
    this.#options.onAdmit?.();
  }

  close(reason: string): void {
    this.#close(STATUS.normal, reason);
  }

  /** Closes the connection at once, without a close frame. */
  break(reason: string): void {
    this.#end(reason);
    this.#socket.destroy();
  }

  #writePayload(payload: Uint8Array, sent?: (error?: Error | null) => void): void {
    if (payload.buffer instanceof ArrayBuffer) {
      this.#socket.write(payload, sent);
      return;
    }
    // The owner of shared memory goes on computing there while the bytes wait to be sent, so they are copied. They are
    // copied in pieces: a piece that the system accepts at once is read from the core's cache, and its buffer is reused.
    const { spares } = this.#options;
    const socket = this.#socket;
    for (let at = 0; at < payload.length; at += PIECE_BYTES) {
      const piece = payload.subarray(at, at + PIECE_BYTES);
      const copy = spares.take(piece.length);
      copy.set(piece);
      let isSent = false;
      const isLast = at + PIECE_BYTES >= payload.length;
      socket.write(copy, (error) => {
        if (!isSent) spares.give(copy);
        if (isLast) sent?.(error);
      });
      isSent = socket.writableLength === 0;
      if (isSent) spares.give(copy);
    }
  }

  #receive(bytes: Uint8Array): void {
    if (this.#isFaulty) return;
    this.#unauthenticatedBytesLeft -= bytes.length;
    try {
      if (this.#unauthenticatedBytesLeft < 0)
        throw new WebSocketFault(STATUS.tooLarge, 'the peer sent too much before it authenticated');
      this.#reader.push(bytes);
    } catch (error) {
      // No bytes after a fault can be read, so there is no use in waiting for the peer's close frame.
      if (error instanceof WebSocketFault) this.#close(error.status, error.message, true);
      else if (error instanceof FrameError) this.#close(STATUS.protocolError, error.message, true);
      else throw error;
    }
  }

  /** A message is a frame. */
  #whole(): Pick<WebSocketEvents, 'span' | 'data' | 'end'> {
    return {
      span: (bytes, isLast) => this.#frames.span(bytes, isLast),
      data: (bytes) => this.#frames.data(bytes),
      end: () => this.#deliver(),
    };
  }

  /** A message is a piece of a frame. */
  #piecewise(): Pick<WebSocketEvents, 'span' | 'data' | 'end'> {
    const bytesMax = (): number => this.#reader.messageBytesMax;
    const pieces = new FramePieces(this.#frames, bytesMax, () => this.#deliver());
    return { span: () => {}, data: (bytes) => pieces.data(bytes), end: () => pieces.end() };
  }

  #deliver(): void {
    const envelope = this.#frames.end();
    if (this.#ending === undefined) this.#events?.message(envelope);
  }

  #closedByPeer(status: number, reason: string): void {
    if (this.#ending === undefined) {
      this.#end(reason === '' ? lost(status) : toPlainText(reason, REASON_BYTES_MAX));
      this.#write(closeFrame(status, cutReason(reason), this.#masks));
      this.#awaitClose();
    }
    this.#socket.end();
  }

  #close(status: number, reason: string, isFaulty = false): void {
    if (this.#ending === undefined) {
      this.#end(reason);
      this.#write(closeFrame(status, cutReason(reason), this.#masks));
      this.#awaitClose();
    }
    if (isFaulty) {
      this.#isFaulty = true;
      this.#socket.end();
    }
    // A paused connection would not receive the peer's close frame.
    this.#socket.resume();
  }

  #awaitClose(): void {
    this.#cancelWait = this.#options.clock.after(CLOSE_WAIT_MS, () => this.#socket.destroy());
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
    this.#events?.closed(this.#ending as string, this.#isFaulty);
  }
}

/** The reason when the peer gave none. */
function lost(status: number): string {
  // This status says no more than the words.
  return `the connection was lost${status === STATUS.lost ? '' : ` (${status})`}`;
}

/** As much of a reason as the WebSocket protocol carries. */
function cutReason(reason: string): string {
  const plain = reason === '' ? '' : toPlainText(reason, REASON_BYTES_MAX);
  const bytes = Buffer.from(plain);
  if (bytes.length <= REASON_BYTES_MAX) return plain;
  // An incomplete character decodes as U+FFFD, which has three bytes itself.
  return bytes
    .subarray(0, REASON_BYTES_MAX - 3)
    .toString()
    .replace(/\uFFFD+$/, '');
}
