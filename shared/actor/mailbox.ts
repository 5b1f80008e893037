import { assert } from '../errors.js';

/** Slots of a new mailbox; a power of two, as every later size. */
const CAPACITY_FIRST = 16;

/** First in, first out, and bounded: a ring that grows up to a limit and never allocates for a message after that. */
export class Mailbox<Message> {
  #ring: (Message | undefined)[] = new Array(CAPACITY_FIRST).fill(undefined);
  #head = 0;
  #length = 0;

  /** @param messagesMax most messages that may wait, at least 1 */
  constructor(readonly messagesMax: number) {
    assert(
      Number.isSafeInteger(messagesMax) && messagesMax >= 1,
      `a mailbox cannot hold ${messagesMax} messages`,
    );
  }

  /** Messages that wait. */
  get length(): number {
    return this.#length;
  }

  /** Appends a message. @returns false when the mailbox is full; the message is not taken then */
  put(message: Message): boolean {
    if (this.#length === this.messagesMax) return false;
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = message;
    this.#length += 1;
    return true;
  }

  /** Takes the oldest message out, which must be there. @throws AssertionError when the mailbox is empty */
  take(): Message {
    assert(this.#length > 0, 'an empty mailbox was asked for a message');
    const message = this.#ring[this.#head] as Message;
    // The ring must not keep alive what has been dealt with: messages carry megabytes.
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#length -= 1;
    return message;
  }

  /** Forgets all messages. */
  clear(): void {
    this.#ring = new Array(CAPACITY_FIRST).fill(undefined);
    this.#head = 0;
    this.#length = 0;
  }

  #grow(): void {
    const old = this.#ring;
    const tail = old.splice(0, this.#head);
    this.#ring = [...old, ...tail, ...new Array(old.length + tail.length).fill(undefined)];
    this.#head = 0;
  }
}
