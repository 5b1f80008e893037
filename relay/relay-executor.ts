import { compareSums } from '../coordinator/compute/compare-sums.js';
import type { OutgoingVectors } from '../coordinator/compute/outgoing-vectors.js';
import { PartialSumBuffers } from '../coordinator/compute/partial-sum-buffers.js';
import type { Clock } from '../shared/actor/clock.js';
import type { Device } from '../shared/engine/device.js';
import type { PartialSum } from '../shared/engine/step/partial-sum-addition.js';
import { assert } from '../shared/errors.js';
import type { Link } from '../shared/link/link.js';
import type { Expel, Refuse, Run, Stop } from '../shared/protocol/messages.js';
import type { SegmentPlace } from '../shared/reduction/segments.js';
import type { Arriving, Computation, Computed, ComputeEvents, Prepared } from '../worker/executor.js';
import { RemoteExecutor } from '../worker/remote-executor.js';
import { accountOf } from './account.js';
import { Forwarding } from './forwarding.js';
import { buffersOf, RelayMembers, sumsOf } from './relay-members.js';
import { type OwnSettings, relaySettings } from './relay-settings.js';
import type { ComputedPart } from './relay-state.js';
import { WaitingLinks } from './waiting-links.js';

/**
 * How long those below may take to become ready, once a relay has joined: less than a coordinator waits for a member. A relay that
 * has waited in vain leaves the run, and joins again when somebody is ready.
 */
const BEGIN_MS = 90_000;

/** What a relay's executor is made of. */
export interface RelayExecutorParts {
  readonly device: Device;
  /** What a run may take of this machine's memory, with everything that its link upwards holds. */
  readonly bytesMax: number;
  readonly clock: Clock;
  readonly own: OwnSettings;
  /** How many must be below before the relay joins a run for the first time. */
  readonly minWorkers: number;
  readonly onNotice: (text: string) => void;
  /** Nobody below can be given work any more. */
  readonly onNobody: () => void;
  readonly onFailure: (error: unknown) => void;
}

/**
 * Computes for the worker that a relay is upwards: it has those below compute, and adds their partial sums. It holds the data
 * and the weights of the run, which it passes on. A run is of use here as soon as all of the data and somebody below are ready.
 */
export class RelayExecutor extends RemoteExecutor {
  /** Those below, once a run with all of its data is here. */
  private members: RelayMembers | undefined;
  private buffers: PartialSumBuffers | undefined;
  /** Links from below that wait for the run. */
  private readonly waiting: WaitingLinks;
  private upper: Run | undefined;
  /** What has come since the latest computation, if anything. */
  private brings: Arriving | undefined;
  /** The buffers of results that may wait for the link upwards. */
  private held: number[] = [];
  private isAbandoned = false;
  /** Computations under way: several replicas of one round. */
  private underWay = 0;
  /** Sends their sums up segment by segment. */
  private forwarding: Forwarding | undefined;
  /** The latest of them is handed on, when what it brings is on its way. */
  private handing: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: RelayExecutorParts) {
    super(parts.device, parts.bytesMax);
    this.waiting = new WaitingLinks(parts.clock);
  }

  /** Somebody has connected from below. */
  accept(link: Link): void {
    if (this.members !== undefined) return this.members.accept(link);
    this.waiting.add(link);
  }

  /** How many must be below before it is worth joining; 0: they are. */
  get awaited(): number {
    const { members, waiting, parts } = this;
    if (members !== undefined) return members.isAble ? 0 : 1;
    return waiting.count < parts.minWorkers ? parts.minWorkers : 0;
  }

  /** Resolves when it is worth joining: before the run is known, when enough have connected; then, when one can compute. */
  async somebody(): Promise<void> {
    if (this.members !== undefined) return this.members.able(1);
    await this.waiting.atLeast(this.parts.minWorkers);
  }

  /** Tells those below that it is over. */
  async close(last: Stop | Refuse): Promise<void> {
    this.waiting.close(last);
    await this.members?.close(last);
  }

  override async prepare(run: Run): Promise<Prepared> {
    const before = this.run;
    const prepared = await super.prepare(run);
    this.upper = run;
    if (this.run !== before) {
      this.held = [];
      void this.members?.close({ kind: 'stop', reason: 'the relay has joined another run' });
      this.members = undefined;
      this.buffers = undefined;
      this.forwarding = undefined;
    }
    if (prepared.missing.length === 0) await this.begin();
    return {
      ...prepared,
      needsAllData: true,
      relays: true,
      computesTogether: run.settings.local !== undefined,
    };
  }

  override store(index: number, bytes: Uint8Array): boolean | Promise<boolean> {
    const isValid = super.store(index, bytes) as boolean;
    if (!isValid || this.loaded.runMemory.data.missing().length > 0) return isValid;
    return this.begin().then(() => true);
  }

  override expect(what: Arriving): void {
    if (what === 'weights') this.members?.keepUnsent();
    super.expect(what);
    this.brings = what;
  }

  override load(place: SegmentPlace, bytes: Uint8Array): void {
    super.load(place, bytes);
    // An update is passed on as a whole, once it is applied here: whole weights may be asked for as well.
    if (this.brings !== 'update') this.members?.arrived(place);
  }

  override stopWaiting(): void {
    super.stopWaiting();
    this.members?.stopWaiting();
  }

  override async compute(computation: Computation, events: ComputeEvents): Promise<Computed | undefined> {
    if (this.underWay === 0) {
      this.buffers?.release(this.held);
      this.held = [];
      this.isAbandoned = false;
    }
    this.underWay += 1;
    const handing = this.handing.then(() => this.prepareBelow(computation));
    this.handing = handing.catch(() => undefined);
    try {
      return await this.computeBelow(computation, await handing, events);
    } finally {
      this.underWay -= 1;
    }
  }

  /** Applies the update that comes with a computation. @returns what came with it for those below */
  private async prepareBelow(computation: Computation): Promise<Arriving | undefined> {
    if (computation.appliesUpdate) {
      await this.arrivals.here();
      if (this.isAbandoned) return undefined;
      this.members?.keepUnsent();
      for (const stage of this.loaded.begin(computation).stages) await stage.applyUpdate();
    }
    const { brings } = this;
    this.brings = undefined;
    return brings;
  }

  private async computeBelow(
    { step, range }: Computation,
    brings: Arriving | undefined,
    events: ComputeEvents,
  ): Promise<Computed | undefined> {
    const { members, forwarding } = this;
    assert(members !== undefined && forwarding !== undefined, 'a relay has a run');
    if (this.isAbandoned) return undefined;
    const forwarded = forwarding.begin({ step, range }, events);
    if (forwarded !== undefined) this.held.push(...forwarded.buffers);
    const computed = await members.compute({ step, range, brings });
    if (computed === undefined) {
      await forwarded?.end();
      return undefined;
    }
    const { parts, computeMs, concurrency } = computed;
    const account = this.upper?.audits ? accountOf(parts, (part) => this.hashOf(part)) : undefined;
    const arrived = sumsOf(parts);
    this.held.push(...buffersOf(arrived));
    const partialSums = await (forwarded?.end(arrived) ?? this.addWhole(step, arrived));
    await this.arrivals.here();
    return {
      partialSums,
      computeMs,
      ...(concurrency && { concurrency }),
      ...(account && { parts: account }),
    };
  }

  /** The result of a replica is passed on as it is: the coordinator adds those of all replicas. */
  private async addWhole(step: number, arrived: readonly PartialSum[]): Promise<readonly PartialSum[]> {
    const { adder } = this.loaded;
    return adder === undefined ? arrived : await adder.exchange(step, arrived);
  }

  /** Somebody below was wrong. */
  expel(message: Expel): void {
    this.members?.expel(message);
  }

  private hashOf({ memberId, partialSums }: ComputedPart): string {
    const { runMemory, layout } = this.loaded;
    const { hashes } = compareSums(runMemory.memory, layout, [{ memberId, partialSums }]);
    return hashes[0]?.hash as string;
  }

  override interrupt(): void {
    this.isAbandoned = true;
    this.stopWaiting();
    this.members?.abandon();
  }

  /** The data is here: those who have connected are let in. Resolves when enough of them can be given work. */
  private async begin(): Promise<void> {
    const least = this.members === undefined ? this.parts.minWorkers : 1;
    this.members ??= this.letIn();
    const { clock, onNobody } = this.parts;
    const cancel = clock.after(BEGIN_MS, onNobody);
    await this.members.able(least);
    cancel();
  }

  private letIn(): RelayMembers {
    const { upper: run, loaded, parts } = this;
    const { clock, own, onNotice, onNobody, onFailure } = parts;
    const { runMemory, sums, layout, arriving } = loaded;
    const { memory, data } = runMemory;
    const { weights } = arriving;
    assert(run !== undefined && weights !== undefined, 'a run is prepared before its data is here');
    const weightBytes = weights.vectors.length * weights.cut.bytes;
    const buffers = new PartialSumBuffers(memory, sums, (released) => forwarding.released(released));
    this.buffers = buffers;
    const members = new RelayMembers({
      settings: relaySettings(run, own, { sums, weightBytes }),
      ...{ clock, buffers, onNotice, onNobody, onFailure },
      outgoing: (what) => this.outgoing(what),
      chunk: (index) => data.chunk(index),
      onSums: (message) => forwarding.arrived(message),
      compare: (answers) => compareSums(memory, layout, answers),
    });
    const forwarding = new Forwarding(run, loaded, buffers, {
      cover: (task, segment) => members.cover(task, segment),
      onFailure,
    });
    this.forwarding = forwarding;
    for (const link of this.waiting.take()) members.accept(link);
    return members;
  }

  private outgoing(what: Arriving): OutgoingVectors {
    const { arriving, runMemory } = this.loaded;
    const place = arriving[what];
    assert(place !== undefined, 'only a run with a codec has updates');
    const { cut, vectors } = place;
    return {
      cut,
      order: cut.segments.map((_, index) => index),
      views: vectors.map((at) => runMemory.memory.u8(at, cut.bytes)),
      isHere: (one) => what === 'update' || this.arrivals.areHere([one]),
    };
  }
}
