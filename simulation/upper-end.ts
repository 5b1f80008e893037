import type { CoordinatorMessage } from '../coordinator/state/messages.js';
import type { WorkerToCoordinator } from '../shared/protocol/messages.js';

/** What is at the upper end of a connection: a process of the coordinator, or a relay. */
export interface UpperEnd {
  /** For the trace. */
  readonly name: string;
  /** The process has not ended. */
  readonly isRunning: boolean;
  /** A worker has connected; or a worker that shares memory has sent a message. */
  hear(message: Extract<CoordinatorMessage, { kind: 'connected' | 'received' }>): void;
  /** A message of a remote worker arrives. @param by the name of the worker */
  receive(id: string, message: WorkerToCoordinator, payload: Uint8Array, by: string): void;
  /** A connection is gone. */
  disconnected(id: string, reason: string): void;
  /** What goes with work, as it is now. */
  outgoing(what: 'weights' | 'update'): Uint8Array;
  /** Does something as soon as a segment of what goes with work is on this machine. */
  whenHere(what: 'weights' | 'update', index: number, act: () => void): void;
}
