import { assert } from '../errors.js';
import type { Cancel, Clock } from './clock.js';

interface Timer {
  readonly dueMs: number;
  /** Timers due at the same time fire in the order in which they were set. */
  readonly order: number;
  fire: (() => void) | undefined;
}

/**
 * A clock that advances only when it is told to: tests need no sleeps, and simulated hours take milliseconds. Nothing in it
 * depends on the machine, so the same calls always have the same results.
 */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #timers = 0;
  /** A binary heap by (dueMs, order), since thousands of simulated workers set timers. */
  readonly #heap: Timer[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, fire: () => void): Cancel {
    assert(delayMs >= 0 && Number.isFinite(delayMs), `a timer cannot wait ${delayMs} ms`);
    const timer: Timer = { dueMs: this.#nowMs + delayMs, order: this.#timers++, fire };
    this.#heap.push(timer);
    this.#siftUp(this.#heap.length - 1);
    return () => {
      timer.fire = undefined;
    };
  }

  /** Advances to the next timer and fires it. @returns false when there is none */
  runNext(): boolean {
    this.#dropCancelled();
    const timer = this.#heap[0];
    if (timer === undefined) return false;
    this.#pop();
    this.#nowMs = timer.dueMs;
    const { fire } = timer;
    timer.fire = undefined;
    fire?.();
    return true;
  }

  /** Advances by so many milliseconds and fires all timers due in that time, in order, also those that are set meanwhile. */
  advance(durationMs: number): void {
    assert(durationMs >= 0 && Number.isFinite(durationMs), `a clock cannot advance by ${durationMs} ms`);
    const endMs = this.#nowMs + durationMs;
    for (;;) {
      this.#dropCancelled();
      const next = this.#heap[0];
      if (next === undefined || next.dueMs > endMs) break;
      this.runNext();
    }
    this.#nowMs = endMs;
  }

  #dropCancelled(): void {
    while (this.#heap[0] !== undefined && this.#heap[0].fire === undefined) this.#pop();
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (this.#heap.length === 0 || last === undefined) return;
    this.#heap[0] = last;
    this.#siftDown();
  }

  #siftUp(start: number): void {
    let child = start;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#swapIfEarlier(child, parent)) return;
      child = parent;
    }
  }

  #siftDown(): void {
    let parent = 0;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= this.#heap.length) return;
      if (child + 1 < this.#heap.length && this.#isEarlier(child + 1, child)) child += 1;
      if (!this.#swapIfEarlier(child, parent)) return;
      parent = child;
    }
  }

  #swapIfEarlier(child: number, parent: number): boolean {
    if (!this.#isEarlier(child, parent)) return false;
    const lower = this.#heap[child] as Timer;
    this.#heap[child] = this.#heap[parent] as Timer;
    this.#heap[parent] = lower;
    return true;
  }

  #isEarlier(a: number, b: number): boolean {
    const [first, second] = [this.#heap[a] as Timer, this.#heap[b] as Timer];
    return first.dueMs < second.dueMs || (first.dueMs === second.dueMs && first.order < second.order);
  }
}
