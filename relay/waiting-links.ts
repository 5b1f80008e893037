import type { Cancel, Clock } from '../shared/actor/clock.js';
import type { FrameBounds, Link, LinkEvents } from '../shared/link/link.js';
import type { Refuse, Stop } from '../shared/protocol/messages.js';

/** Time between two signs of life to those who wait: a worker hangs up on a coordinator that is silent for 10 s. */
const SIGN_MS = 3000;

/** A link that was opened before it is known what is done with it. Until then nothing that arrives counts. */
class HeldLink implements Link {
  private events: LinkEvents | undefined;
  private end: Parameters<LinkEvents['closed']> | undefined;

  constructor(
    private readonly link: Link,
    onGone: (held: HeldLink) => void,
  ) {
    link.open({
      message: (envelope) => this.events?.message(envelope),
      closed: (...end) => {
        this.end = end;
        if (this.events === undefined) onGone(this);
        else this.events.closed(...end);
      },
    });
  }

  get peer(): string {
    return this.link.peer;
  }

  get bufferedBytes(): number {
    return this.link.bufferedBytes;
  }

  open(events: LinkEvents): void {
    this.events = events;
    const { end } = this;
    if (end !== undefined) queueMicrotask(() => events.closed(...end));
  }

  send(message: object, payload?: Uint8Array, onSent?: () => void): void {
    this.link.send(message, payload, onSent);
  }

  recycle(payload: Uint8Array): void {
    this.link.recycle(payload);
  }

  admit(bounds?: FrameBounds): void {
    this.link.admit(bounds);
  }

  close(reason: string): void {
    this.link.close(reason);
  }

  break(reason: string): void {
    this.link.break(reason);
  }
}

/** Links of workers that have connected to a relay which knows no run yet: they are kept, by signs of life and nothing else. */
export class WaitingLinks {
  private readonly links = new Set<Link>();
  private cancelSign: Cancel = () => {};
  private signs = 0;
  private least = 0;
  private resolve: () => void = () => {};

  constructor(private readonly clock: Clock) {}

  /** A worker has connected. */
  add(link: Link): void {
    this.links.add(new HeldLink(link, (gone) => this.links.delete(gone)));
    if (this.links.size === 1) this.sign();
    if (this.links.size >= this.least) this.resolve();
  }

  /** How many wait. */
  get count(): number {
    return this.links.size;
  }

  /** Resolves when so many wait. */
  async atLeast(least: number): Promise<void> {
    if (this.links.size >= least) return;
    this.least = least;
    await new Promise<void>((resolve) => {
      this.resolve = resolve;
    });
  }

  /** They wait no longer. @returns their links, which are still to be opened */
  take(): Link[] {
    this.cancelSign();
    const taken = [...this.links];
    this.links.clear();
    return taken;
  }

  /** Tells those who wait that it is in vain. */
  close(last: Stop | Refuse): void {
    for (const link of this.take()) {
      link.send(last);
      link.close(last.reason);
    }
  }

  private sign(): void {
    this.cancelSign();
    this.cancelSign = this.clock.after(SIGN_MS, () => {
      this.signs += 1;
      for (const link of this.links) link.send({ kind: 'ping', id: this.signs });
      if (this.links.size > 0) this.sign();
    });
  }
}
