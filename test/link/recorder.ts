import type { Envelope, Link, LinkEvents } from '../../shared/link/link.js';

/** Records what a link reports, and lets a test wait for it. */
class Recorder implements LinkEvents {
  readonly received: Envelope[] = [];
  readonly reasons: string[] = [];
  readonly #waiting: { count: number; resolve: () => void }[] = [];
  readonly closed$: Promise<void>;
  #resolveClosed = (): void => {};

  constructor(readonly onMessage: (envelope: Envelope) => void = () => {}) {
    this.closed$ = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  message(envelope: Envelope): void {
    this.received.push(envelope);
    for (const { count, resolve } of this.#waiting) if (this.received.length >= count) resolve();
    this.onMessage(envelope);
  }

  closed(reason: string): void {
    this.reasons.push(reason);
    this.#resolveClosed();
  }

  /** Resolves when so many messages have arrived in total. */
  arrived(count: number): Promise<void> {
    if (this.received.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }
}

/** Opens a link with a recorder. */
export function record(link: Link, onMessage?: (envelope: Envelope) => void): Recorder {
  const recorder = new Recorder(onMessage);
  link.open(recorder);
  return recorder;
}

/** Bytes that differ by position, so that a shift or a gap is found. */
export function patterned(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >>> 8) * 7 + (i >>> 16)) & 255;
  return bytes;
}
