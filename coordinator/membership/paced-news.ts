import type { Cancel, Clock } from '../../shared/actor/clock.js';

/** A period, in milliseconds: people can follow four changes a second. */
export const PERIOD_MS = 250;

/**
 * News of which a fast run has thousands a second, at a rate that people and links can follow. Of each key, the first few of a
 * period are sent at once. Later ones replace each other, and the latest is sent at the end of the period.
 */
export class PacedNews<News> {
  /** How many of each key were sent in this period. */
  private readonly sent = new Map<string, number>();
  /** The latest of each key that waits for the end of the period, in the order in which they came. */
  private readonly held = new Map<string, News>();
  private isPeriod = false;
  private cancel: Cancel = () => {};

  constructor(
    private readonly clock: Clock,
    private readonly send: (news: News) => void,
  ) {}

  /** @param key what replaces each other @param most so many of the key are sent at once in a period */
  add(key: string, news: News, most: number): void {
    if (!this.isPeriod) this.startPeriod();
    this.held.delete(key);
    this.held.set(key, news);
    const count = this.sent.get(key) ?? 0;
    if (count >= most) return;
    this.sent.set(key, count + 1);
    this.flush();
  }

  /** Sends what waits, as something is sent that comes after it. */
  flush(): void {
    const held = [...this.held.values()];
    this.held.clear();
    for (const news of held) this.send(news);
  }

  /** Nothing more is sent. */
  close(): void {
    this.cancel();
    this.isPeriod = false;
    this.held.clear();
    this.sent.clear();
  }

  private startPeriod(): void {
    this.isPeriod = true;
    this.sent.clear();
    this.cancel = this.clock.after(PERIOD_MS, () => {
      this.isPeriod = false;
      if (this.held.size === 0) return;
      this.startPeriod();
      // What is sent now counts in the new period.
      for (const key of this.held.keys()) this.sent.set(key, 1);
      this.flush();
    });
  }
}
