import type { Observer, StepRecord } from '../../coordinator/observer.js';
import type { Clock } from '../../shared/actor/clock.js';
import { assert } from '../../shared/errors.js';

/** Of a run's steps, those that are left out: machines meet, code is compiled. */
const WARM_SHARE = 0.1;

/** So many steps were done at that time, evaluations left out. */
interface Mark {
  readonly step: number;
  readonly ms: number;
}

/** Watches how long the steps of a run take, without its beginning and its evaluations. */
export class RunSpan implements Observer {
  private readonly marks: Mark[] = [];
  private isBurst = false;
  private evaluationsMs = 0;
  private latestMs = 0;

  constructor(private readonly clock: Clock) {}

  stepped({ step }: StepRecord): void {
    this.latestMs = this.clock.nowMs();
    const mark = { step, ms: this.latestMs - this.evaluationsMs };
    // The steps of a stride are told all at once when it has ended: only the last of them says anything about time.
    if (this.isBurst) this.marks.pop();
    this.marks.push(mark);
    this.isBurst = true;
    this.clock.after(0, () => {
      this.isBurst = false;
    });
  }

  evaluated(): void {
    this.evaluationsMs += this.clock.nowMs() - this.latestMs;
    this.isBurst = false;
  }

  reported(): void {}

  watched(): void {}

  notice(): void {}

  /** Microseconds per step. */
  usPerStep(): number {
    const last = this.marks.at(-1);
    assert(last !== undefined, 'a run without a step has no time per step');
    const warm = last.step * WARM_SHARE;
    const first = this.marks.find(({ step }) => step >= warm) as Mark;
    const from = first === last ? (this.marks.at(-2) ?? last) : first;
    assert(from !== last, 'a run of one stride has no time per step');
    return ((last.ms - from.ms) / (last.step - from.step)) * 1000;
  }
}
