import type { PartialSum } from '../shared/engine/step/partial-sum-addition.js';
import { assert } from '../shared/errors.js';
import type { LeafRange } from '../shared/reduction/tree.js';
import type { Computation, Computed, ComputeEvents, Executor, Prepared } from './executor.js';

/** What computes ranges of leaves, or replicas, on memory that the coordinator shares. */
export interface SharedComputation {
  compute(step: number, range: LeafRange): Promise<readonly PartialSum[] | undefined>;
  interrupt(): void;
}

/**
 * Executor of a local worker: some of the coordinator's threads, on the memory that holds the weights and the data once
 * for all local workers. Nothing has to be fetched, and partial sums stay where they were computed.
 */
export class SharedMemoryExecutor implements Executor {
  constructor(private readonly computation: SharedComputation) {}

  async prepare(): Promise<Prepared> {
    return { missing: [], weights: undefined };
  }

  store(): boolean {
    return neverSent('a chunk');
  }

  expect(): void {
    neverSent('a vector');
  }

  load(): void {
    neverSent('a vector');
  }

  stopWaiting(): void {}

  async compute({ step, range }: Computation, { nowMs }: ComputeEvents): Promise<Computed | undefined> {
    const begunMs = nowMs();
    const partialSums = await this.computation.compute(step, range);
    return partialSums && { partialSums, computeMs: nowMs() - begunMs };
  }

  interrupt(): void {
    this.computation.interrupt();
  }

  vectors(): undefined {
    return undefined;
  }
}

function neverSent(what: string): never {
  assert(false, `${what} was sent to a worker that shares the coordinator's memory`);
}
