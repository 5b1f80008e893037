import type { BlockList } from 'node:net';
import { Actor, type ActorRef } from '../shared/actor/actor.js';
import type { Clock } from '../shared/actor/clock.js';
import { randomIdentifier } from '../shared/actor/rng.js';
import type { Dataset } from '../shared/data/dataset.js';
import { type Certificate, fingerprintOf } from '../shared/link/certificate.js';
import type { Link } from '../shared/link/link.js';
import { connectionsMax, type ListenAddress, listen, reachableHost } from '../shared/link/listen.js';
import { type AnswerRequest, answerPages, type PageFile } from '../shared/link/page-answers.js';
import { answerHealth, answerMetrics } from '../shared/link/probe-answers.js';
import { acceptWebSockets } from '../shared/link/web-socket-server.js';
import { formatJoinUrl } from '../shared/protocol/join-url.js';
import type { PartialSums } from '../shared/protocol/messages.js';
import { watchToken } from '../shared/protocol/proof.js';
import type { RunReport } from '../shared/protocol/watch-messages.js';
import type { LeafRange } from '../shared/reduction/tree.js';
import type { BestWeights } from './compute/best-weights.js';
import type { CheckpointWriter } from './compute/checkpoint-writer.js';
import type { CoordinatorExecutor } from './compute/coordinator-executor.js';
import type { PartialSumBuffers } from './compute/partial-sum-buffers.js';
import type { Snapshots } from './compute/snapshots.js';
import { bansToUndo, type CoordinatorState, type Divergence, initialState } from './coordinator-state.js';
import { CoordinatorEffectRunner } from './effects.js';
import { memberTable } from './member-table.js';
import { memberBounds } from './membership/frame-limits.js';
import { metricsText } from './metrics-text.js';
import { isOwed, owedVectors } from './scheduling/answers.js';
import type { Member } from './state/member.js';
import type { Completion, CoordinatorEffect, CoordinatorMessage } from './state/messages.js';
import type { Observer } from './state/observer.js';
import type { RunSettings } from './state/run-settings.js';
import type { RunProgress } from './storage/checkpoint.js';
import type { AuditMemory } from './storage/member-ledger.js';
import { coordinate } from './transition.js';

/** How often the coordinator looks for silent members. */
const TICK_MS = 500;
/** How long peers may take to hang up once they are told that the run is over. */
const SHUTDOWN_MS = 1000;

/** What a coordinator is made of. */
export interface CoordinatorParts {
  readonly settings: RunSettings;
  readonly executor: CoordinatorExecutor;
  readonly buffers: PartialSumBuffers;
  readonly snapshots: Snapshots;
  /** Where the best weights are kept, in a run that ends with them. */
  readonly best?: BestWeights | undefined;
  /** The training data, for workers that request it. */
  readonly dataset: Dataset;
  readonly observer: Observer;
  readonly clock: Clock;
  /** Saves the run, where that is asked for. */
  readonly checkpointWriter?: CheckpointWriter | undefined;
  /** What a run remembers that goes on. */
  readonly from?: RunProgress | undefined;
  /** What such a run remembers of its members. */
  readonly memory?: AuditMemory | undefined;
}

/** How a run ended. */
export interface RunEnd {
  readonly reason: Completion;
  /** Steps done. */
  readonly steps: number;
  /** Steps done in the latest durable checkpoint; -1 when there is none. */
  readonly savedSteps: number;
  /** What was not finite, in a run that has diverged. */
  readonly divergence: Divergence | undefined;
  /** The best evaluation: after how many steps, and its mean loss. */
  readonly best: RunProgress['best'];
  /** The step whose weights were put in place as the best; undefined: the weights are the last. */
  readonly restored: number | undefined;
  /** Every member that was ever ready, in the order in which they joined. */
  readonly members: readonly Member[];
}

/** A running coordinator: admits workers and trains until the run is over. */
export class Coordinator {
  /** How the run ended; rejects when it cannot go on. */
  readonly ended: Promise<RunEnd>;
  private readonly actor: Actor<CoordinatorState, CoordinatorMessage, CoordinatorEffect>;
  private readonly effects: CoordinatorEffectRunner;
  /** The run cannot go on. */
  readonly fail: (error: unknown) => void;
  private cancelTick = (): void => {};
  private isClosing = false;
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
      const { training, checkpointing, evaluation } = this.actor.state;
      return {
        reason,
        steps: training.step,
        savedSteps: checkpointing.durableStep,
        divergence: training.diverged,
        best: evaluation.best,
        restored: evaluation.restored,
        members: this.members(),
      };
    });
    const bounds = memberBounds(parts.buffers.cut, parts.settings);
    const owed = (id: string, partialSums: PartialSums): boolean =>
      isOwed(this.actor.state.scheduling, id, partialSums);
    this.effects = new CoordinatorEffectRunner({
      ...parts,
      bounds,
      isOwed: owed,
      owedVectors: (id, task) => owedVectors(this.actor.state.scheduling, id, task),
      onComplete: end,
      onFailure: fail,
    });
    this.actor = new Actor({
      name: 'coordinator',
      state: initialState(
        { ...parts.settings, connectionsMax: connectionsMax() },
        parts.clock.nowMs(),
        parts.from,
        parts.memory,
      ),
      transition: (state, message: CoordinatorMessage) => coordinate(state, message, parts.clock.nowMs()),
      perform: (effect: CoordinatorEffect, self: ActorRef<CoordinatorMessage>) =>
        this.effects.perform(effect, self),
      onFailure: ({ error }) => fail(error),
    });
    this.tick();
  }

  /** A peer that knows it may join. */
  get token(): string {
    return this.parts.settings.token;
  }

  /** Permits operating the run; undefined: nobody may. */
  get operateToken(): string | undefined {
    return this.parts.settings.operateToken;
  }

  /** Identifies the run between coordinator and workers. */
  get runId(): string {
    return this.parts.settings.runId;
  }

  /** A worker of this process joins; it uses these compute threads. */
  attachLocal(link: Link, threads: LeafRange): void {
    this.effects.accept(this.actor, link, threads);
  }

  /**
   * Accepts workers of other machines, and watchers.
   * @param certificate connections are encrypted, and the line holds its fingerprint; left out: they are not
   * @param pages files for browsers, by path
   * @param proxies.publicUrl under which a proxy or a tunnel offers the pages; left out: none does
   * @param proxies.trusted who are believed for whom they connect; left out: nobody is
   * @returns the join line
   * @throws UserError when it cannot listen at this address
   */
  async listen(
    address: ListenAddress,
    certificate?: Certificate,
    pages: ReadonlyMap<string, PageFile> = new Map(),
    {
      publicUrl,
      trusted,
    }: { readonly publicUrl?: string | undefined; readonly trusted?: BlockList | undefined } = {},
  ): Promise<string> {
    const { clock } = this.parts;
    const answers = [
      answerHealth(() => this.notReadyReason),
      answerMetrics(watchToken(this.parts.settings.token), () =>
        metricsText(this.actor.state, this.effects.followers.latest, clock.nowMs()),
      ),
      answerPages(pages, address.host, publicUrl),
    ];
    const answerRequest: AnswerRequest = (request) => {
      for (const answer of answers) {
        const found = answer(request);
        if (found !== undefined) return found;
      }
      return undefined;
    };
    const listening = await listen(address, { clock, certificate, answerRequest, trustedProxies: trusted });
    acceptWebSockets(listening, { clock, listenHost: address.host, publicUrl }, (link, watches) =>
      watches ? this.effects.acceptWatcher(this.actor, link) : this.effects.accept(this.actor, link),
    );
    this.stopListening = listening.close;
    if (listening.shortage !== undefined) this.parts.observer.notice(listening.shortage);
    const { token } = this.parts.settings;
    const fingerprint = certificate && fingerprintOf(certificate.certificate);
    return formatJoinUrl({
      host: await reachableHost(address.host),
      port: listening.port,
      token,
      ...(fingerprint && { fingerprint }),
    });
  }

  /** Why workers need not be sent here; undefined: they are expected. A run that waits for its workers is ready for them. */
  private get notReadyReason(): string | undefined {
    if (this.isClosing || this.actor.state.training.activity === 'complete') return 'the run is over';
    return undefined;
  }

  /** Tells all watchers what the run reports. */
  publish(report: RunReport): void {
    this.effects.followers.publish(report);
  }

  /**
   * Takes members out of the run at once; others compute what they owe. Their machines may join again.
   * @param who the name of their workers, the key of their machine, or the id of a member
   */
  remove(who: string): void {
    this.actor.tell({ kind: 'remove', who, isBanned: false });
  }

  /**
   * The same, and their machines are kept out for good, also after a resume; nothing of them that nobody has confirmed stays in
   * the weights, as far as the run can go back. Machines of that name or key that join later are kept out too.
   */
  ban(who: string): void {
    this.actor.tell({ kind: 'remove', who, isBanned: true });
  }

  /** What machines that are banned from the start have computed before a resume is undone. To be called before the first step. */
  undoBanned(): void {
    for (const who of bansToUndo(this.actor.state)) this.ban(who);
  }

  /** Ends the run after the step under way. */
  interrupt(): void {
    this.actor.tell({ kind: 'interrupt' });
  }

  /**
   * Tells every peer that the run is over and closes the port. Waits a bounded time for peers that do not hang up.
   * @param isUnfinished the run can be resumed
   */
  async close(reason: string, isUnfinished = false): Promise<void> {
    this.isClosing = true;
    this.cancelTick();
    this.actor.stop();
    const last = { kind: 'stop', reason, ...(isUnfinished && { isUnfinished }) } as const;
    await this.effects.shutdown(last, SHUTDOWN_MS);
    await this.stopListening();
  }

  private tick(): void {
    this.cancelTick = this.parts.clock.after(TICK_MS, () => {
      this.actor.tell({ kind: 'tick', secret: randomIdentifier() });
      const { followers } = this.effects;
      if (followers.isWatched)
        followers.publishMembers(memberTable(this.actor.state, this.parts.clock.nowMs()));
      this.tick();
    });
  }

  private members(): Member[] {
    const { departed, members } = this.actor.state.membership;
    const all = [...departed, ...members.values()].filter(({ phase }) => phase === 'ready');
    return all.sort((a, b) => a.joinedAtMs - b.joinedAtMs);
  }
}
