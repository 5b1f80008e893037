import type { Metrics, Observer, RunEvent, StepRecord } from '../../coordinator/observer.js';
import { testMetrics } from '../training/run-watch.js';
import type { RunTruth } from './run-truth.js';

/** Where a run is not what it says. */
export interface Departure {
  readonly step: number;
  readonly what: string;
}

/** Watches a run being done again, and holds it to what it said the first time, bit by bit. */
export class Witness implements Observer {
  departure: Departure | undefined;
  checkedSteps = 0;
  checkedHashes = 0;
  /** Latest step whose weights were as recorded; -1 before the first. */
  private soundStep = -1;
  /** Called when nothing more is to be seen. */
  onEnd = (): void => {};

  /** @param until the last step to be seen */
  constructor(
    private readonly truth: RunTruth,
    private readonly until: number,
  ) {}

  stepped({ step, means }: StepRecord): void {
    const recorded = this.truth.steps.get(step);
    if (this.departure !== undefined || recorded === undefined) return;
    this.checkedSteps += 1;
    const wrong = Object.entries(means).find(([name, value]) => recorded[name] !== value);
    if (wrong !== undefined) {
      const [name, value] = wrong;
      const sound = this.soundStep < 0 ? '' : `; the weights after step ${this.soundStep} were right`;
      return this.depart(step, `its ${name} is ${value}, and was recorded as ${recorded[name]}${sound}`);
    }
    if (step >= this.until) this.onEnd();
  }

  reported(event: RunEvent): void {
    if (event.event !== 'checkpoint' || this.departure !== undefined) return;
    const { step, weightsSha256 } = event;
    const recorded = this.truth.weights.get(step);
    if (recorded === undefined) return;
    if (recorded !== weightsSha256)
      return this.depart(step, `the weights after it are ${weightsSha256}, and were recorded as ${recorded}`);
    this.checkedHashes += 1;
    this.soundStep = step;
  }

  evaluated(step: number, means: Metrics): void {
    const recorded = this.truth.evaluations.get(step);
    if (this.departure !== undefined || recorded === undefined) return;
    const wrong = Object.entries(testMetrics(means)).find(([name, value]) => recorded[name] !== value);
    if (wrong === undefined) return;
    const [name, value] = wrong;
    this.depart(step, `the ${name} after it is ${value}, and was recorded as ${recorded[name]}`);
  }

  watched(): void {}

  notice(): void {}

  private depart(step: number, what: string): void {
    this.departure = { step, what };
    this.onEnd();
  }
}
