import { Actor, type ActorRef } from '../shared/actor/actor.js';
import type { Clock } from '../shared/actor/clock.js';
import type { Link } from '../shared/link/link.js';
import type { Ending, NodeEffect, NodeMessage } from './messages.js';
import { node } from './node.js';
import { NodeShell } from './shell.js';
import { initialState, type NodeIdentity, type NodeState } from './state.js';
import type { Workplace } from './workplace.js';

/** What a node is made of. */
export interface NodeParts {
  readonly identity: NodeIdentity;
  readonly workplace: Workplace;
  readonly clock: Clock;
  /** Connects to the coordinator. Throws an Error that says in one line why not; a UserError: and never will. */
  readonly connect: () => Promise<Link>;
  readonly onNotice: (text: string) => void;
}

/** How a node's life ended. */
export interface NodeEnd {
  readonly ending: Ending;
  readonly reason: string;
  /** Samples computed and handed in. */
  readonly samples: number;
}

/** A running worker node. */
export class WorkerNode {
  /** How it ended; rejects only when the program itself is at fault. */
  readonly ended: Promise<NodeEnd>;
  private readonly actor: Actor<NodeState, NodeMessage, NodeEffect>;

  /** Starts to look for the coordinator at once. */
  constructor(parts: NodeParts) {
    let end: (end: { ending: Ending; reason: string }) => void = () => {};
    let fail: (error: unknown) => void = () => {};
    const ended = new Promise<{ ending: Ending; reason: string }>((resolve, reject) => {
      end = resolve;
      fail = reject;
    });
    const shell = new NodeShell({ ...parts, onEnd: (ending, reason) => end({ ending, reason }) });
    this.actor = new Actor({
      name: parts.identity.name,
      state: initialState(parts.identity),
      transition: node,
      perform: (effect: NodeEffect, self: ActorRef<NodeMessage>) => shell.perform(effect, self),
      onFailure: ({ error }) => fail(error),
    });
    this.ended = ended.then((how) => ({ ...how, samples: this.actor.state.samples }));
    this.actor.tell({ kind: 'retry' });
  }

  /** Leaves the run: what the node still owes goes to others. */
  leave(): void {
    this.actor.tell({ kind: 'leave' });
  }
}
