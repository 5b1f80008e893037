/** Time window of the rate: long enough to be steady, short enough to show that a worker has joined. */
const WINDOW_MS = 5000;
/** Least time between two marks, which limits their number to WINDOW_MS / MARK_MS + 2. */
const MARK_MS = 250;

/**
 * How fast a count has grown recently. A falling count starts a new measurement. The caller passes the time in
 * milliseconds, from any monotonic clock.
 */
export class Rate {
  /** Oldest first. The last mark is the newest count, however close to the one before. */
  private readonly marks: { atMs: number; count: number }[] = [];

  /** Records the count at a time. */
  note(nowMs: number, count: number): void {
    if (count < (this.marks.at(-1)?.count ?? 0)) this.restart();
    const beforeLast = this.marks.at(-2);
    if (beforeLast && nowMs - beforeLast.atMs < MARK_MS) this.marks.pop();
    this.marks.push({ atMs: nowMs, count });
    while (this.marks.length > 2 && nowMs - this.marks[1]!.atMs >= WINDOW_MS) this.marks.shift();
  }

  /** What was counted so far says nothing about how fast the count grows from now on. */
  restart(): void {
    this.marks.length = 0;
  }

  /** Growth per second over the window; 0 before two times are known. */
  perSecond(): number {
    const first = this.marks[0];
    const last = this.marks.at(-1);
    if (!first || !last || last.atMs <= first.atMs) return 0;
    return ((last.count - first.count) / (last.atMs - first.atMs)) * 1000;
  }
}
