import { Mailbox } from '../actor/mailbox.js';
import {
  BUFFERED_BYTES_MAX,
  type Link,
  type LinkEvents,
  NO_PAYLOAD,
  NOT_READING,
  ownedPayload,
} from './link.js';

/** Most messages that may wait at one end. Their bytes are bounded too. */
const MESSAGES_MAX = 65_536;

/** A message in an end's mailbox. */
interface Delivery {
  readonly message: object;
  readonly payload: Uint8Array;
  readonly onSent: (() => void) | undefined;
}

/**
 * Creates the two ends of a link within one process. Objects are passed without a copy and without serialisation: they
 * must not change after `send`. A message arrives in its own microtask, so never from within `send`.
 *
 * @param names the name of each end, for the other end
 */
export function linkInProcess(names: readonly [string, string]): [Link, Link] {
  const first = new InProcessEnd(names[1]);
  const second = new InProcessEnd(names[0]);
  first.join(second);
  second.join(first);
  return [first, second];
}

class InProcessEnd implements Link {
  #other: InProcessEnd = this;
  readonly #inbox = new Mailbox<Delivery>(MESSAGES_MAX);
  #inboxBytes = 0;
  #events: LinkEvents | undefined;
  /** Why this end is closed; undefined while it is open. */
  #ending: string | undefined;
  #toldClosed = false;

  constructor(readonly peer: string) {}

  join(other: InProcessEnd): void {
    this.#other = other;
  }

  get bufferedBytes(): number {
    return this.#other.#inboxBytes;
  }

  open(events: LinkEvents): void {
    this.#events = events;
    for (let i = 0; i < this.#inbox.length; i++) queueMicrotask(() => this.#deliver());
    queueMicrotask(() => this.#tellClosed());
  }

  send(message: object, payload: Uint8Array = NO_PAYLOAD, onSent?: () => void): void {
    if (this.#ending !== undefined) return;
    const other = this.#other;
    const taken = other.#inbox.put({ message, payload: ownedPayload(payload), onSent });
    other.#inboxBytes += payload.length;
    if (!taken || other.#inboxBytes > BUFFERED_BYTES_MAX) {
      this.break(NOT_READING);
    } else if (other.#events !== undefined) {
      queueMicrotask(() => other.#deliver());
    }
  }

  recycle(): void {}

  admit(): void {}

  close(reason: string): void {
    if (this.#ending !== undefined) return;
    this.#abandon();
    this.#end(reason);
    this.#other.#end(reason);
  }

  break(reason: string): void {
    this.#other.#abandon();
    this.close(reason);
  }

  #end(reason: string): void {
    this.#ending ??= reason;
    // Runs after the microtasks of all messages that were sent before.
    queueMicrotask(() => this.#tellClosed());
  }

  #abandon(): void {
    this.#inbox.clear();
    this.#inboxBytes = 0;
  }

  #deliver(): void {
    // Nothing is left if this end was closed meanwhile.
    if (this.#inbox.length === 0) return;
    const delivery = this.#inbox.take();
    this.#inboxBytes -= delivery.payload.length;
    this.#events?.message(delivery);
    if (this.#ending === undefined) delivery.onSent?.();
  }

  #tellClosed(): void {
    if (this.#ending === undefined || this.#events === undefined || this.#toldClosed) return;
    this.#toldClosed = true;
    this.#events.closed(this.#ending);
  }
}
