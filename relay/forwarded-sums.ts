import type { PartialSum } from '../shared/engine/step/partial-sum-addition.js';
import { assert } from '../shared/errors.js';

/** Segments of partial sums, which are to be added into the results. */
export interface SegmentAddition {
  readonly sums: readonly PartialSum[];
  readonly segments: readonly number[];
}

/** What forwards the sums of a task segment by segment. */
export interface ForwardingTools {
  readonly segments: number;
  /** Partial sums that cover the task and of which a segment is here. */
  readonly cover: (segment: number) => readonly PartialSum[] | undefined;
  /** Adds them. Never called again before `done` is. */
  readonly add: (addition: SegmentAddition, done: () => void) => void;
  /** The bytes of a segment of the results: a copy. */
  readonly copy: (segment: number) => Uint8Array;
  /** Sends segments of the results up. */
  readonly forward: (segments: readonly number[]) => void;
  /** Says that what was sent up is void. */
  readonly retract: () => void;
}

/** A segment that was sent up. */
interface Forwarded {
  /** What it is the sum of. */
  readonly sums: readonly PartialSum[];
  /** A buffer of these was released since, and may hold something else. */
  isReleased: boolean;
}

/**
 * The sums of one task of a relay, which go up segment by segment: a segment is added as soon as it is here from all of those below,
 * and sent. Which answers count is known when all have come. Every segment that was added from others is then added again from
 * those that count, and if one has other bits, because somebody below was wrong, all of what was sent is retracted and sent again.
 * Above, nothing counts before the answer is complete; see docs/relays.md.
 */
export class ForwardedSums {
  private readonly forwarded = new Map<number, Forwarded>();
  /** Segments that may have come, and are not added. */
  private due = new Set<number>();
  /** What is being added. `isVoid`: a buffer of it was released meanwhile. */
  private adding: (SegmentAddition & { isVoid: boolean }) | undefined;
  /** The sums that count, once they are known. */
  private final: readonly PartialSum[] | undefined;
  /** What segments had been before they were added again. */
  private readonly before = new Map<number, Uint8Array>();
  private isWrong = false;
  private isAbandoned = false;
  /** Called when nothing is being added any more. */
  private onEnd: (() => void) | undefined;

  constructor(private readonly tools: ForwardingTools) {}

  /** Something of the task has come. @param segment left out: any of them */
  arrived(segment?: number): void {
    if (this.onEnd !== undefined) return;
    const all = Array.from({ length: this.tools.segments }, (_, i) => i);
    for (const one of segment === undefined ? all : [segment])
      if (!this.forwarded.has(one)) this.due.add(one);
    this.advance();
  }

  /** Buffers were released: what was added from them may not be what counts. */
  released(buffers: readonly number[]): void {
    const isOf = ({ sums }: { readonly sums: readonly PartialSum[] }): boolean =>
      sums.some(({ buffer }) => buffers.includes(buffer));
    if (this.adding !== undefined && isOf(this.adding)) this.adding.isVoid = true;
    for (const one of this.forwarded.values()) if (!one.isReleased && isOf(one)) one.isReleased = true;
  }

  /** All is here. @param sums those that count @param done called when all of their segments are in the results */
  finish(sums: readonly PartialSum[], done: () => void): void {
    assert(this.onEnd === undefined, 'sums are complete once');
    this.final = sums;
    this.onEnd = done;
    this.due = new Set();
    for (let segment = 0; segment < this.tools.segments; segment++) {
      const forwarded = this.forwarded.get(segment);
      if (forwarded !== undefined && !forwarded.isReleased && areSame(forwarded.sums, sums)) continue;
      if (this.adding?.segments.includes(segment)) continue;
      this.due.add(segment);
    }
    this.advance();
  }

  /** Nobody needs them. @param done called when nothing is read or written any more */
  abandon(done: () => void): void {
    this.isAbandoned = true;
    this.onEnd = done;
    this.advance();
  }

  private advance(): void {
    if (this.adding !== undefined) return;
    const addition = this.isAbandoned ? undefined : this.next();
    if (addition !== undefined) {
      this.adding = { ...addition, isVoid: false };
      return this.tools.add(addition, () => this.added());
    }
    const { onEnd } = this;
    if (onEnd === undefined) return;
    if (this.isWrong && !this.isAbandoned) this.tools.retract();
    onEnd();
  }

  /** What can be added now: all segments of which the same sums are here. */
  private next(): SegmentAddition | undefined {
    const { due, final, tools } = this;
    if (due.size === 0) return undefined;
    const segments: number[] = [];
    let sums = final;
    for (const segment of due) {
      if (final === undefined) {
        const cover = tools.cover(segment);
        if (cover === undefined) due.delete(segment);
        if (cover === undefined || (sums !== undefined && !areSame(sums, cover))) continue;
        sums = cover;
      } else if (this.forwarded.has(segment)) this.before.set(segment, tools.copy(segment));
      due.delete(segment);
      segments.push(segment);
    }
    return sums && segments.length > 0 ? { sums, segments } : undefined;
  }

  private added(): void {
    const { adding, tools } = this;
    assert(adding !== undefined, 'something was being added');
    this.adding = undefined;
    const { sums, segments, isVoid } = adding;
    if (this.isAbandoned) return this.advance();
    // Of those that count nothing is released before all is over.
    if (isVoid) for (const segment of segments) this.due.add(segment);
    else {
      const fresh = segments.filter((segment) => !this.forwarded.has(segment));
      for (const segment of segments) this.check(segment);
      for (const segment of fresh) {
        this.forwarded.set(segment, { sums, isReleased: false });
        // What was being added when the sums became known may be of others.
        if (this.final !== undefined && !areSame(this.final, sums)) this.due.add(segment);
      }
      if (fresh.length > 0) tools.forward(fresh);
    }
    this.advance();
  }

  /** Compares a segment with what was sent up of it, if it was. */
  private check(segment: number): void {
    const before = this.before.get(segment);
    if (before === undefined) return;
    this.before.delete(segment);
    const now = this.tools.copy(segment);
    if (before.some((byte, i) => byte !== now[i])) this.isWrong = true;
  }
}

function areSame(a: readonly PartialSum[], b: readonly PartialSum[]): boolean {
  return a.length === b.length && a.every(({ buffer }, i) => buffer === b[i]?.buffer);
}
