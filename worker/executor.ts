import type { PartialSum } from '../shared/engine/step/partial-sum-addition.js';
import type { Expel, Run, SumPart } from '../shared/protocol/messages.js';
import type { SegmentPlace, VectorCut } from '../shared/reduction/segments.js';
import type { LeafRange } from '../shared/reduction/tree.js';

/** What comes with work: the weights of a step, or the encoded update of the step before. */
export type Arriving = 'weights' | 'update';

/** Vectors of equal length that travel together. */
export interface Vectors {
  readonly count: number;
  readonly cut: VectorCut;
}

/** What is known of a run when it is prepared. */
export interface Prepared {
  /** Chunks of its data that are not here yet, ascending. */
  readonly missing: readonly number[];
  /** Its weights, and the optimizer's vectors where there is a codec; undefined: they lie in shared memory and are never sent. */
  readonly weights: Vectors | undefined;
  /** An encoded update; undefined when there are none. */
  readonly update?: Vectors | undefined;
  /** All of the data is fetched at once: without it, not even a rehearsal can be computed here. */
  readonly needsAllData?: boolean;
  /** Ranges of one step are computed at the same time, instead of one after the other. */
  readonly computesTogether?: boolean;
  /** Others compute here what is asked for. */
  readonly relays?: boolean;
}

/** A range of leaves of a step. */
export interface Computation {
  readonly step: number;
  readonly range: LeafRange;
  /** The update that was announced is applied first. */
  readonly appliesUpdate: boolean;
}

/** What happens during a computation. */
export interface ComputeEvents {
  /** The clock. */
  nowMs(): number;
  /** These segments of all of its partial sums are complete, before the others. */
  completed(partialSums: readonly PartialSum[], segments: readonly number[]): void;
  /** What was completed of them is void: the bits of some segments are others now, and all are sent again. */
  retracted(): void;
}

/** What comes of a computation. */
export interface Computed {
  /** The partial sums that are exchanged of it, valid until the next step's. */
  readonly partialSums: readonly PartialSum[];
  /** Time without waiting for weights, and without what does not depend on the range. */
  readonly computeMs: number;
  /** How many replicas a relay has computed at a time; left out: 1. */
  readonly concurrency?: number;
  /** Who has computed what of it, where a relay has to say so. */
  readonly parts?: readonly SumPart[];
}

/**
 * What computes for a worker: memory that holds the run, and threads. RemoteExecutor has its own memory and threads;
 * SharedMemoryExecutor uses some of the coordinator's threads on the coordinator's memory.
 */
export interface Executor {
  /**
   * Allocates the run. A run that is in memory already is kept with its data; another run is replaced.
   * @throws UserError when the model or the data do not fit this machine
   */
  prepare(run: Run): Promise<Prepared>;
  /**
   * Verifies and stores a chunk.
   * @returns false when its hash is not the one in the manifest; a promise where more has to happen before it is of use here
   * @throws UserError when there is no room
   */
  store(index: number, bytes: Uint8Array): boolean | Promise<boolean>;
  /**
   * New weights or an update are announced, and will be loaded; the next computation waits for them. To be called between
   * computations only.
   */
  expect(what: Arriving): void;
  /** Copies a segment of what is expected into place: little-endian float32, or an encoded update. */
  load(place: SegmentPlace, bytes: Uint8Array): void;
  /** What is expected and missing never comes: a computation that waits for it goes on. Nobody needs its result. */
  stopWaiting(): void;
  /**
   * Computes a range of leaves. What is expected may still be arriving: it begins when its first weights are here. Returns when
   * everything expected is here, or undefined when it was interrupted.
   */
  compute(computation: Computation, events: ComputeEvents): Promise<Computed | undefined>;
  /** Ends the computation under way early, where that saves time worth mentioning, and its waiting in any case. */
  interrupt(): void;
  /** Somebody below a relay was wrong. Only a relay has this. */
  expel?(message: Expel): void;
  /** The vectors of partial sums, to be sent: how they are cut, and views of them; undefined: the coordinator shares their memory. */
  vectors(partialSums: readonly PartialSum[]): { cut: VectorCut; views: readonly Uint8Array[] } | undefined;
}
