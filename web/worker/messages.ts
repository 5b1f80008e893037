/* The messages between the page, its link worker and a compute worker. All are of one build and are not validated. */
import type { ThreadEnd, ThreadReady, ThreadTask } from '../../shared/engine/threads/thread-loop.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import type { KernelHash } from '../../shared/kernels/self-test/self-test.js';
import type { Run } from '../../shared/protocol/messages.js';
import type { SegmentPlace, VectorCut } from '../../shared/reduction/segments.js';
import type { Arriving, Computation, Computed, Prepared } from '../../worker/executor.js';
import type { ExitReason } from '../../worker/messages.js';
import type { DataOrigin } from './cached-executor.js';

/** What a tab contributes, as its user has chosen. */
export interface Contribution {
  /** Name of the worker, for people. */
  readonly name: string;
  /** Compute threads; 1 where the page is not isolated. */
  readonly threads: number;
  readonly backend: Exclude<Backend, 'native'>;
  /** Bytes that the run may use here. */
  readonly memoryBytes: number;
  /** Fraction of the time in which the threads compute, above 0. */
  readonly share: number;
}

/** From the page to the link worker. */
export type PageToLink =
  | {
      readonly kind: 'join';
      /** Of the WebSocket, without token. */
      readonly url: string;
      readonly token: string;
      readonly contribution: Contribution;
      /** Whether threads can share memory here. */
      readonly isIsolated: boolean;
    }
  | ThreadNews
  | { readonly kind: 'share'; readonly share: number }
  | { readonly kind: 'leave' };

/** From the link worker to the page. */
export type LinkToPage =
  | ThreadRequest
  | { readonly kind: 'started'; readonly backend: Backend; readonly detail: string; readonly threads: number }
  /** `samples`: of all ranges computed so far. */
  | { readonly kind: 'computed'; readonly samples: number }
  | { readonly kind: 'notice'; readonly text: string }
  /** A chunk of the data is here. */
  | { readonly kind: 'data'; readonly origin: DataOrigin }
  /** A chunk of the data is kept in this browser now. */
  | { readonly kind: 'kept' }
  /** Why this browser keeps no data for the next time. */
  | { readonly kind: 'keeps-no-data'; readonly reason: string }
  | {
      readonly kind: 'ended';
      readonly exitReason: ExitReason | 'error';
      readonly reason: string;
    };

/** From the link worker to a compute worker, which answers each `call` in order. */
export type LinkToCompute =
  | { readonly kind: 'start'; readonly call: number; readonly backend: Backend; readonly memoryBytes: number }
  | { readonly kind: 'prepare'; readonly call: number; readonly run: Run }
  | { readonly kind: 'compute'; readonly call: number; readonly computation: Computation }
  | { readonly kind: 'store'; readonly index: number; readonly bytes: Uint8Array }
  | { readonly kind: 'expect'; readonly what: Arriving }
  | { readonly kind: 'load'; readonly place: SegmentPlace; readonly bytes: Uint8Array }
  | { readonly kind: 'stop-waiting' };

/** Partial sums, and their vectors copied out of the compute worker's memory, one after the other. */
export interface ComputedSums {
  readonly computed: Computed;
  readonly cut: VectorCut;
  readonly payload: Uint8Array;
}

/** What the compute worker reports when it has started. */
export interface ComputeStarted {
  readonly backend: Backend;
  readonly detail: string;
  readonly selfTest: readonly KernelHash[];
}

/** Results of calls. */
export interface ComputeResults {
  readonly start: ComputeStarted;
  readonly prepare: Prepared;
  /** undefined: the computation was interrupted. */
  readonly compute: ComputedSums | undefined;
}

/** From a compute worker to its link worker. */
export type ComputeToLink =
  | { readonly call: number; readonly result: ComputeResults[keyof ComputeResults] }
  | { readonly call: number | undefined; readonly message: string; readonly isUserError: boolean };

/** From a worker to its page, which starts and ends compute threads for it. */
export type ThreadRequest =
  | { readonly kind: 'start-thread'; readonly task: ThreadTask }
  | { readonly kind: 'stop-threads' };

/** From the page to the worker: what a thread reports, or why it died. */
export interface ThreadNews {
  readonly kind: 'thread';
  readonly thread: number;
  readonly report: ThreadReport | { readonly died: string };
}

/** From a compute thread to the page. */
export type ThreadReport = { readonly ready: ThreadReady } | { readonly end: ThreadEnd };
