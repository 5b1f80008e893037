import { assert } from '../errors.js';

/** Capacity of a new mailbox. It is a power of two, as all later capacities. */
const CAPACITY_FIRST = 16;

/** A bounded first-in-first-out queue: a ring that grows up to a limit and does not allocate for a message otherwise. */
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

  /** Appends a message. @returns false when the mailbox is full, and the message was not appended */
  put(message: Message): boolean {
    if (this.#length === this.messagesMax) return false;
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = message;
    this.#length += 1;
    return true;
  }

  /** Removes and returns the oldest message. @throws AssertionError when the mailbox is empty */
  take(): Message {
    assert(this.#length > 0, 'an empty mailbox has no message');
    const message = this.#ring[this.#head] as Message;
    // The ring must not keep a reference to a message that has been taken: messages can have megabytes.
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#length -= 1;
    return message;
  }

  /** Removes all messages. */
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
