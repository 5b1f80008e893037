import type { Metrics, Observer } from '../../coordinator/state/observer.js';
import type { Clock } from '../../shared/actor/clock.js';
import { UserError } from '../../shared/errors.js';

/** A metric of the test data, and the value to reach: from below, or from above for a loss. */
export interface Target {
  readonly metric: string;
  readonly value: number;
}

/** A run that has reached its target. */
export interface TargetRun {
  /** From before the machines are started until the target was reached, evaluations not included. */
  readonly seconds: number;
  readonly steps: number;
  readonly weightsSha256: string;
}

/** Watches a run for its target. */
export class TargetWatch implements Observer {
  /** Called before the run goes on, when it is known whether the target can be reached. */
  onDecided = (): void => {};
  #reached: { readonly seconds: number; readonly steps: number } | undefined;
  #evaluationsMs = 0;
  #latest: Metrics | undefined;
  readonly #begunMs: number;

  constructor(
    private readonly target: Target,
    private readonly clock: Clock,
  ) {
    this.#begunMs = clock.nowMs();
  }

  evaluated(step: number, means: Metrics, tookMs: number): void {
    const { metric, value } = this.target;
    const now = means[metric];
    this.#evaluationsMs += tookMs;
    this.#latest = means;
    const isReached = now !== undefined && (metric === 'loss' ? now <= value : now >= value);
    if (this.#reached !== undefined || !(isReached || now === undefined)) return;
    if (isReached) {
      const ms = this.clock.nowMs() - this.#begunMs - this.#evaluationsMs;
      this.#reached = { seconds: ms / 1000, steps: step };
    }
    this.onDecided();
  }

  /** @throws UserError when the target was not reached */
  result(): Omit<TargetRun, 'weightsSha256'> {
    if (this.#reached !== undefined) return this.#reached;
    const { metric, value } = this.target;
    const latest = this.#latest?.[metric];
    const names = Object.keys(this.#latest ?? {}).join(', ');
    throw new UserError(
      latest === undefined
        ? `--target: this recipe has no metric "${metric}" of test data; name one of: ${names || 'none'}`
        : `--target: ${metric} is ${latest} when the recipe ends, and never was ${value}; name a value that it reaches`,
    );
  }

  stepped(): void {}

  reported(): void {}

  inspected(): void {}

  notice(): void {}
}
