import type { Observer, StepRecord } from '../../coordinator/state/observer.js';
import type { Clock } from '../../shared/actor/clock.js';
import { assert } from '../../shared/errors.js';

/** Share of a run's steps that is not counted: workers join, and code is being compiled. */
const WARM_SHARE = 0.1;

/** The number of steps done at a time, with the time of evaluations subtracted. */
interface Mark {
  readonly step: number;
  readonly ms: number;
}

/** Measures the time per step of a run, without its warm-up and its evaluations. */
export class RunSpan implements Observer {
  private readonly marks: Mark[] = [];
  private isSameExecution = false;
  private evaluationsMs = 0;
  private latestMs = 0;

  constructor(private readonly clock: Clock) {}

  stepped({ step }: StepRecord): void {
    this.latestMs = this.clock.nowMs();
    const mark = { step, ms: this.latestMs - this.evaluationsMs };
    // All steps of an execution are reported in one go when it has ended, so only the last one gives a time. Anything else
    // is reported in a later task, however soon: a timer could be late and merge two short executions.
    if (this.isSameExecution) this.marks.pop();
    this.marks.push(mark);
    this.isSameExecution = true;
    queueMicrotask(() => {
      this.isSameExecution = false;
    });
  }

  evaluated(): void {
    this.evaluationsMs += this.clock.nowMs() - this.latestMs;
    this.isSameExecution = false;
  }

  reported(): void {}

  inspected(): void {}

  notice(): void {}

  /** Microseconds per step. */
  usPerStep(): number {
    const last = this.marks.at(-1);
    assert(last !== undefined, 'a run without a step has no time per step');
    const warm = last.step * WARM_SHARE;
    const first = this.marks.find(({ step }) => step >= warm) as Mark;
    const from = first === last ? (this.marks.at(-2) ?? last) : first;
    assert(from !== last, 'a run of one execution has no time per step');
    return ((last.ms - from.ms) / (last.step - from.step)) * 1000;
  }
}
