import { Mailbox } from '../actor/mailbox.js';
import {
  BUFFERED_BYTES_MAX,
  type Link,
  type LinkEvents,
  NO_PAYLOAD,
  NOT_READING,
  ownedPayload,
} from './link.js';

/** Most messages that may wait at one end, besides the bound on their bytes. */
const MESSAGES_MAX = 65_536;

/** What lies in an end's mailbox. */
interface Delivery {
  readonly message: object;
  readonly payload: Uint8Array;
}

/**
 * Two ends of a link within one process. Objects are handed over as they are, neither copied nor serialised: they must
 * not be changed after `send`. A message arrives in a microtask of its own, so never from within `send`.
 *
 * @param names what each end is called by the other
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
  /** Why this end sends and takes nothing any more. */
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

  send(message: object, payload: Uint8Array = NO_PAYLOAD): void {
    if (this.#ending !== undefined) return;
    const other = this.#other;
    const taken = other.#inbox.put({ message, payload: ownedPayload(payload) });
    other.#inboxBytes += payload.length;
    if (!taken || other.#inboxBytes > BUFFERED_BYTES_MAX) {
      other.#abandon();
      this.close(NOT_READING);
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

  #end(reason: string): void {
    this.#ending ??= reason;
    // Behind the microtasks of all messages that were sent before.
    queueMicrotask(() => this.#tellClosed());
  }

  #abandon(): void {
    this.#inbox.clear();
    this.#inboxBytes = 0;
  }

  #deliver(): void {
    // Nothing is left when this end was closed meanwhile.
    if (this.#inbox.length === 0) return;
    const delivery = this.#inbox.take();
    this.#inboxBytes -= delivery.payload.length;
    this.#events?.message(delivery);
  }

  #tellClosed(): void {
    if (this.#ending === undefined || this.#events === undefined || this.#toldClosed) return;
    this.#toldClosed = true;
    this.#events.closed(this.#ending);
  }
}
