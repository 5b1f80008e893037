import { type Link, NOT_READING } from './link.js';

/** Bytes that may wait for all peers together to read them. */
const UNREAD_BYTES_MAX = 1024 * 2 ** 20;
/** The links are looked at when so many bytes have been sent since the last time: not for every message. */
const LOOK_EVERY_BYTES = 64 * 2 ** 20;

/**
 * Bounds what waits for all peers together. Each link has a bound of its own, but many links below it can take more memory
 * than the machine has. The peer with the most unread bytes is disconnected first.
 */
export class UnreadBytes {
  private sentBytes = 0;

  constructor(private readonly links: ReadonlyMap<string, Link>) {}

  /** A message of so many bytes was sent. */
  sent(bytes: number): void {
    this.sentBytes += bytes;
    if (this.sentBytes < LOOK_EVERY_BYTES) return;
    this.sentBytes = 0;
    const unread = [...this.links.values()].map((link) => ({ link, bytes: link.bufferedBytes }));
    let total = unread.reduce((sum, one) => sum + one.bytes, 0);
    for (const { link, bytes } of unread.sort((a, b) => b.bytes - a.bytes)) {
      if (total <= UNREAD_BYTES_MAX) return;
      link.break(NOT_READING);
      total -= bytes;
    }
  }
}
