import { CheckpointStore } from '../../coordinator/checkpoint-store.js';
import type { RunSettings } from '../../coordinator/state.js';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { VirtualClock } from '../../shared/actor/virtual-clock.js';
import { stepPlace } from '../../shared/data/order.js';
import type { NodeToCoordinator } from '../../shared/protocol/messages.js';
import { leafCount } from '../../shared/sum/leaves.js';
import { FIRST_WEIGHTS, weightsOf } from './arithmetic.js';
import { describe } from './description.js';
import { flipped, rethrowIn } from './harm.js';
import { Connection, type Weather } from './network.js';
import type { Fault, Setting } from './plan.js';
import { identityOf, simulatedSettings } from './settings.js';
import {
  type Coordinate,
  type CoordinatorWorld,
  type Sending,
  VirtualCoordinator,
} from './virtual-coordinator.js';
import { VirtualDisk } from './virtual-disk.js';
import { VirtualNode } from './virtual-node.js';
import { VirtualWorkshop } from './virtual-workshop.js';

/** Within the coordinator's process nothing is under way for long, and nobody waits for a sign of life. */
const AT_HOME: Weather = { delayMs: () => 0, newsMs: () => 0, silenceMs: Number.POSITIVE_INFINITY };

/** What a world is made with, beside its setting. */
export interface WorldParts {
  readonly weather: (random: SeededRandom) => Weather;
  /** Time that a machine takes for a leaf. */
  readonly msPerLeaf: (random: SeededRandom) => number;
  /** Told what happens, with virtual time. */
  readonly trace: ((text: string) => void) | undefined;
  readonly decide: Coordinate;
}

interface Wire {
  readonly link: Connection;
  readonly node: VirtualNode;
  /** The process at the other end: a later one knows nothing of it. */
  readonly coordinator: VirtualCoordinator;
}

/** A coordinator, nodes and the network between them, in virtual time; and everything that can go wrong with them. */
export class World {
  readonly clock = new VirtualClock();
  readonly random: SeededRandom;
  readonly disk: VirtualDisk;
  coordinator: VirtualCoordinator;
  readonly nodes: VirtualNode[] = [];
  readonly faults: Partial<Record<Fault, number>> = {};
  messages = 0;
  /** The person at the machine is told how its node ended. */
  onEnded: (node: VirtualNode, ending: string) => void = () => {};
  private readonly wires = new Map<string, Wire>();
  private readonly weather: Weather;
  private readonly home: CoordinatorWorld;
  private readonly settings: RunSettings;
  private connections = 0;
  /** No process listens there. */
  private isDown = false;

  constructor(
    readonly setting: Setting,
    private readonly parts: WorldParts,
  ) {
    this.random = new SeededRandom(setting.seed);
    this.weather = parts.weather(this.random);
    this.disk = new VirtualDisk({ random: this.random, after: (ms, act) => void this.clock.after(ms, act) });
    this.settings = simulatedSettings(setting);
    const mayErr = (name: string): boolean =>
      !setting.isStrict && this.nodes.some((node) => node.name === name && node.isFlawed);
    this.home = {
      nowMs: () => this.clock.nowMs(),
      after: (ms: number, act: () => void) => void this.clock.after(ms, act),
      trace: (text: () => string) => this.trace(text),
      drop: (id: string, reason: string) => this.wires.get(id)?.link.close('coordinator', reason),
      toNode: this.toNode,
      isAtRest: () =>
        this.nodes.every((node) => !node.sharesMemory || node.isDead || node.state.computing === 'nothing'),
      workshop: new VirtualWorkshop((step) => this.leavesOf(step), mayErr, FIRST_WEIGHTS),
      store: new CheckpointStore(this.disk),
    };
    this.coordinator = new VirtualCoordinator(this.settings, this.home, parts.decide);
  }

  /** Lets time pass until the run is over. @throws Error when it has not ended after so many milliseconds */
  async run(limitMs: number): Promise<void> {
    const { clock, disk } = this;
    while (!this.coordinator.isComplete) {
      const isBusy = disk.pending > 0 || this.coordinator.isSaving;
      if (clock.nowMs() > limitMs || !clock.runNext())
        throw new Error(`the run stands still in step ${this.coordinator.state.step}`);
      // Whoever waits for the disk goes on in a turn of its own.
      if (isBusy || disk.pending > 0 || this.coordinator.isSaving)
        await new Promise((resolve) => setImmediate(resolve));
    }
  }

  leavesOf(step: number): number {
    const { samples, batch, leafSize } = this.settings;
    return leafCount(stepPlace(step, samples, batch).size, leafSize);
  }

  /** The coordinator's process is gone, with all that lives in it, and after a while it is started again. */
  crashCoordinator(losesPower: boolean, downMs: number): void {
    if (this.isDown) return;
    this.isDown = true;
    this.coordinator.kill();
    if (this.disk.crash(losesPower)) this.count('torn-write', 'disk');
    const locals = this.nodes.filter(({ sharesMemory, isDead }) => sharesMemory && !isDead);
    for (const node of locals) node.isDead = true;
    for (const { link } of this.wires.values()) link.cut('the coordinator is gone');
    const names = locals.map(({ name }) => name);
    this.clock.after(downMs, () => void this.restartCoordinator(names).catch(rethrowIn(this.clock)));
  }

  /** As `--resume` does: from the newest checkpoint that is whole, or from the beginning. */
  private async restartCoordinator(locals: readonly string[]): Promise<void> {
    const { checkpoint, damaged } = await this.home.store.newest();
    const [tensor] = checkpoint?.parameters ?? [];
    const step = checkpoint?.progress.step ?? 0;
    this.trace(() => `coordinator: starts at step ${step}; ${damaged.length} checkpoints are damaged`);
    this.home.workshop.resume(step, tensor === undefined ? FIRST_WEIGHTS : weightsOf(tensor));
    const { decide } = this.parts;
    this.coordinator = new VirtualCoordinator(this.settings, this.home, decide, checkpoint?.progress);
    this.isDown = false;
    for (const name of locals) this.join(name, { sharesMemory: true });
  }

  /** A machine is switched on, and its node looks for the coordinator. */
  join(name: string, { afterMs = 0, sharesMemory = false } = {}): VirtualNode {
    const machine = { name, msPerLeaf: this.parts.msPerLeaf(this.random), sharesMemory };
    const node = new VirtualNode(machine, identityOf(name), {
      nowMs: () => this.clock.nowMs(),
      after: (ms, act) => void this.clock.after(ms, act),
      leavesOf: (step) => this.leavesOf(step),
      nonce: () => this.nonce(),
      connect: (self) => this.connect(self),
      toCoordinator: this.toCoordinator,
      lie: (self) => this.lie(self),
      weightsFor: (self, step) => this.weightsFor(self, step),
      ended: (self, ending) => {
        this.trace(() => `${self.name} ended: ${ending}`);
        this.onEnded(self, ending);
      },
    });
    this.nodes.push(node);
    this.clock.after(afterMs, () => node.tell({ kind: 'retry' }));
    return node;
  }

  /** The node of this name that is alive. */
  named(name: string): VirtualNode {
    const node = this.nodes.findLast((one) => one.name === name && !one.isDead);
    if (node === undefined) throw new Error(`there is no ${name}`);
    return node;
  }

  /** Counts a fault, and tells of it. */
  count(fault: Fault, name: string): void {
    this.faults[fault] = (this.faults[fault] ?? 0) + 1;
    this.trace(() => `fault: ${fault} (${name})`);
  }

  trace(text: () => string): void {
    this.parts.trace?.(`${this.clock.nowMs().toFixed(1).padStart(9)} ms  ${text()}`);
  }

  private connect(node: VirtualNode): void {
    if (this.isDown) return node.tell({ kind: 'closed', reason: 'nobody listens there' });
    const id = `link-${++this.connections}`;
    const { coordinator } = this;
    const weather = node.sharesMemory ? AT_HOME : this.weather;
    const link = new Connection(id, this.clock, weather, (end, reason) => {
      this.trace(() => `${end === 'node' ? node.name : 'coordinator'}: ${id} closed, ${reason}`);
      if (end === 'coordinator') coordinator.tell({ kind: 'disconnected', id, reason });
      else if (node.link === link) node.tell({ kind: 'closed', reason });
    });
    link.stall(Math.max(0, node.isolatedUntilMs - this.clock.nowMs()));
    this.wires.set(id, { link, node, coordinator });
    node.link = link;
    const { sharesMemory } = node;
    this.trace(() => `${node.name}: connects by ${id}`);
    link.send('coordinator', () =>
      coordinator.tell({ kind: 'connected', id, nonce: this.nonce(), sharesMemory }),
    );
    node.tell({ kind: 'opened', nonce: this.nonce() });
  }

  private readonly toNode = ({ id, message, attachment }: Sending, payload: Uint8Array): void => {
    const to = this.wires.get(id);
    if (to === undefined) return;
    const { node, link } = to;
    if (message.kind !== 'ping')
      this.trace(
        () =>
          `coordinator -> ${node.name}: ${describe(message)}${attachment === 'weights' ? ' + weights' : ''}`,
      );
    this.messages += 1;
    link.send('node', () => {
      if (node.link === link) node.tell({ kind: 'received', message, payload });
    });
  };

  private readonly toCoordinator = (
    node: VirtualNode,
    message: NodeToCoordinator,
    sums: readonly number[],
  ): void => {
    const { link, name } = node;
    if (link === undefined) return;
    this.messages += 1;
    const { workshop } = this.home;
    const coordinator = this.wires.get(link.id)?.coordinator;
    if (coordinator !== this.coordinator || this.isDown) return;
    const step = message.kind === 'partials' ? message.step : -1;
    const atHome = node.sharesMemory ? workshop.compute(sums, name, step) : undefined;
    const sent = node.flipsNext && sums.length > 0 ? flipped(node, sums, this.random) : sums;
    link.send('coordinator', () => {
      if (coordinator !== this.coordinator || this.isDown) return;
      if (message.kind !== 'pong') this.trace(() => `${name} -> coordinator: ${describe(message)}`);
      const slots = atHome ?? (coordinator.isOwed(link.id, message) ? workshop.takeIn(sent, name) : []);
      coordinator.tell({ kind: 'received', id: link.id, message, slots });
    });
  };

  private lie(node: VirtualNode): number {
    if (node.lieChance === 0 || !this.random.chance(node.lieChance)) return 0;
    node.isFlawed = true;
    this.count('lie', node.name);
    return 1 + this.random.below(2 ** 32 - 1);
  }

  private weightsFor(node: VirtualNode, step: number): number {
    const { workshop } = this.home;
    if (node.sharesMemory) return workshop.weights;
    if (!node.isFlawed && !workshop.knows(step, node.weights))
      throw new Error(`${node.name} computes step ${step} with weights that this step does not have`);
    return node.weights;
  }

  private nonce(): string {
    return String(this.random.next()).padStart(22, 'n');
  }
}
