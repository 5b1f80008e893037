import type { ActorRef } from '../shared/actor/actor.js';
import type { Clock } from '../shared/actor/clock.js';
import { randomIdentifier } from '../shared/actor/rng.js';
import { CHUNK_BYTES_MAX } from '../shared/data/manifest.js';
import { UserError } from '../shared/errors.js';
import { FRAME_BYTES_MAX, type FrameBounds, type Link } from '../shared/link/link.js';
import type { CoordinatorToNode } from '../shared/protocol/messages.js';
import { ProtocolError, parseCoordinatorMessage } from '../shared/protocol/parse.js';
import type { Ending, NodeEffect, NodeMessage, WorkItem } from './messages.js';
import type { Workplace } from './workplace.js';

/** What a coordinator may send once the run is there, which is the only message that is long itself. */
const COORDINATOR_BOUNDS: FrameBounds = {
  headerBytesMax: 64 * 2 ** 10,
  payloadBytesMax: (message) => {
    const { kind } = message as { kind?: unknown };
    return kind === 'work' ? FRAME_BYTES_MAX : kind === 'chunk' ? CHUNK_BYTES_MAX : 0;
  },
};

/** What a node's effects are carried out with. */
export interface NodeTools {
  readonly workplace: Workplace;
  readonly clock: Clock;
  /** Connects to the coordinator. Throws an Error whose message is one line; a UserError when it is of no use to try again. */
  readonly connect: () => Promise<Link>;
  readonly onNotice: (text: string) => void;
  /** The node's life is over. */
  readonly onEnd: (ending: Ending, reason: string) => void;
}

/** Carries out what a node decides, and brings back to it what happens. */
export class NodeShell {
  private link: Link | undefined;
  private ended = false;

  constructor(private readonly tools: NodeTools) {}

  /** Carries one effect out. */
  perform(effect: NodeEffect, self: ActorRef<NodeMessage>): void {
    const { workplace, clock } = this.tools;
    switch (effect.kind) {
      case 'connect':
        this.connect(self);
        return;
      case 'send': {
        const { message, partials } = effect;
        if (message.kind !== 'partials' || partials === undefined) return this.link?.send(message);
        const payload = workplace.payload(partials);
        if (payload !== undefined) return this.link?.send(message, payload);
        return this.link?.send({ ...message, slots: partials.map(({ slot }) => slot) });
      }
      case 'admit':
        return this.link?.admit(COORDINATOR_BOUNDS);
      case 'prepare':
        return this.attempt(self, workplace.prepare(effect.run), (result) => ({
          kind: 'prepared',
          ...result,
        }));
      case 'store':
        return this.store(self, effect.index, effect.bytes);
      case 'compute':
        return this.compute(self, effect.work);
      case 'retry-after':
        clock.after(effect.delayMs, () => self.tell({ kind: 'retry' }));
        return;
      case 'close':
        return this.link?.close('the node left');
      case 'notice':
        return this.tools.onNotice(effect.text);
      case 'end':
        this.ended = true;
        return this.tools.onEnd(effect.ending, effect.reason);
      default:
        effect satisfies never;
    }
  }

  private async connect(self: ActorRef<NodeMessage>): Promise<void> {
    try {
      const link = await this.tools.connect();
      // Its user took the node away while it was still knocking.
      if (this.ended) return link.close('the node left');
      this.link = link;
      self.tell({ kind: 'opened', nonce: randomIdentifier() });
      link.open({
        message: ({ message, payload }) => this.receive(self, message, payload),
        closed: (reason) => self.tell({ kind: 'closed', reason }),
      });
    } catch (error) {
      if (error instanceof UserError) return self.tell({ kind: 'failed', reason: error.message });
      self.tell({ kind: 'closed', reason: error instanceof Error ? error.message : String(error) });
    }
  }

  private receive(self: ActorRef<NodeMessage>, raw: unknown, payload: Uint8Array): void {
    let message: CoordinatorToNode;
    try {
      message = parseCoordinatorMessage(raw);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return self.tell({ kind: 'failed', reason: error.message });
    }
    self.tell({ kind: 'received', message, payload });
  }

  private store(self: ActorRef<NodeMessage>, index: number, bytes: Uint8Array): void {
    let sound: boolean;
    try {
      sound = this.tools.workplace.store(index, bytes);
    } catch (error) {
      return self.tell({ kind: 'failed', reason: reasonOf(error) });
    }
    self.tell({ kind: 'stored', index, sound });
  }

  private compute(self: ActorRef<NodeMessage>, { step, range, weights }: WorkItem): void {
    const { workplace, clock } = this.tools;
    const begunMs = clock.nowMs();
    if (weights !== undefined) {
      workplace.loadWeights(weights);
      this.link?.recycle(weights);
    }
    this.attempt(self, workplace.compute(step, range), (partials) => {
      const computeMicros = Math.round((clock.nowMs() - begunMs) * 1000);
      return { kind: 'computed', step, range, partials, computeMicros };
    });
  }

  private attempt<T>(
    self: ActorRef<NodeMessage>,
    work: Promise<T>,
    report: (result: T) => NodeMessage,
  ): void {
    work.then(
      (result) => self.tell(report(result)),
      (error: unknown) => {
        self.tell({ kind: 'failed', reason: reasonOf(error) });
      },
    );
  }
}

/** What the user can mend is told as it is; anything else is a fault of the program, told with where it is. */
function reasonOf(error: unknown): string {
  return error instanceof UserError ? error.message : String(error);
}
