import type { Cancel, Clock } from '../../shared/actor/clock.js';
import {
  BUFFERED_BYTES_MAX,
  type Link,
  type LinkEvents,
  NO_PAYLOAD,
  NOT_READING,
  ownedPayload,
} from '../../shared/link/link.js';
import type { NetworkShape } from './network-shape.js';

/** Bytes that leave at once after an idle time, as a network card's queue takes them. */
const BURST_BYTES = 16 * 2 ** 10;
/** What a message takes besides its payload: its header, frames and packets. */
const MESSAGE_BYTES = 120;
/** A timer of Node is a millisecond late on average: what is due within half of one is not waited for. */
const EARLY_MS = 0.5;

/**
 * A link as it would be over a slower network: a token bucket and a delay in each direction. One end of a connection is
 * enough, since both directions pass through it. A message arrives when its last byte would; times are kept to a millisecond,
 * so that a rate is exact and a delay below a millisecond is not.
 */
export function shapeLink(link: Link, shape: NetworkShape, clock: Clock): Link {
  return new ShapedLink(link, shape, clock);
}

class ShapedLink implements Link {
  readonly peer: string;
  readonly #link: Link;
  readonly #outward: Lane;
  readonly #inward: Lane;
  /** This end is closed: nothing is sent or delivered any more. */
  #isClosed = false;

  constructor(link: Link, shape: NetworkShape, clock: Clock) {
    this.peer = link.peer;
    this.#link = link;
    this.#outward = new Lane(shape, clock);
    this.#inward = new Lane(shape, clock);
  }

  get bufferedBytes(): number {
    return this.#outward.bytes + this.#link.bufferedBytes;
  }

  open(events: LinkEvents): void {
    this.#link.open({
      message: (envelope) =>
        this.#inward.carry(envelope.payload.length, () => {
          if (!this.#isClosed) events.message(envelope);
        }),
      closed: (reason, isFault) => {
        // The end of a connection that this end has closed passes nothing more; that of the peer comes after its messages.
        if (this.#isClosed) events.closed(reason, isFault);
        else this.#inward.carry(0, () => events.closed(reason, isFault));
      },
    });
  }

  send(message: object, payload: Uint8Array = NO_PAYLOAD, onSent?: () => void): void {
    if (this.#isClosed) return;
    const kept = ownedPayload(payload);
    this.#outward.carry(kept.length, () => this.#link.send(message, kept, onSent));
    if (this.bufferedBytes <= BUFFERED_BYTES_MAX) return;
    this.#outward.clear();
    this.close(NOT_READING);
  }

  recycle(payload: Uint8Array): void {
    this.#link.recycle(payload);
  }

  admit(bounds?: Parameters<Link['admit']>[0]): void {
    this.#link.admit(bounds);
  }

  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#inward.clear();
    this.#outward.carry(0, () => this.#link.close(reason));
  }

  break(reason: string): void {
    this.#isClosed = true;
    this.#inward.clear();
    this.#outward.clear();
    this.#link.break(reason);
  }
}

/** One direction: what is put in comes out in order, at the network's pace. */
class Lane {
  /** Bytes that have been put in and have not come out. */
  bytes = 0;
  readonly #shape: NetworkShape;
  readonly #clock: Clock;
  readonly #waiting: { readonly dueMs: number; readonly bytes: number; readonly pass: () => void }[] = [];
  /** When the token bucket is full again. */
  #fullMs = Number.NEGATIVE_INFINITY;
  #cancelWake: Cancel = () => {};

  constructor(shape: NetworkShape, clock: Clock) {
    this.#shape = shape;
    this.#clock = clock;
  }

  /** Calls `pass` when so many bytes, and all before them, have come through; never from within this call. */
  carry(payloadBytes: number, pass: () => void): void {
    const { bytesPerSecond, delayMs } = this.#shape;
    const nowMs = this.#clock.nowMs();
    const bytes = payloadBytes + MESSAGE_BYTES;
    this.#fullMs = Math.max(this.#fullMs, nowMs) + (bytes / bytesPerSecond) * 1000;
    const leavesMs = Math.max(nowMs, this.#fullMs - (BURST_BYTES / bytesPerSecond) * 1000);
    this.#waiting.push({ dueMs: leavesMs + delayMs, bytes, pass });
    this.bytes += bytes;
    if (this.#waiting.length === 1) this.#wake(nowMs);
  }

  /** Loses what has not come out. */
  clear(): void {
    this.#cancelWake();
    this.#waiting.length = 0;
    this.bytes = 0;
  }

  #wake(nowMs: number): void {
    this.#cancelWake();
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#cancelWake = this.#clock.after(Math.max(0, next.dueMs - nowMs), () => this.#pass());
  }

  #pass(): void {
    const nowMs = this.#clock.nowMs();
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (next.dueMs > nowMs + EARLY_MS) break;
      this.#waiting.shift();
      this.bytes -= next.bytes;
      next.pass();
    }
    this.#wake(nowMs);
  }
}
