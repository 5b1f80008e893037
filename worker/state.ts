import { retryDelayMs } from '../shared/link/retry.js';
import type { Run, SelfTestResult } from '../shared/protocol/messages.js';
import type { Handshake } from '../shared/protocol/proof.js';
import type { NodeEffect, WorkItem } from './messages.js';

/** What a node says of itself when it joins. */
export interface NodeIdentity {
  readonly name: string;
  readonly backend: string;
  readonly detail: string;
  readonly threads: number;
  readonly token: string;
  readonly selfTest: readonly SelfTestResult[];
}

/** Where a node is on its way into a run. */
export type NodePhase =
  | 'connecting'
  | 'greeting'
  | 'preparing'
  | 'fetching'
  | 'working'
  | 'waiting-to-retry'
  | 'ended';

/** The whole state of a node. Owned by its actor; changed only by its transition. */
export interface NodeState {
  readonly identity: NodeIdentity;
  phase: NodePhase;
  /** Connections lost or refused in a row. */
  attempts: number;
  nonce: string;
  /** What both proofs of this link are made over. */
  handshake: Handshake | undefined;
  /** The run that the node is in. */
  run: Run | undefined;
  /** Chunks not yet asked for, and those that were and are not laid down. */
  missing: number[];
  readonly onTheirWay: Set<number>;
  /** Bytes of the run's weights; undefined where they are not sent. */
  weightBytes: number | undefined;
  /** The step whose weights came last over this link; -1 before the first. */
  weightsStep: number;
  /** Work not yet begun; weights come with the first of it at most. */
  queue: WorkItem[];
  /** What the threads compute: work that is owed, or `void` work, handed out over a link that is gone. */
  computing: 'nothing' | 'owed' | 'void';
  /** Samples computed and handed in. */
  samples: number;
}

/** A node that has not yet looked for its coordinator. */
export function initialState(identity: NodeIdentity): NodeState {
  return {
    identity,
    phase: 'connecting',
    attempts: 0,
    nonce: '',
    handshake: undefined,
    run: undefined,
    missing: [],
    onTheirWay: new Set(),
    weightBytes: undefined,
    weightsStep: -1,
    queue: [],
    computing: 'nothing',
    samples: 0,
  };
}

/** The link is gone: forget what was promised over it and try again, later each time, up to a bound. */
export function lost(state: NodeState, reason: string, effects: NodeEffect[]): void {
  state.queue = [];
  // Under the next link this node is a new member: it owes nothing of the old one's, whenever that is done.
  if (state.computing === 'owed') state.computing = 'void';
  state.missing = [];
  state.onTheirWay.clear();
  state.weightsStep = -1;
  state.attempts += 1;
  const delayMs = retryDelayMs(state.attempts);
  if (delayMs === undefined) {
    end(state, 'lost', `no coordinator after ${state.attempts} attempts (${reason})`, effects);
    return;
  }
  state.phase = 'waiting-to-retry';
  effects.push({ kind: 'notice', text: `no coordinator (${reason}); trying again in ${delayMs / 1000} s` });
  effects.push({ kind: 'retry-after', delayMs });
}

/** The node's life is over. */
export function end(
  state: NodeState,
  ending: Extract<NodeEffect, { kind: 'end' }>['ending'],
  reason: string,
  effects: NodeEffect[],
): void {
  state.phase = 'ended';
  effects.push({ kind: 'close' }, { kind: 'end', ending, reason });
}
