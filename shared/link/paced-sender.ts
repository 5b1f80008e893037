import { type Link, NO_PAYLOAD } from './link.js';

/**
 * Bytes that may wait on a link before the next message is sent: enough to keep it busy, few enough that a large vector is
 * not copied as a whole while it waits.
 */
const WAITING_BYTES_MAX = 4 * 2 ** 20;

/** Sends messages over a link, one after the other, as the peer takes them. A payload is read when its turn comes. */
export class PacedSender {
  private queue: { readonly message: object; readonly payload: Uint8Array }[] = [];
  /** The link tells when it has sent a message behind which others wait: before it has nothing to do. */
  private willTell = false;
  private resolvers: (() => void)[] = [];

  constructor(private readonly link: Link) {}

  /** Whether every message was handed to the link. */
  get isIdle(): boolean {
    return this.queue.length === 0;
  }

  /** Sends a message behind those that wait. */
  send(message: object, payload: Uint8Array = NO_PAYLOAD): void {
    this.queue.push({ message, payload });
    if (this.queue.length === 1) this.advance();
  }

  /** Resolves when every message was handed to the link, or was dropped. */
  async idle(): Promise<void> {
    if (!this.isIdle) await new Promise<void>((resolve) => this.resolvers.push(resolve));
  }

  /** The memory of the payloads that wait is about to change: they are sent as they are now. */
  copyWaiting(): void {
    this.queue = this.queue.map(({ message, payload }) => ({ message, payload: payload.slice() }));
  }

  /** Drops the messages that wait: the link is closed, or they are void. */
  drop(): void {
    this.queue.length = 0;
    this.settle();
  }

  private advance(): void {
    const { link } = this;
    for (let next = this.queue[0]; next !== undefined; next = this.queue[0]) {
      const waiting = link.bufferedBytes + next.payload.byteLength;
      if (this.willTell && waiting > WAITING_BYTES_MAX) return;
      this.queue.shift();
      const tells = !this.willTell && waiting > WAITING_BYTES_MAX / 2;
      if (tells) this.willTell = true;
      link.send(next.message, next.payload, tells ? this.told : undefined);
    }
    this.settle();
  }

  private readonly told = (): void => {
    this.willTell = false;
    this.advance();
  };

  private settle(): void {
    for (const resolve of this.resolvers.splice(0)) resolve();
  }
}
