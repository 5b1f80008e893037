import { ABORT, MISSING, PHASE, SLEEPERS, threadWord } from './control-block.js';

/**
 * Most waits without spinning after a spin that did not succeed. On a busy machine the other thread may not be running at
 * all, and spinning then keeps it from its core. Measured with more load than cores: 2 to 6 times as many steps.
 */
const SKIPPED_SPINS_MAX = 63;
/** Longest sleep. If a wake-up is lost, the thread checks the abort flag after this time. */
const SLEEP_MS_MAX = 100;

/**
 * A barrier for the threads of an execution: none goes on before all have arrived. A waiting thread reads the phase some
 * thousand times, since the others are usually microseconds behind, and then sleeps. Each thread has its own object, and
 * enters the barrier of one execution after the other.
 */
export class Barrier {
  /** How many of the next waits skip spinning, and how many did after the latest spin that did not succeed. */
  private spinsToSkip = 0;
  private spinsSkipped = 0;
  private threads = 1;
  private missing = 0;
  private phase = 0;
  private sleepers = 0;

  /**
   * @param words the pool's control block
   * @param spins reads before sleeping; 0 when there are more threads than cores, since spinning would keep others from
   *   working
   */
  constructor(
    private readonly words: Int32Array,
    private readonly spins: number,
  ) {}

  /** Prepares the barrier of an execution, before any of its threads arrives. @param lead its first thread */
  static prepare(words: Int32Array, lead: number, threads: number): void {
    Atomics.store(words, threadWord(lead, MISSING), threads);
  }

  /** Enters the barrier of an execution on so many threads. @param lead the first of them */
  enter(lead: number, threads: number): void {
    this.threads = threads;
    this.missing = threadWord(lead, MISSING);
    this.phase = threadWord(lead, PHASE);
    this.sleepers = threadWord(lead, SLEEPERS);
  }

  /**
   * Waits until all threads have arrived.
   *
   * @param last called by the thread that arrives last, while all others still wait
   * @returns false when the pool was aborted: a thread is gone, and not all have arrived
   */
  meet(last?: () => void): boolean {
    const { words } = this;
    // The phase is read before the flag, and an abort writes the flag before the phase: one of the two is always seen.
    const phase = Atomics.load(words, this.phase);
    if (Atomics.load(words, ABORT) !== 0) return false;
    if (Atomics.sub(words, this.missing, 1) > 1) return this.waitBeyond(phase);
    last?.();
    Atomics.store(words, this.missing, this.threads);
    Atomics.add(words, this.phase, 1);
    if (Atomics.load(words, this.sleepers) > 0) Atomics.notify(words, this.phase);
    return true;
  }

  private waitBeyond(phase: number): boolean {
    const { words } = this;
    if (!this.spinBeyond(phase)) {
      Atomics.add(words, this.sleepers, 1);
      while (Atomics.load(words, this.phase) === phase && Atomics.load(words, ABORT) === 0) {
        Atomics.wait(words, this.phase, phase, SLEEP_MS_MAX);
      }
      Atomics.sub(words, this.sleepers, 1);
    }
    return Atomics.load(words, ABORT) === 0;
  }

  /** Whether the phase has changed while this thread spun. */
  private spinBeyond(phase: number): boolean {
    if (this.spinsToSkip > 0) {
      this.spinsToSkip -= 1;
      return false;
    }
    for (let reads = this.spins; reads > 0; reads--) {
      if (Atomics.load(this.words, this.phase) !== phase) {
        this.spinsSkipped = 0;
        return true;
      }
    }
    this.spinsSkipped = Math.min(2 * this.spinsSkipped + 1, SKIPPED_SPINS_MAX);
    this.spinsToSkip = this.spinsSkipped;
    return false;
  }
}

/** Makes every present and later `meet` return false. @param threads of the pool */
export function abortBarriers(words: Int32Array, threads: number): void {
  Atomics.store(words, ABORT, 1);
  for (let lead = 0; lead < threads; lead++) {
    const phase = threadWord(lead, PHASE);
    Atomics.add(words, phase, 1);
    Atomics.notify(words, phase);
  }
}
