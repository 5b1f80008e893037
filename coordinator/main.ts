import { Actor, type ActorRef } from '../shared/actor/actor.js';
import type { Clock } from '../shared/actor/clock.js';
import type { Dataset } from '../shared/data/dataset.js';
import { type Certificate, fingerprintOf } from '../shared/link/certificate.js';
import type { Link } from '../shared/link/link.js';
import { type ListenAddress, listen, reachableHost } from '../shared/link/listen.js';
import { acceptWebSockets } from '../shared/link/web-socket-server.js';
import { formatJoinUrl } from '../shared/protocol/join-url.js';
import type { Partials } from '../shared/protocol/messages.js';
import type { News } from '../shared/protocol/watch-messages.js';
import type { Range } from '../shared/sum/leaves.js';
import type { BestWeights } from './best-weights.js';
import type { RunProgress } from './checkpoint.js';
import { coordinate } from './coordinator.js';
import { memberBounds } from './frame-fit.js';
import type { Keeper } from './keeper.js';
import type { Completion, CoordinatorEffect, CoordinatorMessage } from './messages.js';
import type { Observer } from './observer.js';
import { isOwed } from './rounds.js';
import { CoordinatorShell } from './shell.js';
import type { SlotPool } from './slot-pool.js';
import type { Snapshots } from './snapshots.js';
import {
  type CoordinatorState,
  type Divergence,
  initialState,
  type Member,
  type RunSettings,
} from './state.js';
import type { Workshop } from './workshop.js';

/** How often the coordinator looks who is still there. */
const TICK_MS = 500;
/** How long those who are told that the run is over may take to hang up. */
const FAREWELL_MS = 1000;

/** What a coordinator is made of. */
export interface CoordinatorParts {
  readonly settings: RunSettings;
  readonly workshop: Workshop;
  readonly slots: SlotPool;
  readonly snapshots: Snapshots;
  /** Where the best weights are kept, in a run that ends with them. */
  readonly best?: BestWeights | undefined;
  /** The training data, for nodes that ask for it. */
  readonly dataset: Dataset;
  readonly observer: Observer;
  readonly clock: Clock;
  /** Saves the run, where that is asked for. */
  readonly keeper?: Keeper | undefined;
  /** What a run remembers that goes on. */
  readonly from?: RunProgress | undefined;
}

/** How a run ended. */
export interface RunEnd {
  readonly reason: Completion;
  /** Steps done. */
  readonly steps: number;
  /** Steps done in the latest state that is safe on a disk; -1 when there is none. */
  readonly savedSteps: number;
  /** What was not finite, in a run that has diverged. */
  readonly divergence: Divergence | undefined;
  /** The best evaluation: after how many steps, and its mean loss. */
  readonly best: RunProgress['best'];
  /** The step whose weights were put in place as the best; undefined: the weights are the last. */
  readonly restored: number | undefined;
  /** Everyone who was ever at work, in the order in which they joined. */
  readonly members: readonly Member[];
}

/** A running coordinator: takes nodes in and trains until the run is over. */
export class Coordinator {
  /** How the run ended; rejects when it cannot go on. */
  readonly ended: Promise<RunEnd>;
  private readonly actor: Actor<CoordinatorState, CoordinatorMessage, CoordinatorEffect>;
  private readonly shell: CoordinatorShell;
  /** The run cannot go on. */
  readonly fail: (error: unknown) => void;
  private cancelTick = (): void => {};
  private stopListening = async (): Promise<void> => {};

  constructor(private readonly parts: CoordinatorParts) {
    let end: (reason: RunEnd['reason']) => void = () => {};
    let fail: (error: unknown) => void = () => {};
    const ended = new Promise<RunEnd['reason']>((resolve, reject) => {
      end = resolve;
      fail = reject;
    });
    this.fail = fail;
    this.ended = ended.then((reason) => {
      const { step, saving, diverged: divergence, best, restored } = this.actor.state;
      const savedSteps = saving.safeStep;
      return { reason, steps: step, savedSteps, divergence, best, restored, members: this.members() };
    });
    const { batch, leafSize } = parts.settings;
    const bounds = memberBounds(parts.slots.vectorBytes, batch, leafSize);
    const owed = (id: string, partials: Partials): boolean => isOwed(this.actor.state, id, partials);
    this.shell = new CoordinatorShell({ ...parts, bounds, isOwed: owed, onComplete: end, onFailure: fail });
    this.actor = new Actor({
      name: 'coordinator',
      state: initialState(parts.settings, parts.clock.nowMs(), parts.from),
      transition: (state, message: CoordinatorMessage) => coordinate(state, message, parts.clock.nowMs()),
      perform: (effect: CoordinatorEffect, self: ActorRef<CoordinatorMessage>) =>
        this.shell.perform(effect, self),
      onFailure: ({ error }) => fail(error),
    });
    this.tick();
  }

  /** Who knows it may join. */
  get token(): string {
    return this.parts.settings.token;
  }

  /** What the run is called between its nodes. */
  get runId(): string {
    return this.parts.settings.runId;
  }

  /** Why nobody can join from elsewhere; undefined when they can. */
  get misfit(): string | undefined {
    return this.parts.settings.misfit;
  }

  /** A node of this process joins; it computes with these threads of the crew. */
  seat(link: Link, threads: Range): void {
    this.shell.accept(this.actor, link, threads);
  }

  /**
   * Accepts nodes of other machines, and who watches.
   * @param certificate connections are encrypted, and the line holds its fingerprint; left out: they are not
   * @returns the line to paste there
   * @throws UserError when the address cannot be had
   */
  async listen(address: ListenAddress, certificate?: Certificate): Promise<string> {
    const listening = await listen(address, certificate);
    acceptWebSockets(listening, this.parts.clock, (link, watches) =>
      watches ? this.shell.acceptWatcher(this.actor, link) : this.shell.accept(this.actor, link),
    );
    this.stopListening = listening.close;
    const { token } = this.parts.settings;
    const fingerprint = certificate && fingerprintOf(certificate.certificate);
    return formatJoinUrl({
      host: reachableHost(address.host),
      port: listening.port,
      token,
      ...(fingerprint && { fingerprint }),
    });
  }

  /** Tells those who watch. */
  publish(news: News): void {
    this.shell.publish(news);
  }

  /** Ends the run after the step under way. */
  interrupt(): void {
    this.actor.tell({ kind: 'interrupt' });
  }

  /** Says good-bye to everyone and lets go of the port. Waits a bounded time for those who do not hang up. */
  async close(reason: string): Promise<void> {
    this.cancelTick();
    this.actor.stop();
    await this.shell.farewell(reason, FAREWELL_MS);
    await this.stopListening();
  }

  private tick(): void {
    this.cancelTick = this.parts.clock.after(TICK_MS, () => {
      this.actor.tell({ kind: 'tick' });
      this.tick();
    });
  }

  private members(): Member[] {
    const { departed, members } = this.actor.state;
    const all = [...departed, ...members.values()].filter(({ phase }) => phase === 'ready');
    return all.sort((a, b) => a.joinedAtMs - b.joinedAtMs);
  }
}
