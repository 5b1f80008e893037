import type { Partial } from '../shared/engine/partials.js';
import type { Run } from '../shared/protocol/messages.js';
import type { Range } from '../shared/sum/leaves.js';

/** What is known of a run that is laid out. */
export interface Prepared {
  /** Chunks of its data that are not here yet. */
  readonly missing: readonly number[];
  /** Bytes of its weights; undefined where they lie in memory that is shared, and are never sent. */
  readonly weightBytes: number | undefined;
}

/**
 * Where a node does its work: the memory that the run lies in, and the threads that compute on it. There are two: one
 * of the node's own (worker/own-workplace.ts), and a place in another's (worker/seat.ts).
 */
export interface Workplace {
  /**
   * Lays the run out in memory; a run that lies there already is kept, with its data, another one gives way.
   * @throws UserError when the model or the data do not fit this machine
   */
  prepare(run: Run): Promise<Prepared>;
  /**
   * Verifies a chunk and lays it down.
   * @returns false when its hash is not the one in the manifest
   * @throws UserError when there is no room
   */
  store(index: number, bytes: Uint8Array): boolean;
  /** Puts the parameters in place, `parameterFloats` little-endian floats. Called between computations only. */
  loadWeights(bytes: Uint8Array): void;
  /** Computes a range of leaves: the partial sums of its maximal aligned subtrees, valid until the next step's. */
  compute(step: number, range: Range): Promise<readonly Partial[]>;
  /**
   * What goes onto the wire for partial sums: their vectors one after the other; undefined where the coordinator
   * finds them in its own memory.
   */
  payload(partials: readonly Partial[]): Uint8Array | undefined;
}
