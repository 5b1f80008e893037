import { ABORT, MISSING, PHASE, SLEEPERS } from './control-block.js';

/**
 * Most waits without spinning after spinning was in vain. On a busy machine the other thread may not be running at all:
 * spinning then keeps it from its core. Measured with more load than cores: 2 to 6 times the steps.
 */
const RESTS_MAX = 63;
/** Longest sleep, should a wake-up be lost: then the abort flag is looked at again. */
const SLEEP_MS_MAX = 100;

/**
 * A meeting point of all threads of a team: none goes on before all have arrived. Waiting threads look at the phase
 * some thousand times, since the others are usually microseconds behind, and then sleep. One object for each thread.
 */
export class Barrier {
  /** Waits to come without spinning, and how many there were after it was last in vain. */
  private rests = 0;
  private restsLast = 0;

  /**
   * @param words the team's control block
   * @param threads how many meet
   * @param spins looks before sleeping; 0 when there are more threads than cores, where waiting keeps others from working
   */
  constructor(
    private readonly words: Int32Array,
    private readonly threads: number,
    private readonly spins: number,
  ) {}

  /** Makes a new block ready. To be called once, before any thread arrives. */
  static prepare(words: Int32Array, threads: number): void {
    Atomics.store(words, MISSING, threads);
  }

  /**
   * Waits for the others.
   *
   * @param last called by whichever thread arrives last, while all others still wait
   * @returns false when the team was aborted: some thread is gone and the meeting did not take place
   */
  meet(last?: () => void): boolean {
    const { words } = this;
    // The phase is read before the flag, and an abort writes the flag before the phase: one of the two is always seen.
    const phase = Atomics.load(words, PHASE);
    if (Atomics.load(words, ABORT) !== 0) return false;
    if (Atomics.sub(words, MISSING, 1) > 1) return this.waitBeyond(phase);
    last?.();
    Atomics.store(words, MISSING, this.threads);
    Atomics.add(words, PHASE, 1);
    if (Atomics.load(words, SLEEPERS) > 0) Atomics.notify(words, PHASE);
    return true;
  }

  private waitBeyond(phase: number): boolean {
    const { words } = this;
    if (!this.spinBeyond(phase)) {
      Atomics.add(words, SLEEPERS, 1);
      while (Atomics.load(words, PHASE) === phase && Atomics.load(words, ABORT) === 0) {
        Atomics.wait(words, PHASE, phase, SLEEP_MS_MAX);
      }
      Atomics.sub(words, SLEEPERS, 1);
    }
    return Atomics.load(words, ABORT) === 0;
  }

  /** Whether the phase has changed while this thread spun. */
  private spinBeyond(phase: number): boolean {
    if (this.rests > 0) {
      this.rests -= 1;
      return false;
    }
    for (let looks = this.spins; looks > 0; looks--) {
      if (Atomics.load(this.words, PHASE) !== phase) {
        this.restsLast = 0;
        return true;
      }
    }
    this.restsLast = Math.min(2 * this.restsLast + 1, RESTS_MAX);
    this.rests = this.restsLast;
    return false;
  }
}

/** Makes every present and later `meet` return false. */
export function abortBarrier(words: Int32Array): void {
  Atomics.store(words, ABORT, 1);
  Atomics.add(words, PHASE, 1);
  Atomics.notify(words, PHASE);
}
