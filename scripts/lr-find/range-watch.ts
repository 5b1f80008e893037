import type { Observer, StepRecord } from '../../coordinator/observer.js';
import { RangeTest } from './range-test.js';

/** Watches a run whose rate grows, and ends it when the loss has exploded. */
export class RangeWatch implements Observer {
  private readonly test: RangeTest;
  private over = false;

  /** @param from rate of the first step */
  constructor(
    from: number,
    private readonly end: () => void,
  ) {
    this.test = new RangeTest(from);
  }

  get points(): RangeTest['points'] {
    return this.test.points;
  }

  stepped({ means }: StepRecord): void {
    // A stride goes on for some steps after its end was asked for.
    if (this.over) return;
    this.over = this.test.add(means.loss as number);
    if (this.over) this.end();
  }

  evaluated(): void {}

  reported(): void {}

  watched(): void {}

  notice(): void {}
}
