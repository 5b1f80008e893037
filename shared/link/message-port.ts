import type { MessagePort } from 'node:worker_threads';
import { BUFFERED_BYTES_MAX, type Link, type LinkEvents, NO_PAYLOAD, NOT_READING } from './link.js';

/** What a message counts for besides its payload, so that small ones cannot pile up without a bound either. */
const MESSAGE_BYTES = 512;

/** What crosses the port: a message, the receipt for one, or the reason of the end. */
type Parcel =
  | { readonly kind: 'message'; readonly message: object; readonly payload: Uint8Array }
  | { readonly kind: 'receipt'; readonly bytes: number }
  | { readonly kind: 'end'; readonly reason: string };

/**
 * A link to another thread of this process. Both ends of the channel must be wrapped so.
 *
 * A port does not say what the other thread has read, so every message is confirmed by a receipt.
 * @param peer what the other end is called
 * @param bufferedBytesMax most bytes that may wait for the other thread: they are copies, and lie in this process
 */
export function linkMessagePort(
  port: MessagePort,
  peer: string,
  bufferedBytesMax = BUFFERED_BYTES_MAX,
): Link {
  return new MessagePortLink(port, peer, bufferedBytesMax);
}

class MessagePortLink implements Link {
  readonly #port: MessagePort;
  readonly #bufferedBytesMax: number;
  #bufferedBytes = 0;
  #ending: string | undefined;
  /** The port is gone; `closed` is told then, or as soon as someone listens. */
  #gone = false;
  #events: LinkEvents | undefined;

  constructor(
    port: MessagePort,
    readonly peer: string,
    bufferedBytesMax: number,
  ) {
    this.#port = port;
    this.#bufferedBytesMax = bufferedBytesMax;
    port.on('close', () => {
      this.#gone = true;
      this.#ending ??= 'the other thread has ended';
      this.#events?.closed(this.#ending);
    });
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  open(events: LinkEvents): void {
    this.#events = events;
    if (this.#gone) queueMicrotask(() => events.closed(this.#ending as string));
    // Listening is what starts a port: what was posted before waits for it.
    else this.#port.on('message', (parcel: Parcel) => this.#receive(parcel, events));
  }

  send(message: object, payload: Uint8Array = NO_PAYLOAD): void {
    if (this.#ending !== undefined) return;
    // A clone would take along the whole buffer that the payload is a part of; a copy of its own is moved over.
    const copy = new Uint8Array(payload);
    this.#bufferedBytes += copy.length + MESSAGE_BYTES;
    this.#post({ kind: 'message', message, payload: copy }, [copy.buffer]);
    if (this.#bufferedBytes > this.#bufferedBytesMax) this.close(NOT_READING);
  }

  recycle(): void {}

  admit(): void {}

  close(reason: string): void {
    if (this.#ending !== undefined) return;
    this.#ending = reason;
    this.#post({ kind: 'end', reason });
    this.#port.close();
  }

  #receive(parcel: Parcel, events: LinkEvents): void {
    switch (parcel.kind) {
      case 'message': {
        const { message, payload } = parcel;
        if (this.#ending !== undefined) return;
        this.#post({ kind: 'receipt', bytes: payload.length + MESSAGE_BYTES });
        events.message({ message, payload });
        return;
      }
      case 'receipt':
        this.#bufferedBytes -= parcel.bytes;
        return;
      case 'end':
        this.#ending ??= parcel.reason;
        return;
      default:
        parcel satisfies never;
    }
  }

  #post(parcel: Parcel, moved: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(parcel, moved);
  }
}
