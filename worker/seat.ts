import type { Crew } from '../shared/engine/crew.js';
import type { Partial } from '../shared/engine/partials.js';
import { assert } from '../shared/errors.js';
import type { Range } from '../shared/sum/leaves.js';
import type { Prepared, Workplace } from './workplace.js';

/**
 * A local node's place in the coordinator's own crew: some of its threads, on the memory where weights and data lie
 * once for all. Nothing needs to be fetched, and partial sums are found where they were made.
 */
export class Seat implements Workplace {
  constructor(
    private readonly crew: Crew,
    /** The threads of this seat. */
    private readonly threads: Range,
  ) {}

  async prepare(): Promise<Prepared> {
    return { missing: [], weightBytes: undefined };
  }

  store(): boolean {
    return neverNeeded('a chunk');
  }

  loadWeights(): void {
    neverNeeded('weights');
  }

  compute(step: number, leaves: Range): Promise<readonly Partial[]> {
    return this.crew.compute(step, { threads: this.threads, leaves });
  }

  payload(): undefined {
    return undefined;
  }
}

function neverNeeded(what: string): never {
  assert(false, `${what} was sent to a node that shares the coordinator's memory`);
}
