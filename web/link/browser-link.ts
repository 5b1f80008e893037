/* A link over the WebSocket of a browser, which has no access to the bytes of the connection. */
import type { Cancel, Clock } from '../../shared/actor/clock.js';
import {
  encodeHead,
  FrameError,
  FrameReader,
  HEADER_BYTES_MAX,
  WIDEST_BOUNDS,
} from '../../shared/link/frame.js';
import { PIECE_BYTES, PIECES_PROTOCOL, pieceHeader } from '../../shared/link/frame-pieces.js';
import {
  BUFFERED_BYTES_MAX,
  type Envelope,
  FRAME_BYTES_MAX,
  type FrameBounds,
  type Link,
  type LinkEvents,
  NO_PAYLOAD,
  NOT_READING,
} from '../../shared/link/link.js';
import { SpareBuffers } from '../../shared/link/spare-buffers.js';
import { toPlainText } from '../../shared/protocol/text.js';

/** Longest wait for a coordinator's answer. */
const CONNECT_WAIT_MS = 10_000;
/** A coordinator that sends nothing for so long is gone. It pings twice a second. */
const SILENCE_MS = 10_000;
/** Bytes of the first piece's buffer that are left out. */
const PIECE_LEAD_BYTES = 4;
/** How often a browser is asked whether a message has been sent. */
const SENT_POLL_MS = 10;
/** Most bytes of a close reason (RFC 6455, section 5.5). */
const REASON_BYTES_MAX = 123;
/** Status codes of RFC 6455, section 7.4.1. A page may send 1000 and codes from 3000 on only. */
const NORMAL = 1000;
const FAULT = 3002;
/** The connection ended without a status. */
const LOST = 1006;
/** Bytes that a coordinator may send before it has authenticated: a challenge, and the run, which may be large. */
const UNAUTHENTICATED_BYTES_MAX = HEADER_BYTES_MAX + 64 * 2 ** 10;

/**
 * Connects to a coordinator.
 * @param url of the WebSocket, without token
 * @throws Error with a one-line message when there is no connection; browsers do not tell the cause
 */
export function connectBrowserLink(url: string, clock: Clock): Promise<BrowserLink> {
  const socket = new WebSocket(url, PIECES_PROTOCOL);
  const { host } = new URL(url);
  return new Promise((resolve, reject) => {
    const link = new BrowserLink(socket, host, clock);
    const fail = (reason: string): void => {
      cancel();
      reject(new Error(`cannot connect to ${host}: ${reason}`));
      socket.close();
    };
    const cancel = clock.after(CONNECT_WAIT_MS, () => fail(`no answer within ${CONNECT_WAIT_MS / 1000} s`));
    socket.addEventListener('error', () => fail('nothing answers there'), { once: true });
    socket.addEventListener(
      'open',
      () => {
        cancel();
        resolve(link);
      },
      { once: true },
    );
  });
}

/** The client's end of a WebSocket that was opened with PIECES_PROTOCOL. */
export class BrowserLink implements Link {
  /** Resolves when it is closed: nothing that was sent is still on its way. */
  readonly whenClosed: Promise<void>;
  #resolveClosed: () => void = () => {};
  readonly #spares = new SpareBuffers();
  readonly #frames = new FrameReader(this.#spares);
  /** Where pieces are put together. A browser copies what it is passed before it returns. */
  readonly #piece = new Uint8Array(PIECE_BYTES);
  #events: LinkEvents | undefined;
  /** What arrived before `open`. */
  #early: Envelope[] = [];
  /** Why this end is closed; undefined while it is open. */
  #ending: string | undefined;
  #isFaulty = false;
  #isGone = false;
  #bytesLeft = UNAUTHENTICATED_BYTES_MAX;
  #heardAtMs: number;
  /** Bytes passed to the browser, and the messages whose end has not left this machine. */
  #sentBytes = 0;
  readonly #unsent: { readonly end: number; readonly onSent: () => void }[] = [];
  #cancelWatch: Cancel;

  constructor(
    private readonly socket: WebSocket,
    readonly peer: string,
    private readonly clock: Clock,
  ) {
    this.#heardAtMs = clock.nowMs();
    this.whenClosed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }) => this.#receive(data as ArrayBuffer | string));
    socket.addEventListener('close', ({ code, reason }) => this.#closed(code, reason));
    this.#cancelWatch = clock.after(SILENCE_MS, () => this.#watchSilence());
  }

  get bufferedBytes(): number {
    return this.socket.bufferedAmount;
  }

  open(events: LinkEvents): void {
    this.#events = events;
    queueMicrotask(() => {
      for (const envelope of this.#early.splice(0)) this.#deliver(envelope);
      if (this.#isGone) this.#tellClosed();
    });
  }

  send(message: object, payload: Uint8Array = NO_PAYLOAD, onSent?: () => void): void {
    if (this.#ending !== undefined || this.socket.readyState !== WebSocket.OPEN) return;
    const head = encodeHead(message, payload.length);
    this.#sendPieces([pieceHeader(head.length + payload.length), head, payload]);
    if (onSent !== undefined && this.#unsent.push({ end: this.#sentBytes, onSent }) === 1) this.#pollSent();
    if (this.bufferedBytes > BUFFERED_BYTES_MAX) this.break(NOT_READING);
  }

  recycle(payload: Uint8Array): void {
    this.#spares.give(payload);
  }

  admit(bounds: FrameBounds = WIDEST_BOUNDS): void {
    this.#frames.bounds = bounds;
    this.#bytesLeft = Number.POSITIVE_INFINITY;
  }

  close(reason: string): void {
    this.#close(NORMAL, reason);
  }

  /** Sends bytes one after the other, in as few pieces as they need. */
  #sendPieces(parts: readonly Uint8Array[]): void {
    const piece = this.#piece;
    // The length of a frame takes 4 bytes, and its payload begins at a multiple of 8. A browser copies shared memory by words
    // where both ends are aligned, and by bytes elsewhere.
    let begin = PIECE_LEAD_BYTES;
    let filled = begin;
    const flush = (): void => {
      this.socket.send(piece.subarray(begin, filled));
      this.#sentBytes += filled - begin;
      begin = 0;
      filled = 0;
    };
    for (const part of parts)
      for (let at = 0; at < part.length; ) {
        const taken = part.subarray(at, at + PIECE_BYTES - filled);
        piece.set(taken, filled);
        at += taken.length;
        filled += taken.length;
        if (filled === PIECE_BYTES) flush();
      }
    if (filled > 0) flush();
  }

  #receive(data: ArrayBuffer | string): void {
    if (this.#isFaulty) return;
    this.#heardAtMs = this.clock.nowMs();
    try {
      if (typeof data === 'string') throw new FrameError('the coordinator sent text instead of a frame');
      this.#bytesLeft -= data.byteLength;
      if (this.#bytesLeft < 0 || data.byteLength > FRAME_BYTES_MAX)
        throw new FrameError('the coordinator sent more than a frame may have');
      this.#frames.span(data.byteLength, true);
      this.#frames.data(new Uint8Array(data));
      // Its bytes have been copied.
      release(data);
      this.#deliver(this.#frames.end());
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#isFaulty = true;
      this.#close(FAULT, error.message);
    }
  }

  #deliver(envelope: Envelope): void {
    if (this.#ending !== undefined) return;
    if (this.#events === undefined) this.#early.push(envelope);
    else this.#events.message(envelope);
  }

  /** Reports what has left this machine. A browser does not tell it, so it is asked until all is sent. */
  #pollSent(): void {
    this.clock.after(SENT_POLL_MS, () => {
      if (this.#ending !== undefined) return;
      const gone = this.#sentBytes - this.bufferedBytes;
      const sent = this.#unsent.filter(({ end }) => end <= gone);
      this.#unsent.splice(0, sent.length);
      for (const { onSent } of sent) onSent();
      if (this.#unsent.length > 0) this.#pollSent();
    });
  }

  /** A browser does not notice that a coordinator has disappeared without closing the connection. */
  #watchSilence(): void {
    const leftMs = this.#heardAtMs + SILENCE_MS - this.clock.nowMs();
    if (leftMs > 0) {
      this.#cancelWatch = this.clock.after(leftMs, () => this.#watchSilence());
      return;
    }
    this.break(`the coordinator was silent for ${SILENCE_MS / 1000} s`);
  }

  /**
   * Closes without waiting for the peer's close frame: the browser would wait long for a peer that does not answer. What was
   * passed to the browser is sent all the same.
   */
  break(reason: string): void {
    this.close(reason);
    queueMicrotask(() => this.#closed(NORMAL, ''));
  }

  #close(code: number, reason: string): void {
    if (this.#ending !== undefined) return;
    this.#ending = reason;
    this.socket.close(code, cutReason(reason));
  }

  #closed(code: number, reason: string): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#cancelWatch();
    this.#resolveClosed();
    this.#ending ??=
      reason === ''
        ? `the connection was lost${code === LOST ? '' : ` (${code})`}`
        : toPlainText(reason, REASON_BYTES_MAX);
    if (this.#events !== undefined && this.#early.length === 0) this.#tellClosed();
  }

  #tellClosed(): void {
    this.#events?.closed(this.#ending as string, this.#isFaulty);
  }
}

/**
 * Frees a buffer at once, where a browser can do so. Buffers of messages that are left to the garbage collector make it run
 * often, and in a hidden tab every few steps.
 */
function release(buffer: ArrayBuffer): void {
  if ('transfer' in buffer) buffer.transfer(0);
}

/** As much of a reason as the WebSocket protocol carries. */
function cutReason(reason: string): string {
  let plain = reason === '' ? '' : toPlainText(reason, REASON_BYTES_MAX);
  while (new TextEncoder().encode(plain).length > REASON_BYTES_MAX) plain = plain.slice(0, -1);
  return plain;
}
