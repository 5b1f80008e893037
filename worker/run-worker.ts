import { Actor } from '../shared/actor/actor.js';
import type { WorkerIdentity } from './connection.js';
import { WorkerEffectRunner, type WorkerTools } from './effects.js';
import type { ExitReason, WorkerEffect, WorkerMessage } from './messages.js';
import { createWorkerState, type WorkerState, workerTransition } from './transition.js';

/** What a worker is started with. */
export interface WorkerParts extends Omit<WorkerTools, 'onEnd'> {
  readonly identity: WorkerIdentity;
}

/** How a worker ended. */
export interface WorkerEnd {
  readonly exitReason: ExitReason;
  readonly reason: string;
  /** Samples of all ranges that were computed and sent. */
  readonly samples: number;
}

/** A running worker. */
export class WorkerActor {
  /** How it ended. Rejects only on a fault of the program. */
  readonly ended: Promise<WorkerEnd>;
  private readonly actor: Actor<WorkerState, WorkerMessage, WorkerEffect>;

  /** Connects at once. */
  constructor({ identity, ...tools }: WorkerParts) {
    let end: (end: Pick<WorkerEnd, 'exitReason' | 'reason'>) => void = () => {};
    let fail: (error: unknown) => void = () => {};
    const ended = new Promise<Pick<WorkerEnd, 'exitReason' | 'reason'>>((resolve, reject) => {
      end = resolve;
      fail = reject;
    });
    const runner = new WorkerEffectRunner({
      ...tools,
      onEnd: (exitReason, reason) => end({ exitReason, reason }),
    });
    this.actor = new Actor({
      name: identity.name,
      state: createWorkerState(identity),
      transition: workerTransition,
      perform: (effect, self) => runner.perform(effect, self),
      onFailure: ({ error }) => fail(error),
    });
    this.ended = ended.then((how) => ({ ...how, samples: this.samples }));
    this.actor.tell({ kind: 'connect' });
  }

  /** Samples of all ranges that were computed and sent. */
  get samples(): number {
    return this.actor.state.workQueue.samples;
  }

  /** Leaves the run. The coordinator assigns what this worker still owes to others. */
  leave(): void {
    this.actor.tell({ kind: 'leave' });
  }
}
