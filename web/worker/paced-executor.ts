import type { Clock } from '../../shared/actor/clock.js';
import type { PartialSum } from '../../shared/engine/step/partial-sum-addition.js';
import type { Run } from '../../shared/protocol/messages.js';
import type { SegmentPlace } from '../../shared/reduction/segments.js';
import type {
  Arriving,
  Computation,
  Computed,
  ComputeEvents,
  Executor,
  Prepared,
} from '../../worker/executor.js';

/**
 * An executor that rests after each range, so that its threads compute for only a part of the time. The coordinator
 * measures the rest as computing time, and assigns fewer leaves.
 */
export class PacedExecutor implements Executor {
  /** Fraction of the time in which threads compute, above 0 and at most 1. */
  share = 1;

  /** @param onComputed called after each range, before it is sent */
  constructor(
    private readonly inner: Executor,
    private readonly clock: Clock,
    private readonly onComputed: () => void,
  ) {}

  prepare(run: Run): Promise<Prepared> {
    return this.inner.prepare(run);
  }

  store(index: number, bytes: Uint8Array): boolean {
    return this.inner.store(index, bytes);
  }

  expect(what: Arriving): void {
    this.inner.expect(what);
  }

  load(place: SegmentPlace, bytes: Uint8Array): void {
    this.inner.load(place, bytes);
  }

  stopWaiting(): void {
    this.inner.stopWaiting();
  }

  async compute(computation: Computation, events: ComputeEvents): Promise<Computed | undefined> {
    const computed = await this.inner.compute(computation, events);
    if (computed === undefined) return undefined;
    const { partialSums, computeMs } = computed;
    const restMs = computeMs * (1 / this.share - 1);
    if (restMs > 0) await new Promise<void>((resolve) => this.clock.after(restMs, resolve));
    this.onComputed();
    return { partialSums, computeMs: computeMs + Math.max(0, restMs) };
  }

  interrupt(): void {
    this.inner.interrupt();
  }

  vectors(partialSums: readonly PartialSum[]): ReturnType<Executor['vectors']> {
    return this.inner.vectors(partialSums);
  }
}
