/** Time that the shown rate looks back, in milliseconds: long enough to be calm, short enough to see a worker join. */
const WINDOW_MS = 5000;
/** Least time between two marks, in milliseconds: bounds their number to WINDOW_MS / MARK_MS + 2. */
const MARK_MS = 250;

/**
 * How fast a count has grown lately; where it falls, another count has begun. Time is handed in, in milliseconds on any
 * clock that does not go back.
 */
export class Rate {
  /** Oldest first; the last one is the newest count, however short its distance from the one before. */
  private readonly marks: { atMs: number; count: number }[] = [];

  /** Takes note that the count had reached `count` at `nowMs`. */
  note(nowMs: number, count: number): void {
    if (count < (this.marks.at(-1)?.count ?? 0)) this.marks.length = 0;
    const beforeLast = this.marks.at(-2);
    if (beforeLast && nowMs - beforeLast.atMs < MARK_MS) this.marks.pop();
    this.marks.push({ atMs: nowMs, count });
    while (this.marks.length > 2 && nowMs - this.marks[1]!.atMs >= WINDOW_MS) this.marks.shift();
  }

  /** Growth per second over the window; 0 until two moments are known. */
  perSecond(): number {
    const first = this.marks[0];
    const last = this.marks.at(-1);
    if (!first || !last || last.atMs <= first.atMs) return 0;
    return ((last.count - first.count) / (last.atMs - first.atMs)) * 1000;
  }
}
