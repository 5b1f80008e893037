import type { RunEvent } from '../coordinator/state/observer.js';
import type { RunSettings } from '../coordinator/state/run-settings.js';
import { CheckpointStore } from '../coordinator/storage/checkpoint-store.js';
import { relay } from '../relay/transition.js';
import { SeededRandom } from '../shared/actor/seeded-random.js';
import { VirtualClock } from '../shared/actor/virtual-clock.js';
import { leavesOf } from '../shared/data/step-shape.js';
import type { CoordinatorToWorker, WorkerToCoordinator } from '../shared/protocol/messages.js';
import type { Segment } from '../shared/reduction/segments.js';
import { INITIAL_WEIGHTS, type VirtualCodec } from './arithmetic.js';
import { describeMessage } from './description.js';
import { flipped } from './faults.js';
import { Connection, type End, type NetworkTiming, type Port, type Wire } from './network.js';
import { type Fault, HONEST, type Misbehaviour, type Scenario } from './plan.js';
import { findResumption } from './resumption.js';
import { identityOf, simulatedSettings, virtualCodec } from './settings.js';
import type { UpperEnd } from './upper-end.js';
import { bytesOf, NUMBER_CUT } from './vectors.js';
import {
  type Coordinate,
  type CoordinatorEnvironment,
  type Send,
  VirtualCoordinator,
} from './virtual-coordinator.js';
import { VirtualDisk } from './virtual-disk.js';
import { VirtualExecutor } from './virtual-executor.js';
import { type Relay, VirtualRelay } from './virtual-relay.js';
import { VirtualWorker, type WorkerEnvironment } from './virtual-worker.js';

/** Within the coordinator's process messages take no time, and silence means nothing. */
const IN_PROCESS: NetworkTiming = {
  segmentWaitMs: () => 0,
  delayMs: () => 0,
  closeNoticeMs: () => 0,
  silenceMs: Number.POSITIVE_INFINITY,
};

/** What a virtual cluster is made of, beside its scenario. */
export interface ClusterParts {
  readonly timing: (random: SeededRandom) => NetworkTiming;
  /** Time that a machine takes for a leaf. */
  readonly msPerLeaf: (random: SeededRandom) => number;
  /** When the first segment of sums is complete, as a fraction of the time that they take; left out: with the others. */
  readonly firstSegmentAt?: number;
  /** Receives what happens, with virtual time. */
  readonly trace: ((text: string) => void) | undefined;
  /** Left out: long frames take no longer than short ones. */
  readonly wire?: Wire;
  readonly decide: Coordinate;
  /** Left out: production's. */
  readonly decideRelay?: Relay;
}

/** How a machine joins. */
interface Joining {
  readonly afterMs?: number;
  readonly sharesMemory?: boolean;
  readonly misbehaviour?: Misbehaviour;
  readonly address?: string;
  /** Name of the relay that it connects to; left out: the coordinator. */
  readonly above?: string | undefined;
  /** It is a relay. */
  readonly relays?: boolean;
  /** How many must be below it before it joins. */
  readonly minWorkers?: number;
}

/** A connection and what is at its ends. */
interface Route {
  readonly link: Connection;
  readonly worker: VirtualWorker;
  /** The process above: a restarted one knows nothing of the connection. */
  readonly upper: UpperEnd;
  /** Messages so far that weights or an update came with. */
  deliveries: number;
}

/** A coordinator, workers and the network between them in virtual time, and the faults that can be injected into them. */
export class VirtualCluster {
  readonly clock = new VirtualClock();
  readonly random: SeededRandom;
  readonly disk: VirtualDisk;
  coordinator: VirtualCoordinator;
  readonly workers: VirtualWorker[] = [];
  readonly faults: Partial<Record<Fault, number>> = {};
  messages = 0;
  /** Called when a worker has ended. */
  onEnded: (worker: VirtualWorker, exitReason: string) => void = () => {};
  /** Called when the coordinator reports an event. */
  onReport: (event: RunEvent) => void = () => {};
  /** Called before the coordinator removes checkpoints because it has rolled back. */
  onRemoval: () => void = () => {};
  /** Called when a restarted coordinator continues from a step. */
  onResumed: (step: number) => void = () => {};
  /** Called when local workers begin a step of an execution. */
  onLocalStep: (step: number) => void = () => {};
  /** Called when the sum of a step is in the weights. */
  onStep: () => void = () => {};
  /** Called when a worker is sent work that counts. */
  onWork: (worker: VirtualWorker) => void = () => {};
  private readonly routes = new Map<string, Route>();
  /** By name, one after the other. */
  private readonly relays = new Map<string, VirtualRelay[]>();
  /** By name of the machine. */
  private readonly ports = new Map<string, Port>();
  private readonly timing: NetworkTiming;
  private readonly environment: CoordinatorEnvironment;
  private readonly settings: RunSettings;
  readonly codec: VirtualCodec | undefined;
  private connections = 0;
  /** The coordinator's process has ended and has not been restarted. */
  private isDown = false;

  constructor(
    readonly scenario: Scenario,
    private readonly parts: ClusterParts,
  ) {
    this.random = new SeededRandom(scenario.seed);
    this.timing = parts.timing(this.random);
    this.disk = new VirtualDisk({ random: this.random, after: (ms, act) => void this.clock.after(ms, act) });
    this.settings = simulatedSettings(scenario);
    this.codec = virtualCodec(scenario, this.settings.batch);
    const mayErr = (name: string): boolean =>
      !scenario.isStrict &&
      this.workers.some((worker) => worker.isFlawed && (worker.name === name || this.relays.has(name)));
    this.environment = {
      nowMs: () => this.clock.nowMs(),
      after: (ms: number, act: () => void) => void this.clock.after(ms, act),
      trace: (text: () => string) => this.trace(text),
      drop: (id: string, reason: string) => this.routes.get(id)?.link.close('coordinator', reason),
      toWorker: this.toWorker,
      reported: (event) => this.onReport(event),
      removesCheckpoints: () => this.onRemoval(),
      localStepBegins: (step) => this.onLocalStep(step),
      stepDone: () => this.onStep(),
      isAtRest: () =>
        this.workers.every(
          (worker) => !worker.sharesMemory || worker.isDead || worker.state.workQueue.computing === 'nothing',
        ),
      executor: new VirtualExecutor((step) => this.leavesOf(step), mayErr, INITIAL_WEIGHTS, this.codec),
      store: new CheckpointStore(this.disk),
    };
    this.coordinator = new VirtualCoordinator(this.settings, this.environment, parts.decide);
  }

  /** Lets virtual time pass until the run is over. @throws Error when it has not ended after so many milliseconds */
  async run(limitMs: number): Promise<void> {
    const { clock, disk } = this;
    while (!this.coordinator.isComplete) {
      const isBusy = disk.pending > 0 || this.coordinator.isSaving;
      if (clock.nowMs() > limitMs || !clock.runNext())
        throw new Error(`the run makes no progress in step ${this.coordinator.state.training.step}`);
      // Promises of the disk are settled in a turn of the event loop.
      if (isBusy || disk.pending > 0 || this.coordinator.isSaving)
        await new Promise((resolve) => setImmediate(resolve));
    }
  }

  leavesOf(step: number): number {
    return leavesOf(this.settings, step);
  }

  /** Ends the coordinator's process with everything that lives in it, and starts it again after a while. */
  crashCoordinator(losesPower: boolean, downMs: number): void {
    if (this.isDown) return;
    this.isDown = true;
    this.coordinator.kill();
    if (this.disk.crash(losesPower)) this.count('torn-write', 'disk');
    const locals = this.workers.filter(({ sharesMemory, isDead }) => sharesMemory && !isDead);
    for (const worker of locals) worker.isDead = true;
    for (const { link, upper } of this.routes.values())
      if (upper === this.coordinator) link.cut('the coordinator is gone');
    const names = locals.map(({ name }) => name);
    this.clock.after(downMs, () => void this.restartCoordinator(names).catch(this.rethrow));
  }

  /** As `--resume` does: continues from the newest intact checkpoint, or begins anew. */
  private async restartCoordinator(locals: readonly string[]): Promise<void> {
    const { store, executor } = this.environment;
    const found = await findResumption(store);
    const { step, damaged, vectors, progress, memory } = found;
    this.trace(() => `coordinator: starts at step ${step}; ${damaged} checkpoints are damaged`);
    executor.resume(step, vectors);
    for (const [base, kept] of found.bases) executor.keepSnapshot(base, [], kept);
    this.onResumed(step);
    const { decide } = this.parts;
    this.coordinator = new VirtualCoordinator(this.settings, this.environment, decide, progress, memory);
    this.isDown = false;
    for (const name of locals) this.join(name, { sharesMemory: true });
  }

  /** A machine is switched on, and its worker connects. */
  join(
    name: string,
    { afterMs = 0, sharesMemory = false, misbehaviour = HONEST, address = name, ...place }: Joining = {},
  ): VirtualWorker {
    const msPerLeaf = this.parts.msPerLeaf(this.random);
    const machine = { name, address, msPerLeaf, sharesMemory, above: place.above };
    const environment: WorkerEnvironment = {
      nowMs: () => this.clock.nowMs(),
      after: (ms, act) => void this.clock.after(ms, act),
      leavesOf: (step) => this.leavesOf(step),
      codec: this.codec,
      nonce: () => this.nonce(),
      connect: (self) => this.connect(self),
      toCoordinator: this.toCoordinator,
      forward: this.forward,
      firstSegmentAt: this.parts.firstSegmentAt,
      errorOf: (self) => this.errorOf(self),
      withheld: (self) =>
        this.count(self.misbehaviour.withholds === 'answers' ? 'no-answer' : 'no-message', self.name),
      weightsFor: (self) => this.weightsFor(self),
      ended: (self, exitReason) => {
        this.trace(() => `${self.name} ended: ${exitReason}`);
        this.onEnded(self, exitReason);
      },
      isReachable: (relay) => relay === undefined || (this.relay(relay)?.isReachable ?? false),
    };
    const identity = identityOf(name, misbehaviour !== HONEST);
    const { scenario } = this;
    const worker = place.relays
      ? new VirtualRelay(machine, identity, environment, {
          ...this.environment,
          settings: this.settings,
          // Where most of those below are hostile, they would have a relay that compares expel an honest one.
          audit: { ...this.settings.audit, fraction: scenario.misbehaviours.length > 0 ? 0 : scenario.audit },
          decideRelay: this.parts.decideRelay ?? relay,
          minWorkers: place.minWorkers ?? 1,
          toWorker: this.toWorker,
          linkOf: (id) => this.routes.get(id)?.link,
        })
      : new VirtualWorker(machine, identity, environment);
    worker.misbehaviour = misbehaviour;
    worker.isFlawed = misbehaviour.withholds !== undefined;
    this.workers.push(worker);
    if (worker instanceof VirtualRelay) this.relays.set(name, [...(this.relays.get(name) ?? []), worker]);
    this.clock.after(afterMs, () => worker.tell({ kind: 'connect' }));
    return worker;
  }

  /** The live worker of this name. @throws Error when there is none */
  named(name: string): VirtualWorker {
    const worker = this.workers.findLast((one) => one.name === name && !one.isDead);
    if (worker === undefined) throw new Error(`there is no worker ${name}`);
    return worker;
  }

  /** Counts a fault and traces it. */
  count(fault: Fault, name: string): void {
    this.faults[fault] = (this.faults[fault] ?? 0) + 1;
    this.trace(() => `fault: ${fault} (${name})`);
  }

  trace(text: () => string): void {
    this.parts.trace?.(`${this.clock.nowMs().toFixed(1).padStart(9)} ms  ${text()}`);
  }

  /** The live relay of this name. */
  private relay(name: string): VirtualRelay | undefined {
    return this.relays.get(name)?.findLast(({ isDead }) => !isDead);
  }

  private connect(worker: VirtualWorker): void {
    const upper = worker.above === undefined ? this.coordinator : this.relay(worker.above);
    if (upper === undefined || !upper.isRunning)
      return worker.tell({ kind: 'closed', reason: 'connection refused' });
    const id = `link-${++this.connections}`;
    const timing = worker.sharesMemory ? IN_PROCESS : this.timing;
    const link = new Connection(
      id,
      this.clock,
      timing,
      (end, reason) => {
        this.trace(() => `${end === 'worker' ? worker.name : upper.name}: ${id} closed, ${reason}`);
        if (end === 'coordinator') upper.disconnected(id, reason);
        else if (worker.link === link) worker.tell({ kind: 'closed', reason });
      },
      this.wired(worker, upper),
    );
    const isolatedUntilMs = upper instanceof VirtualRelay ? upper.isolatedUntilMs : 0;
    link.stall(
      Math.max(0, worker.isolatedUntilMs - this.clock.nowMs(), isolatedUntilMs - this.clock.nowMs()),
    );
    this.routes.set(id, { link, worker, upper, deliveries: 0 });
    worker.link = link;
    const { sharesMemory } = worker;
    this.trace(() => `${worker.name}: connects by ${id}`);
    link.send('coordinator', () =>
      upper.hear({ kind: 'connected', id, nonce: this.nonce(), sharesMemory, address: worker.address }),
    );
    worker.tell({ kind: 'opened', nonce: this.nonce() });
  }

  private wired(worker: VirtualWorker, upper: UpperEnd): (Wire & { ports: Record<End, Port> }) | undefined {
    const { wire } = this.parts;
    if (wire === undefined || worker.sharesMemory) return undefined;
    return { ...wire, ports: { coordinator: this.portOf(upper.name), worker: this.portOf(worker.name) } };
  }

  /** The port of a machine, or of the coordinator. */
  portOf(name: string): Port {
    const port = this.ports.get(name) ?? { sendsUntilMs: 0, receivesUntilMs: 0, segments: 0 };
    this.ports.set(name, port);
    return port;
  }

  private readonly toWorker = ({ id, message, attachment }: Send): void => {
    const route = this.routes.get(id);
    if (route === undefined) return;
    const { worker, link, upper } = route;
    if (message.kind === 'work' && message.rehearses !== true) this.onWork(worker);
    if (message.kind !== 'ping')
      this.trace(
        () =>
          `${upper.name} -> ${worker.name}: ${describeMessage(message)}${attachment === 'none' ? '' : ` + ${attachment}`}`,
      );
    const send = (sent: CoordinatorToWorker, payload: Uint8Array, follows = false): void => {
      this.messages += 1;
      const isLong = sent.kind === 'segment';
      const arrive = (): void => {
        if (worker.link === link) worker.tell({ kind: 'received', message: sent, payload });
      };
      link.send('worker', arrive, follows, isLong);
    };
    send(message, new Uint8Array(0));
    if (message.kind !== 'work' || attachment === 'none') return;
    route.deliveries += 1;
    const { deliveries } = route;
    const { step } = message;
    const what = attachment === 'update' ? 'update' : 'weights';
    const copy = attachment === 'kept-weights' ? upper.outgoing(what) : undefined;
    for (const [index, { at, bytes }] of NUMBER_CUT.segments.entries()) {
      const sendSegment = (): void => {
        // Other work has brought its own since, or the process has ended.
        if (route.deliveries !== deliveries || !upper.isRunning) return;
        const payload = (copy ?? upper.outgoing(what)).slice(at, at + bytes);
        send({ kind: 'segment', step, vector: 0, index }, payload, true);
      };
      // The link may be full: a segment is read when its turn comes, and may be of a later step then.
      const waitMs = index === 0 ? 0 : this.timing.segmentWaitMs();
      upper.whenHere(what, index, () => {
        if (waitMs === 0) sendSegment();
        else this.clock.after(waitMs, sendSegment);
      });
    }
  };

  private readonly toCoordinator = (
    worker: VirtualWorker,
    message: WorkerToCoordinator,
    sums: readonly number[],
  ): void => {
    const { link, name } = worker;
    if (link === undefined) return;
    const { executor } = this.environment;
    const upper = this.routes.get(link.id)?.upper;
    if (upper === undefined || !upper.isRunning) return;
    let isFirst = true;
    const send = (sent: WorkerToCoordinator, arrive: () => void): void => {
      this.messages += 1;
      const receive = (): void => {
        if (!upper.isRunning) return;
        if (sent.kind !== 'pong' && sent.kind !== 'segment')
          this.trace(() => `${name} -> ${upper.name}: ${describeMessage(sent)}`);
        arrive();
      };
      link.send('coordinator', receive, !isFirst, sent.kind === 'segment');
      isFirst = false;
    };
    if (worker.sharesMemory) {
      const buffers = message.kind === 'partial-sums' ? executor.storeLocal(sums, name, message.step) : [];
      return send(message, () => upper.hear({ kind: 'received', id: link.id, message, buffers }));
    }
    const sent = worker.flipsNext && sums.length > 0 ? flipped(worker, sums, this.random) : sums;
    if (message.kind === 'partial-sums') {
      const { step, range } = message;
      const forwarded = worker.forwarded.get(range.from);
      worker.forwarded.delete(range.from);
      for (const [vector, sum] of sent.entries())
        for (const [index, { at, bytes }] of NUMBER_CUT.segments.entries()) {
          if (worker.misbehaviour.deceit === 'drops segments' && index > 0) continue;
          if (forwarded?.over === link && forwarded.segments.has(index)) continue;
          const segment = { kind: 'segment', step, range, vector, index } as const;
          const payload = bytesOf(sum).subarray(at, at + bytes);
          send(segment, () => upper.receive(link.id, segment, payload, name));
        }
    }
    send(message, () => upper.receive(link.id, message, new Uint8Array(0), name));
  };

  /** Sends segments of sums that are complete before the others. */
  private readonly forward: WorkerEnvironment['forward'] = (worker, { step, range }, sums, segments) => {
    const { link } = worker;
    const upper = link && this.routes.get(link.id)?.upper;
    if (link === undefined || upper === undefined || !upper.isRunning) return;
    let forwarded = worker.forwarded.get(range.from);
    if (forwarded?.over !== link) {
      forwarded = { over: link, segments: new Set() };
      worker.forwarded.set(range.from, forwarded);
    }
    for (const index of segments) {
      forwarded.segments.add(index);
      if (worker.misbehaviour.deceit === 'drops segments' && index > 0) continue;
      const { at, bytes } = NUMBER_CUT.segments[index] as Segment;
      for (const [vector, sum] of sums.entries()) {
        const segment = { kind: 'segment', step, range, vector, index } as const;
        const payload = sum.slice(at, at + bytes);
        this.messages += 1;
        const receive = (): void => {
          if (upper.isRunning) upper.receive(link.id, segment, payload, worker.name);
        };
        link.send('coordinator', receive, false, true);
      }
    }
  };

  private errorOf(worker: VirtualWorker): number {
    const { wrongChance, wrongSum, liesAfter = 0 } = worker.misbehaviour;
    worker.sumsComputed += 1;
    if (wrongChance === 0 || worker.sumsComputed <= liesAfter || !this.random.chance(wrongChance)) return 0;
    worker.isFlawed = true;
    this.count(Number.isFinite(wrongSum ?? 0) ? 'lie' : 'not-finite', worker.name);
    if (wrongSum !== undefined) return wrongSum;
    return 1 + this.random.below(2 ** 32 - 1);
  }

  private weightsFor(worker: VirtualWorker): number {
    // Nobody needs what a remote worker computes with other weights than those of the step; see VirtualExecutor.finish.
    return worker.sharesMemory ? this.environment.executor.weights : worker.weights;
  }

  private nonce(): string {
    return String(this.random.next()).padStart(22, 'n');
  }

  /** Throws an error of an asynchronous operation from within the clock, where the caller that runs the clock catches it. */
  private readonly rethrow = (error: unknown): void => {
    this.clock.after(0, () => {
      throw error;
    });
  };
}
