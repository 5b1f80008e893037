import type { Partial } from '../shared/engine/partials.js';
import type { CoordinatorToNode, NodeToCoordinator, Run } from '../shared/protocol/messages.js';
import type { Range } from '../shared/sum/leaves.js';
import type { Prepared } from './workplace.js';

/** What reaches a node's mailbox. Whatever an effect started comes back as one of these. */
export type NodeMessage =
  /** The link is up; `nonce` is this node's half of the handshake. */
  | { kind: 'opened'; nonce: string }
  | { kind: 'closed'; reason: string }
  | { kind: 'received'; message: CoordinatorToNode; payload: Uint8Array }
  /** The run is laid out in memory. */
  | ({ kind: 'prepared' } & Prepared)
  /** A chunk was laid down, or (`sound` false) its hash was wrong. */
  | { kind: 'stored'; index: number; sound: boolean }
  | { kind: 'computed'; step: number; range: Range; partials: readonly Partial[]; computeMicros: number }
  /** The machine could not do something; the node gives up. */
  | { kind: 'failed'; reason: string }
  | { kind: 'retry' }
  /** The person at this machine wants it back. */
  | { kind: 'leave' };

/** A range of leaves to compute, with the weights to load first, when they came along. */
export interface WorkItem {
  readonly step: number;
  readonly range: Range;
  readonly weights: Uint8Array | undefined;
}

/** How a node's life ended. */
export type Ending = 'finished' | 'left' | 'refused' | 'lost' | 'failed';

/** What a node wants done. Carried out by worker/shell.ts, never by a transition. */
export type NodeEffect =
  | { kind: 'connect' }
  | { kind: 'send'; message: NodeToCoordinator; partials?: readonly Partial[] }
  /** The coordinator has proven itself: the link may carry more from now on. */
  | { kind: 'admit' }
  | { kind: 'prepare'; run: Run }
  | { kind: 'store'; index: number; bytes: Uint8Array }
  | { kind: 'compute'; work: WorkItem }
  | { kind: 'retry-after'; delayMs: number }
  | { kind: 'close' }
  | { kind: 'notice'; text: string }
  | { kind: 'end'; ending: Ending; reason: string };
