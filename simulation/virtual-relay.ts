import { IncomingSums } from '../coordinator/compute/incoming-sums.js';
import { isOwed, owedVectors } from '../coordinator/scheduling/answers.js';
import type { RunSettings } from '../coordinator/state/run-settings.js';
import { accountOf } from '../relay/account.js';
import { ForwardedSums } from '../relay/forwarded-sums.js';
import { sumsOf } from '../relay/relay-members.js';
import { relaySettings } from '../relay/relay-settings.js';
import {
  initialRelayState,
  type RelayEffect,
  type RelayMessage,
  type RelayState,
} from '../relay/relay-state.js';
import { coverOf } from '../relay/segment-cover.js';
import { ableCount, type relay } from '../relay/transition.js';
import { Actor } from '../shared/actor/actor.js';
import type { PartialSum } from '../shared/engine/step/partial-sum-addition.js';
import { ProtocolError } from '../shared/protocol/checked.js';
import type { Expel, Run, SumPart, WorkerToCoordinator } from '../shared/protocol/messages.js';
import { joinVectors, type Segment } from '../shared/reduction/segments.js';
import { exchangedNodes } from '../shared/reduction/shards.js';
import { isSameRange, type TreeNode } from '../shared/reduction/tree.js';
import type { WorkerIdentity } from '../worker/connection.js';
import type { Arriving } from '../worker/executor.js';
import type { WorkItem } from '../worker/messages.js';
import { mix } from './arithmetic.js';
import { describeEvent } from './description.js';
import type { Connection } from './network.js';
import { RelayedSums } from './relayed-sums.js';
import type { UpperEnd } from './upper-end.js';
import { bytesOf, NUMBER_CUT, numberOf } from './vectors.js';
import type { CoordinatorEnvironment } from './virtual-coordinator.js';
import { NUMBER, type VirtualMachine, VirtualWorker, type WorkerEnvironment } from './virtual-worker.js';

/** As in production. */
const TICK_MS = 500;
const SIGN_MS = 3000;
const BEGIN_MS = 90_000;
/** Time that adding partial sums takes. */
const ADD_MS = 0.1;

type Connected = Parameters<UpperEnd['hear']>[0];

/** The relay's transition: production's, or a mutant. */
export type Relay = typeof relay;

/** What a virtual relay needs of the virtual cluster, for those below it. */
export interface RelayEnvironment extends Pick<CoordinatorEnvironment, 'trace' | 'drop' | 'toWorker'> {
  readonly settings: RunSettings;
  /** What the relay compares of those below it. */
  readonly audit: RunSettings['audit'];
  linkOf(id: string): Connection | undefined;
  /** How many must be below before the relay joins for the first time. */
  readonly minWorkers: number;
  readonly decideRelay: Relay;
}

/** The production relay on a virtual machine: a worker upwards, whose work is computed by those below it. */
export class VirtualRelay extends VirtualWorker implements UpperEnd {
  override readonly relays = true;
  private members: Actor<RelayState, RelayMessage, RelayEffect> | undefined;
  private readonly store = new RelayedSums((buffers) => {
    for (const { sums } of this.forwarding.values()) sums.released(buffers);
  });
  /** The sums that go up segment by segment. */
  private readonly forwarding = new Map<WorkItem, { sums: ForwardedSums; results: readonly number[] }>();
  private readonly incoming: IncomingSums;
  private run: Run | undefined;
  /** Ids of the connections from below. */
  private readonly below = new Set<string>();
  /** Those who have connected before the run was known. */
  private waiting: Connected[] = [];
  /** What waits for somebody below who has connected, or can compute. */
  private onSomebody: (() => void)[] = [];
  /** What is sent to those below: the weights, which may be arriving, and the latest update. */
  private readonly memory = { weights: bytesOf(0), update: bytesOf(0) };
  /** Segments of the latest weights that have arrived, and what waits for others. */
  private readonly here = new Set<number>();
  private awaited: { readonly index: number; readonly act: () => void }[] = [];
  private hadAble = false;
  private ticks = 0;
  /** What is computed below: a range of leaves, or several replicas of a round. */
  private works: WorkItem[] = [];
  /** What waits for the update that another one of these waits for. */
  private behind: WorkItem[] = [];

  constructor(
    machine: VirtualMachine,
    identity: WorkerIdentity,
    environment: WorkerEnvironment,
    private readonly down: RelayEnvironment,
  ) {
    super(machine, identity, environment);
    this.incoming = new IncomingSums(
      this.store,
      (id, task) => (this.members === undefined ? 0 : owedVectors(this.members.state.scheduling, id, task)),
      (id, message) => this.members !== undefined && isOwed(this.members.state.scheduling, id, message),
    );
    this.tick();
  }

  get isRunning(): boolean {
    return !this.isDead;
  }

  override get links(): readonly Connection[] {
    return [...super.links, ...[...this.below].flatMap((id) => this.down.linkOf(id) ?? [])];
  }

  /** Partial sums that are held, and connections from below. */
  get held(): { readonly sums: number; readonly members: number } {
    return { sums: this.store.count, members: this.below.size };
  }

  hear(message: Connected): void {
    this.below.add(message.id);
    this.handle(() => {
      if (this.members !== undefined) return this.members.tell(message);
      this.waiting.push(message);
      for (const act of this.onSomebody.splice(0)) act();
    });
  }

  receive(id: string, message: WorkerToCoordinator, payload: Uint8Array): void {
    this.handle(() => {
      if (!this.below.has(id)) return;
      try {
        const buffers = this.incoming.receive(id, message, payload);
        this.members?.tell({ kind: 'received', id, message, buffers });
        this.arrivedBelow(message);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        this.members?.tell({ kind: 'garbled', id, reason: error.message });
      }
    });
  }

  disconnected(id: string, reason: string): void {
    this.below.delete(id);
    this.handle(() => {
      this.waiting = this.waiting.filter((one) => one.id !== id);
      this.incoming.forgetMember(id);
      this.members?.tell({ kind: 'disconnected', id, reason });
    });
  }

  outgoing(what: Arriving): Uint8Array {
    return this.memory[what];
  }

  whenHere(what: Arriving, index: number, act: () => void): void {
    if (what === 'update' || this.delivery?.what !== 'weights' || this.here.has(index)) act();
    else this.awaited.push({ index, act });
  }

  /** It joins as soon as somebody is below it. */
  protected override connect(): void {
    const isWorth = this.members === undefined ? this.waiting.length >= this.down.minWorkers : this.hadAble;
    if (isWorth) super.connect();
    else this.onSomebody.push(() => this.connect());
  }

  protected override prepare(run: Run): void {
    this.run = run;
    const { missingChunks: missing } = this;
    const { codec } = this.environment;
    const prepared = { kind: 'prepared', run, weights: NUMBER, update: codec && NUMBER, missing } as const;
    const computesTogether = run.settings.local !== undefined;
    const report = (): void => this.tell({ ...prepared, needsAllData: true, relays: true, computesTogether });
    if (missing.length === 0) this.begin(report);
    else report();
  }

  protected override stored(index: number): void {
    if (this.missingChunks.length === 0) this.begin(() => super.stored(index));
    else super.stored(index);
  }

  protected override expect(what: Arriving): void {
    super.expect(what);
    if (what === 'weights') this.here.clear();
  }

  protected override load(index: number, bytes: Uint8Array): void {
    const { delivery } = this;
    if (delivery === undefined) return;
    this.memory[delivery.what].set(bytes, NUMBER_CUT.segments[index]?.at);
    if (delivery.what === 'weights') {
      this.here.add(index);
      const now = this.awaited.filter((one) => one.index === index);
      this.awaited = this.awaited.filter((one) => one.index !== index);
      for (const { act } of now) act();
    }
    super.load(index, bytes);
  }

  protected override stopWaiting(): void {
    this.sendAsIs();
    super.stopWaiting();
  }

  /** What has not arrived never will: those below who wait for it get what there is. */
  private sendAsIs(): void {
    for (const [index] of NUMBER_CUT.segments.entries()) this.here.add(index);
    for (const { act } of this.awaited.splice(0)) act();
  }

  protected override compute(work: WorkItem): void {
    if (this.waitingWork !== undefined) {
      this.behind.push(work);
      return;
    }
    if (this.works.length === 0) this.sums = [];
    if (!this.works.includes(work)) this.works.push(work);
    const { step, range, brings, isRehearsed } = work;
    const isUpdate = brings === 'update' && isRehearsed !== true;
    if (isUpdate) {
      if ((this.delivery?.missing ?? 0) > 0) {
        this.waitingWork = work;
        return;
      }
      const { weights, update } = this.memory;
      weights.set(bytesOf(mix(numberOf(weights), numberOf(update))));
    }
    const comes = brings === 'update' && !isUpdate ? undefined : brings;
    this.beginForwarding(work);
    this.members?.tell({ kind: 'compute', step, range, brings: comes });
    for (const next of this.behind.splice(0)) this.compute(next);
  }

  protected override interrupt(): void {
    const given = [...this.works, ...this.behind];
    this.works = [];
    this.behind = [];
    if (given.length === 0) return;
    this.waitingWork = undefined;
    if (this.delivery !== undefined) this.delivery.missing = 0;
    this.sendAsIs();
    for (const [work, { sums, results }] of this.forwarding) {
      this.forwarding.delete(work);
      sums.abandon(() => this.store.release(results));
    }
    this.members?.tell({ kind: 'abandon' });
    this.environment.after(0, () => {
      for (const { step, range } of given)
        this.tell({ kind: 'computed', step, range, partialSums: undefined, computeMicros: 0 });
    });
  }

  protected override end(reason: string): void {
    super.end(reason);
    this.members?.stop();
    for (const id of this.below) {
      this.down.toWorker({ kind: 'send', id, message: { kind: 'stop', reason }, attachment: 'none' });
      this.down.drop(id, reason);
    }
  }

  /** The data is here: those who have connected are let in. */
  private begin(act: () => void): void {
    const least = this.members === undefined ? this.down.minWorkers : 1;
    this.members ??= this.letIn();
    const isEnough = (): boolean => this.members !== undefined && ableCount(this.members.state) >= least;
    if (isEnough()) return act();
    const { link } = this;
    const wait = (): void => void this.onSomebody.push(() => (isEnough() ? act() : wait()));
    wait();
    this.environment.after(BEGIN_MS, () => {
      if (!this.hadAble && this.link === link) link?.close('worker', 'no worker is ready below this relay');
    });
  }

  private letIn(): Actor<RelayState, RelayMessage, RelayEffect> {
    const { nowMs } = this.environment;
    const own = {
      runId: `run of ${this.name}`,
      token: this.down.settings.token,
      audit: this.down.audit,
    };
    const vectors = { sums: NUMBER_CUT, weightBytes: NUMBER_CUT.bytes };
    const members: Actor<RelayState, RelayMessage, RelayEffect> = new Actor({
      name: this.name,
      state: initialRelayState(relaySettings(this.run as Run, own, vectors), nowMs()),
      transition: (state, message: RelayMessage) => {
        const result = this.down.decideRelay(state, message, nowMs());
        this.noteAble(ableCount(result.state) > 0);
        return result;
      },
      perform: (effect: RelayEffect) => this.performBelow(effect),
      onFailure: ({ error }) => {
        throw error;
      },
    });
    const { waiting } = this;
    this.waiting = [];
    for (const message of waiting) this.handle(() => members.tell(message));
    return members;
  }

  private noteAble(isAble: boolean): void {
    const { hadAble } = this;
    this.hadAble = isAble;
    // Not from within the transition.
    if (isAble) for (const act of this.onSomebody.splice(0)) this.environment.after(0, act);
    if (hadAble && !isAble) this.link?.close('worker', 'no worker is ready below this relay');
  }

  private performBelow(effect: RelayEffect): void {
    const { environment, down, store } = this;
    const tell = (message: RelayMessage): void => this.handle(() => this.members?.tell(message));
    switch (effect.kind) {
      case 'send':
        return down.toWorker(effect);
      case 'send-chunk': {
        const { id, index } = effect;
        down.toWorker({ kind: 'send', id, message: { kind: 'chunk', index }, attachment: 'none' });
        return environment.after(ADD_MS, () => {
          tell({ kind: 'chunk-sent', id });
          tell({ kind: 'data-due' });
        });
      }
      case 'drop':
        return down.drop(effect.id, effect.reason);
      case 'wake':
        return environment.after(effect.afterMs, () => tell({ kind: 'woken' }));
      case 'release':
        return store.release(effect.buffers);
      case 'compare': {
        const { step, task, answers } = effect;
        const comparison = store.compare(answers);
        return tell({ kind: 'compared', step, task, ...comparison });
      }
      case 'notice':
        return down.trace(() => `${this.name}: ${effect.text}`);
      case 'report':
        return down.trace(() => `${this.name}: ${describeEvent(effect.event)}`);
      case 'computed':
        return this.computedBelow(effect);
      case 'admit':
        return;
      default:
        throw new Error(`a relay does not carry out "${effect.kind}"`);
    }
  }

  /** Adds what has arrived, as far as the tree adds it below its root. */
  private computedBelow({
    task,
    parts,
    computeMs,
    concurrency,
  }: Extract<RelayEffect, { kind: 'computed' }>): void {
    this.incoming.forgetSuperfluous();
    const { store, environment } = this;
    const { step, range } = task;
    const work = this.works.find((one) => one.step === step && isSameRange(one.range, range));
    const account = this.run?.audits ? accountOf(parts, (part) => store.hashOf(part)) : undefined;
    const arrived = sumsOf(parts);
    const releaseArrived = (): void => store.release(arrived.map(({ buffer }) => buffer));
    const report = (added: readonly { readonly node: TreeNode; readonly sum: number }[]): void => {
      if (work === undefined || this.isDead || !this.works.includes(work)) return;
      const first = this.sums.length;
      const error = environment.errorOf(this);
      this.sums = [...this.sums, ...added.map(({ sum }) => (error === 0 ? sum : mix(sum, error)))];
      const isFramed = error !== 0 && this.misbehaviour.deceit === 'blames others';
      const said = isFramed ? account?.map(framed) : account;
      const partialSums = added.map(({ node }, i) => ({ node, buffer: first + i }));
      this.works = this.works.filter((one) => one !== work);
      const computeMicros = computeMs * 1000;
      const more = { ...(concurrency && { concurrency }), ...(said && { parts: said }) };
      this.tell({ kind: 'computed', step, range, partialSums, computeMicros, ...more });
    };
    const forwarding = work && this.forwarding.get(work);
    if (work === undefined || forwarding === undefined) {
      const added = store.add(arrived, environment.leavesOf(step), environment.codec);
      releaseArrived();
      return environment.after(ADD_MS, () => report(added));
    }
    const { sums, results } = forwarding;
    sums.finish(arrived, () => {
      this.forwarding.delete(work);
      releaseArrived();
      const nodes = exchangedNodes(range, environment.leavesOf(step), undefined);
      const added = nodes.map((node, i) => ({ node, sum: numberOf(store.bytes(results[i] as number)) }));
      store.release(results);
      report(added);
    });
  }

  /** The sums go up segment by segment, as in production, unless single steps have a codec; or the relay lies, which it does at the end. */
  private beginForwarding(work: WorkItem): void {
    const { store, environment } = this;
    const { step, range } = work;
    if (environment.codec?.shardLevel !== undefined || this.misbehaviour.wrongChance > 0) return;
    const leaves = environment.leavesOf(step);
    const results = store.take(exchangedNodes(range, leaves, undefined).length);
    const bytes = (): Uint8Array[] => results.map((buffer) => store.bytes(buffer));
    this.forwarded.delete(range.from);
    const sums = new ForwardedSums({
      segments: NUMBER_CUT.segments.length,
      cover: (segment) => this.cover(work, segment),
      add: (addition, done) => {
        store.addSegments(addition, leaves, results);
        environment.after(ADD_MS, () => this.handle(done));
      },
      copy: (segment) => {
        const { at, bytes: length } = NUMBER_CUT.segments[segment] as Segment;
        return joinVectors(bytes().map((one) => one.slice(at, at + length)));
      },
      forward: (segments) => {
        // Over another link nothing of this is owed.
        if (this.works.includes(work)) environment.forward(this, work, bytes(), segments);
      },
      retract: () => {
        const forwarded = this.forwarded.get(range.from);
        this.forwarded.delete(range.from);
        if (forwarded !== undefined && forwarded.over === this.link)
          environment.toCoordinator(this, { kind: 'retract', step, range }, []);
      },
    });
    this.forwarding.set(work, { sums, results });
  }

  private cover({ step, range }: WorkItem, segment: number): readonly PartialSum[] | undefined {
    const current = this.members?.state.scheduling.current;
    if (current?.step !== step) return undefined;
    return coverOf(current, range, (id, range) => this.incoming.arriving(id, { step, range }, segment));
  }

  private arrivedBelow(message: WorkerToCoordinator): void {
    if (message.kind !== 'segment' && message.kind !== 'partial-sums') return;
    for (const [{ step, range }, { sums }] of this.forwarding) {
      const isOf = range.from <= message.range.from && message.range.to <= range.to;
      if (step === message.step && isOf) sums.arrived(message.kind === 'segment' ? message.index : undefined);
    }
  }

  protected override expel(message: Expel): void {
    this.members?.tell(message);
  }

  private tick(): void {
    this.environment.after(TICK_MS, () => {
      if (this.isDead) return;
      this.ticks += 1;
      const secret = `${this.name} ${this.ticks}`;
      this.handle(() => this.members?.tell({ kind: 'tick', secret }));
      if ((this.ticks * TICK_MS) % SIGN_MS === 0) this.sign();
      this.tick();
    });
  }

  /** A sign of life for those who wait. */
  private sign(): void {
    const message = { kind: 'ping', id: this.ticks } as const;
    for (const { id } of this.waiting) this.down.toWorker({ kind: 'send', id, message, attachment: 'none' });
  }
}

/** What a relay that lies says of the first of those below it. */
function framed(part: SumPart, i: number): SumPart {
  return i === 0 ? { ...part, hash: `not ${part.hash}` } : part;
}
