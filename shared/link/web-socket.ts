/*
 * A link over WebSocket. A message goes out as two fragments, head and payload, so that the payload is not copied; ws
 * hands the fragments over as they came, so that it is not copied on arrival either.
 */
import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import { toPlainText } from '../protocol/text.js';
import { decodeFrame, encodeHead, FrameError } from './frame.js';
import {
  BUFFERED_BYTES_MAX,
  FRAME_BYTES_MAX,
  type Link,
  type LinkEvents,
  NO_PAYLOAD,
  NOT_READING,
} from './link.js';

/** Options of every WebSocket, on both sides. */
export const WEB_SOCKET_OPTIONS = {
  // Gradients do not compress, and a compressed frame can unfold into far more than was sent.
  perMessageDeflate: false,
  maxPayload: FRAME_BYTES_MAX,
  // Head and payload. Some more do no harm, thousands are an attempt to keep us busy.
  maxFragments: 16,
  // How long a peer may take to answer the end of a connection, in milliseconds.
  closeTimeout: 2000,
} as const;

/** Bytes of a close reason, a limit of the WebSocket protocol (RFC 6455, section 5.5). */
const REASON_BYTES_MAX = 123;

/** Status codes of RFC 6455, section 7.4.1. */
const STATUS = { normal: 1000, protocolError: 1002 } as const;

/** What a link over WebSocket is made of. */
export interface WebSocketParts {
  /** Open. */
  readonly webSocket: WebSocket;
  /** The connection beneath, to write head and payload in one go. */
  readonly socket: Socket;
  readonly peer: string;
  /** Called once when the peer has proven itself. */
  readonly onAdmit?: () => void;
}

/** One end of a WebSocket as a link; takes the WebSocket over. */
export class WebSocketLink implements Link {
  readonly peer: string;
  readonly #parts: WebSocketParts;
  readonly #webSocket: WebSocket;
  #events: LinkEvents | undefined;
  /** Why this end sends and takes nothing any more. */
  #ending: string | undefined;
  #gone = false;

  constructor(parts: WebSocketParts) {
    this.peer = parts.peer;
    this.#parts = parts;
    this.#webSocket = parts.webSocket;
    this.#webSocket.binaryType = 'fragments';
    // What arrives before someone listens stays in the system's buffers.
    this.#webSocket.pause();
    this.#webSocket.on('error', (error) => this.#end(`the connection broke: ${error.message}`));
    this.#webSocket.on('close', (code, reason) => this.#closed(code, reason));
  }

  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  open(events: LinkEvents): void {
    this.#events = events;
    if (this.#gone) {
      queueMicrotask(() => events.closed(this.#ending as string));
      return;
    }
    this.#webSocket.on('message', (data, isBinary) => this.#receive(data, isBinary, events));
    this.#webSocket.resume();
  }

  send(message: object, payload: Uint8Array = NO_PAYLOAD): void {
    if (this.#ending !== undefined || this.#webSocket.readyState !== this.#webSocket.OPEN) return;
    const { socket } = this.#parts;
    const head = encodeHead(message, payload.length);
    socket.cork();
    this.#webSocket.send(head, { binary: true, fin: payload.length === 0 });
    if (payload.length > 0) this.#webSocket.send(unshared(payload), { binary: true, fin: true });
    socket.uncork();
    if (this.bufferedBytes > BUFFERED_BYTES_MAX) this.break(NOT_READING);
  }

  admit(): void {
    this.#parts.onAdmit?.();
  }

  close(reason: string): void {
    this.#leave(STATUS.normal, reason);
  }

  /** Ends the connection at once, without a word to the peer. */
  break(reason: string): void {
    this.#end(reason);
    this.#webSocket.terminate();
  }

  #receive(data: RawData, isBinary: boolean, events: LinkEvents): void {
    if (this.#ending !== undefined) return;
    if (!isBinary) {
      this.#leave(STATUS.protocolError, 'the peer sent text in place of a frame');
      return;
    }
    try {
      // `binaryType` is "fragments": a list of buffers.
      events.message(decodeFrame(data as Buffer[]));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#leave(STATUS.protocolError, error.message);
    }
  }

  #leave(status: number, reason: string): void {
    if (this.#ending !== undefined) return;
    this.#end(reason);
    // A paused connection would not notice the peer's answer.
    this.#webSocket.resume();
    this.#webSocket.close(status, cutReason(reason));
  }

  #end(reason: string): void {
    this.#ending ??= reason;
  }

  #closed(code: number, reason: Buffer): void {
    this.#gone = true;
    const told = reason.toString();
    this.#end(told === '' ? `the connection was lost (${code})` : toPlainText(told, REASON_BYTES_MAX));
    this.#events?.closed(this.#ending as string);
  }
}

/** A copy of what lies in shared memory: its owner goes on computing in it while the bytes wait to be sent. */
function unshared(payload: Uint8Array): Uint8Array {
  return payload.buffer instanceof ArrayBuffer ? payload : new Uint8Array(payload);
}

/** As much of a reason as the WebSocket protocol carries. */
function cutReason(reason: string): string {
  const plain = toPlainText(reason, REASON_BYTES_MAX);
  const bytes = Buffer.from(plain);
  if (bytes.length <= REASON_BYTES_MAX) return plain;
  // A character cut in half decodes as U+FFFD, which has three bytes itself.
  return bytes
    .subarray(0, REASON_BYTES_MAX - 3)
    .toString()
    .replace(/\uFFFD+$/, '');
}
