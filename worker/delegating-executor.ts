import type { PartialSum } from '../shared/engine/step/partial-sum-addition.js';
import type { Expel, Run } from '../shared/protocol/messages.js';
import type { SegmentPlace } from '../shared/reduction/segments.js';
import type { Arriving, Computation, Computed, ComputeEvents, Executor, Prepared } from './executor.js';

/** An executor that delegates to another one: subclasses change a part of it. */
export class DelegatingExecutor implements Executor {
  constructor(protected readonly inner: Executor) {}

  prepare(run: Run): Promise<Prepared> {
    return this.inner.prepare(run);
  }

  store(index: number, bytes: Uint8Array): boolean | Promise<boolean> {
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

  compute(computation: Computation, events: ComputeEvents): Promise<Computed | undefined> {
    return this.inner.compute(computation, events);
  }

  interrupt(): void {
    this.inner.interrupt();
  }

  expel(message: Expel): void {
    this.inner.expel?.(message);
  }

  vectors(partialSums: readonly PartialSum[]): ReturnType<Executor['vectors']> {
    return this.inner.vectors(partialSums);
  }
}
