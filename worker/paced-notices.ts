import type { Clock } from '../shared/actor/clock.js';

/** Most lines within this time; a coordinator could send any number of them. */
const LINES_MAX = 20;
const WITHIN_MS = 10_000;

/** Lines for the person at the terminal of a worker, no more of them than a person reads: others are counted. */
export class PacedNotices {
  private sinceMs = Number.NEGATIVE_INFINITY;
  private lines = 0;

  constructor(
    private readonly clock: Pick<Clock, 'nowMs'>,
    private readonly onNotice: (text: string) => void,
  ) {}

  say(text: string): void {
    const nowMs = this.clock.nowMs();
    if (nowMs - this.sinceMs >= WITHIN_MS) {
      const leftOut = this.lines - LINES_MAX;
      if (leftOut > 0) this.onNotice(`${leftOut} more lines were left out`);
      this.sinceMs = nowMs;
      this.lines = 0;
    }
    this.lines += 1;
    if (this.lines <= LINES_MAX) this.onNotice(text);
  }
}
