import type { Expel, PartialSums, Run, WorkerToCoordinator } from '../shared/protocol/messages.js';
import { exchangedNodes } from '../shared/reduction/shards.js';
import type { WorkerIdentity } from '../worker/connection.js';
import type { Arriving } from '../worker/executor.js';
import type { WorkerEffect, WorkerMessage, WorkItem } from '../worker/messages.js';
import { createWorkerState, type WorkerState, workerTransition } from '../worker/transition.js';
import { exchangedSum, mix, type VirtualCodec } from './arithmetic.js';
import type { Connection } from './network.js';
import { HONEST, type Misbehaviour } from './plan.js';
import { CHUNKS } from './settings.js';
import { bytesOf, NUMBER_CUT, numberOf } from './vectors.js';

/** Time that an optimizer step of a replica takes. */
const INTERRUPTION_MS = 0.1;

/** Weights, or an update, are one number. */
export const NUMBER = { count: 1, cut: NUMBER_CUT };

/** What a virtual worker needs of the virtual cluster. */
export interface WorkerEnvironment {
  nowMs(): number;
  after(delayMs: number, act: () => void): void;
  leavesOf(step: number): number;
  readonly codec: VirtualCodec | undefined;
  /** A different one at each call. */
  nonce(): string;
  connect(worker: VirtualWorker): void;
  toCoordinator(worker: VirtualWorker, message: WorkerToCoordinator, sums: readonly number[]): void;
  /** Sends segments of sums before their message. */
  forward(worker: VirtualWorker, task: Task, sums: readonly Uint8Array[], segments: readonly number[]): void;
  /** When the first segment of sums is complete, as a fraction of the time that they take; undefined: with the others. */
  readonly firstSegmentAt: number | undefined;
  /** The error of the worker's next answer; 0 when the answer is right. */
  errorOf(worker: VirtualWorker): number;
  /** The worker does not send a message that it owes. */
  withheld(worker: VirtualWorker): void;
  /** The weights that the worker computes with: those in its memory, or those that it shares. */
  weightsFor(worker: VirtualWorker): number;
  /** Whether what arrives at a relay reaches the coordinator, as far as can be known now. @param relay undefined: the coordinator */
  isReachable(relay: string | undefined): boolean;
  ended(worker: VirtualWorker, exitReason: string): void;
}

/** The machine of a worker. */
export interface VirtualMachine {
  readonly name: string;
  readonly address: string;
  readonly msPerLeaf: number;
  /** It is the coordinator's own. */
  readonly sharesMemory: boolean;
  /** Name of the relay that it connects to; undefined: it connects to the coordinator. */
  readonly above?: string | undefined;
}

/** The step and the range of leaves that sums are of. */
type Task = Pick<PartialSums, 'step' | 'range'>;

/** The production worker on a virtual machine. */
export class VirtualWorker {
  readonly name: string;
  readonly address: string;
  readonly sharesMemory: boolean;
  readonly above: string | undefined;
  /** Others compute what it is given. */
  readonly relays: boolean = false;
  readonly state: WorkerState;
  link: Connection | undefined;
  isDead = false;
  /** The machine is frozen until then. */
  pausedUntilMs = 0;
  /** Nothing reaches the machine, or leaves it, until then. */
  isolatedUntilMs = 0;
  /** How many times longer a leaf takes than at first. */
  slowness = 1;
  misbehaviour: Misbehaviour = HONEST;
  /** It has computed or sent something wrong, or withholds messages: it may be refused. */
  isFlawed = false;
  /** Sums that it has computed. */
  sumsComputed = 0;
  /** Bits of its next sums flip on their way. */
  flipsNext = false;
  /** The weights in its memory; -1 before the first. */
  weights = -1;
  private readonly msPerLeaf: number;
  /** The chunks of the data in its memory. */
  private readonly chunks = new Set<number>();
  private readonly inbox: (() => void)[] = [];
  protected sums: readonly number[] = [];
  /** The computation under way. */
  protected underWay: WorkItem | undefined;
  /** It, while it waits for what it brings. */
  protected waitingWork: WorkItem | undefined;
  /** What arrives, or has arrived last. */
  protected delivery: { readonly what: Arriving; readonly bytes: Uint8Array; missing: number } | undefined;
  /** By the first leaf of what is computed, the segments that were sent before the others, and over which link. */
  readonly forwarded = new Map<number, { readonly over: Connection; readonly segments: Set<number> }>();
  /** What the sums of the computation under way will be, once its first segment is complete. */
  private foreseen: { readonly work: WorkItem; readonly sums: readonly number[] } | undefined;
  /** Answers that it has computed. */
  private answers = 0;

  constructor(
    machine: VirtualMachine,
    identity: WorkerIdentity,
    protected readonly environment: WorkerEnvironment,
  ) {
    this.name = machine.name;
    this.address = machine.address;
    this.msPerLeaf = machine.msPerLeaf;
    this.sharesMemory = machine.sharesMemory;
    this.above = machine.above;
    this.state = createWorkerState(identity);
  }

  protected get missingChunks(): number[] {
    if (this.sharesMemory) return [];
    return Array.from({ length: CHUNKS }, (_, i) => i).filter((index) => !this.chunks.has(index));
  }

  /** It can compute what it is given, and its answers arrive, as far as can be known now. */
  get isReachable(): boolean {
    const nowMs = this.environment.nowMs();
    if (this.isDead || this.state.phase !== 'working' || this.pausedUntilMs > nowMs) return false;
    return (this.link?.carries ?? false) && this.environment.isReachable(this.above);
  }

  /** Its connections. */
  get links(): readonly Connection[] {
    return this.link === undefined ? [] : [this.link];
  }

  /** A message reaches the machine. It is handled now, or when the machine is no longer paused. */
  tell(message: WorkerMessage): void {
    this.handle(() => {
      const { effects } = workerTransition(this.state, message);
      for (const effect of effects) this.perform(effect);
    });
  }

  /** Something reaches the machine. It is handled now, or when the machine is no longer paused. */
  protected handle(act: () => void): void {
    this.inbox.push(act);
    if (this.inbox.length === 1) this.handleInbox();
  }

  private handleInbox(): void {
    const waitMs = this.pausedUntilMs - this.environment.nowMs();
    if (waitMs > 0) return this.environment.after(waitMs, () => this.handleInbox());
    // A message is removed after it was handled, so that what arrives meanwhile waits behind it.
    for (; this.inbox.length > 0; this.inbox.shift()) {
      if (!this.isDead) this.inbox[0]?.();
    }
  }

  private perform(effect: WorkerEffect): void {
    const { environment } = this;
    switch (effect.kind) {
      case 'connect':
        return environment.after(1, () => this.connect());
      case 'send':
        if (this.link === undefined) return;
        if (this.withholds(effect.message)) return environment.withheld(this);
        return environment.toCoordinator(
          this,
          effect.message,
          (effect.partialSums ?? []).map(({ buffer }) => this.sums[buffer] as number),
        );
      case 'prepare':
        return environment.after(1, () => this.prepare(effect.run));
      case 'store':
        this.chunks.add(effect.index);
        return this.stored(effect.index);
      case 'expect':
        return this.expect(effect.what);
      case 'load':
        return this.load(effect.place.index, effect.bytes);
      case 'stop-waiting':
        return this.stopWaiting();
      case 'expel':
        return this.expel(effect.message);
      case 'compute':
        return this.compute(effect.work);
      case 'connect-after':
        return environment.after(effect.delayMs, () => this.tell({ kind: 'connect' }));
      case 'interrupt':
        return this.interrupt();
      case 'close':
        return this.link?.close('worker', 'the worker left');
      case 'end':
        this.end(effect.reason);
        return environment.ended(this, `${effect.exitReason}: ${effect.reason}`);
      case 'admit':
      case 'notice':
        return;
      default:
        effect satisfies never;
    }
  }

  protected expel(_message: Expel): void {
    throw new Error(`${this.name} relays nothing, and was told to expel somebody`);
  }

  protected expect(what: Arriving): void {
    this.delivery = { what, bytes: bytesOf(0), missing: NUMBER_CUT.segments.length };
  }

  protected connect(): void {
    if (!this.isDead) this.environment.connect(this);
  }

  protected prepare(run: Run): void {
    this.tell({
      ...{ kind: 'prepared', run },
      weights: this.sharesMemory ? undefined : NUMBER,
      update: this.environment.codec && NUMBER,
      missing: this.missingChunks,
    });
  }

  protected stored(index: number): void {
    this.tell({ kind: 'stored', index, isValid: true });
  }

  /** The process ends. */
  protected end(_reason: string): void {
    this.isDead = true;
  }

  private withholds({ kind }: WorkerToCoordinator): boolean {
    const { withholds, withholdsAfter = 0 } = this.misbehaviour;
    if (kind === 'partial-sums') this.answers += 1;
    if (this.answers <= withholdsAfter && kind === 'partial-sums') return false;
    if (withholds === 'answers') return kind === 'partial-sums';
    return withholds === 'messages' && (kind === 'partial-sums' || kind === 'pong');
  }

  /** A replica ends at its next optimizer step; other ranges are too short to be interrupted. */
  protected interrupt(): void {
    const work = this.underWay;
    if (work !== undefined && work === this.waitingWork) {
      this.waitingWork = undefined;
      this.underWay = undefined;
      if (this.delivery !== undefined) this.delivery.missing = 0;
      const { step, range } = work;
      return this.environment.after(0, () =>
        this.tell({ kind: 'computed', step, range, partialSums: undefined, computeMicros: 0 }),
      );
    }
    if (work === undefined || this.state.workQueue.run?.settings.local === undefined) return;
    this.environment.after(INTERRUPTION_MS, () => {
      if (this.isDead || this.underWay !== work) return;
      this.underWay = undefined;
      const { step, range } = work;
      this.tell({ kind: 'computed', step, range, partialSums: undefined, computeMicros: 0 });
    });
  }

  protected load(index: number, bytes: Uint8Array): void {
    const { delivery } = this;
    if (delivery === undefined) return;
    delivery.bytes.set(bytes, NUMBER_CUT.segments[index]?.at);
    delivery.missing -= 1;
    if (delivery.missing === 0) this.stopWaiting();
  }

  /** All that was expected is here, or never comes. */
  protected stopWaiting(): void {
    if (this.delivery !== undefined) this.delivery.missing = 0;
    const { waitingWork } = this;
    this.waitingWork = undefined;
    if (waitingWork !== undefined) this.compute(waitingWork);
  }

  protected compute(work: WorkItem): void {
    this.underWay = work;
    const { delivery } = this;
    if ((delivery?.missing ?? 0) > 0) {
      this.waitingWork = work;
      return;
    }
    const { range, brings, isRehearsed } = work;
    const brought = brings !== undefined && delivery !== undefined ? numberOf(delivery.bytes) : undefined;
    if (brought !== undefined && !isRehearsed)
      this.weights = brings === 'weights' ? brought : mix(this.weights, brought);
    const used = this.environment.weightsFor(this);
    // A replica takes as long as its steps take, a leaf each.
    const leaves = this.state.workQueue.run?.settings.local?.steps ?? range.to - range.from;
    const computeMs = leaves * this.msPerLeaf * this.slowness;
    this.forwarded.delete(range.from);
    this.foreseeFirst(work, used, computeMs);
    this.environment.after(computeMs, () => {
      if (this.isDead || this.underWay !== work) return;
      this.underWay = undefined;
      this.computed(work, used, computeMs);
    });
  }

  /** Sends the first segment as soon as it is complete. */
  private foreseeFirst(work: WorkItem, weights: number, computeMs: number): void {
    const { environment } = this;
    const { firstSegmentAt } = environment;
    const isWhole = this.sharesMemory || this.state.workQueue.run?.settings.local !== undefined;
    if (isWhole || firstSegmentAt === undefined) return;
    const { link } = this;
    environment.after(firstSegmentAt * computeMs, () => {
      const { withholds, deceit } = this.misbehaviour;
      if (this.isDead || this.underWay !== work || this.link !== link) return;
      if (withholds === 'messages' || deceit === 'drops segments') return;
      const sums = this.sumsOf(work, weights);
      this.foreseen = { work, sums };
      environment.forward(this, work, sums.map(bytesOf), [0]);
    });
  }

  private sumsOf({ step, range }: WorkItem, weights: number): readonly number[] {
    const { environment } = this;
    const { codec } = environment;
    const leaves = environment.leavesOf(step);
    const nodes = exchangedNodes(range, leaves, codec?.shardLevel);
    // Where shared weights changed meanwhile, the sums are of neither, and must not count.
    const isStale = this.sharesMemory && environment.weightsFor(this) !== weights;
    // Neither must those of samples that are not here.
    const isWrong = isStale || this.missingChunks.length > 0;
    const error = isWrong ? 1 : environment.errorOf(this);
    return nodes.map((part) => {
      const sum = exchangedSum(weights, step, part, leaves, codec);
      return error === 0 ? sum : mix(sum, error);
    });
  }

  private computed(work: WorkItem, weights: number, computeMs: number): void {
    const { step, range } = work;
    const nodes = exchangedNodes(range, this.environment.leavesOf(step), this.environment.codec?.shardLevel);
    this.sums = this.foreseen?.work === work ? this.foreseen.sums : this.sumsOf(work, weights);
    const partialSums = nodes.map((part, buffer) => ({ node: part, buffer }));
    this.tell({ kind: 'computed', step, range, partialSums, computeMicros: computeMs * 1000 });
  }
}
