import type { Clock } from '../../shared/actor/clock.js';
import { DelegatingExecutor } from '../../worker/delegating-executor.js';
import type { Computation, Computed, ComputeEvents, Executor } from '../../worker/executor.js';

/**
 * An executor that rests after each range, so that its threads compute for only a part of the time. The coordinator
 * measures the rest as computing time, and assigns fewer leaves.
 */
export class PacedExecutor extends DelegatingExecutor {
  /** Fraction of the time in which threads compute, above 0 and at most 1. */
  share = 1;

  /** @param onComputed called after each range, before it is sent */
  constructor(
    inner: Executor,
    private readonly clock: Clock,
    private readonly onComputed: () => void,
  ) {
    super(inner);
  }

  override async compute(computation: Computation, events: ComputeEvents): Promise<Computed | undefined> {
    const computed = await super.compute(computation, events);
    if (computed === undefined) return undefined;
    const { partialSums, computeMs } = computed;
    const restMs = computeMs * (1 / this.share - 1);
    if (restMs > 0) await new Promise<void>((resolve) => this.clock.after(restMs, resolve));
    this.onComputed();
    return { partialSums, computeMs: computeMs + Math.max(0, restMs) };
  }
}
