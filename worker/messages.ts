/* What reaches a worker's mailbox, and what a worker asks to be done. */
import type { PartialSum } from '../shared/engine/step/partial-sum-addition.js';
import type {
  CoordinatorToWorker,
  Expel,
  Run,
  SumPart,
  WorkerToCoordinator,
} from '../shared/protocol/messages.js';
import type { SegmentPlace } from '../shared/reduction/segments.js';
import type { LeafRange } from '../shared/reduction/tree.js';
import type { Arriving, Prepared } from './executor.js';

/** A message in a worker's mailbox. The result of every effect comes back as one of these. */
export type WorkerMessage =
  /** It is time to connect: at the start, and whenever a `connect-after` has elapsed. */
  | { kind: 'connect' }
  /** The link is up. `nonce` is the worker's part of the handshake. */
  | { kind: 'opened'; nonce: string }
  /** The link is gone, or could not be established. */
  | { kind: 'closed'; reason: string }
  /** The coordinator sent a message, whose fields have been validated. */
  | { kind: 'received'; message: CoordinatorToWorker; payload: Uint8Array }
  /** The executor has allocated this run. */
  | ({ kind: 'prepared'; run: Run } & Prepared)
  /** A chunk was stored, or was discarded because its hash is wrong (`isValid` is false). */
  | { kind: 'stored'; index: number; isValid: boolean }
  /** The executor has computed a range, or was interrupted (`partialSums` is undefined). */
  | {
      kind: 'computed';
      step: number;
      range: LeafRange;
      partialSums: readonly PartialSum[] | undefined;
      computeMicros: number;
      concurrency?: number;
      parts?: readonly SumPart[];
    }
  /** This machine could not do what was asked; the worker gives up. */
  | { kind: 'failed'; reason: string }
  /** The user wants the machine back. */
  | { kind: 'leave' };

/** A range of leaves to compute, and what comes with it: weights to load first, or an update to apply. */
export interface WorkItem {
  readonly step: number;
  readonly range: LeafRange;
  readonly brings: Arriving | undefined;
  /** Nobody needs the result: what it brings is left unused, and it is computed with whatever weights are there. */
  readonly isRehearsed?: boolean | undefined;
}

/** How a worker ended. `interrupted`: its run is over, but can be resumed. */
export type ExitReason = 'finished' | 'interrupted' | 'left' | 'refused' | 'lost' | 'failed';

/** Whether a worker ended as its run is over. */
export function isRunOver(exitReason: ExitReason | 'error'): boolean {
  return exitReason === 'finished' || exitReason === 'interrupted';
}

/** What a worker asks to be done. The effect runner (worker/effects.ts) does it. */
export type WorkerEffect =
  | { kind: 'connect' }
  | { kind: 'connect-after'; delayMs: number }
  /** `partialSums` are the sums whose vectors go with a `partial-sums` message. */
  | { kind: 'send'; message: WorkerToCoordinator; partialSums?: readonly PartialSum[] }
  /** The coordinator has proven that it knows the token: the link may carry larger messages from now on. */
  | { kind: 'admit' }
  | { kind: 'prepare'; run: Run }
  | { kind: 'store'; index: number; bytes: Uint8Array; isDeflated: boolean }
  /** Weights or an update begin to arrive. */
  | { kind: 'expect'; what: Arriving }
  /** A segment of them. */
  | { kind: 'load'; place: SegmentPlace; bytes: Uint8Array }
  /** What is missing of them never comes, and the result of the computation that waits for it is not needed. */
  | { kind: 'stop-waiting' }
  | { kind: 'compute'; work: WorkItem }
  /** The range that is being computed is not needed any more. It reports as usual. */
  | { kind: 'interrupt' }
  /** Somebody below this relay was wrong. */
  | { kind: 'expel'; message: Expel }
  | { kind: 'close' }
  | { kind: 'notice'; text: string }
  /** The worker has ended. No effect follows. */
  | { kind: 'end'; exitReason: ExitReason; reason: string };

/** The effects that end a worker. */
export function endWorker(exitReason: ExitReason, reason: string): WorkerEffect[] {
  return [{ kind: 'close' }, { kind: 'end', exitReason, reason }];
}

/** The effects that end a worker whose coordinator sent a message that its phase does not allow. */
export function outOfTurn(kind: CoordinatorToWorker['kind']): WorkerEffect[] {
  return endWorker('failed', `the coordinator sent "${kind}" out of turn`);
}
