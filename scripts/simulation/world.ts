import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { VirtualClock } from '../../shared/actor/virtual-clock.js';
import { EXPECTED_HASHES } from '../../shared/kernels/self-test-hashes.js';
import type { NodeToCoordinator } from '../../shared/protocol/messages.js';
import { Connection, type Weather } from './network.js';
import type { Fault, Setting } from './plan.js';
import { simulatedSettings, TOKEN } from './settings.js';
import { type Coordinate, type Sending, VirtualCoordinator } from './virtual-coordinator.js';
import { VirtualNode } from './virtual-node.js';

const SELF_TEST = Object.entries(EXPECTED_HASHES).map(([kernel, hash]) => ({ kernel, hash }));
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
}

/** A coordinator, nodes and the network between them, in virtual time; and everything that can go wrong with them. */
export class World {
  readonly clock = new VirtualClock();
  readonly random: SeededRandom;
  readonly coordinator: VirtualCoordinator;
  readonly nodes: VirtualNode[] = [];
  readonly faults: Partial<Record<Fault, number>> = {};
  messages = 0;
  /** The person at the machine is told how its node ended. */
  onEnded: (node: VirtualNode, ending: string) => void = () => {};
  private readonly wires = new Map<string, Wire>();
  private readonly weather: Weather;
  private connections = 0;

  constructor(
    readonly setting: Setting,
    private readonly parts: WorldParts,
  ) {
    this.random = new SeededRandom(setting.seed);
    this.weather = parts.weather(this.random);
    const world = {
      nowMs: () => this.clock.nowMs(),
      after: (ms: number, act: () => void) => void this.clock.after(ms, act),
      trace: (text: () => string) => this.trace(text),
      drop: (id: string, reason: string) => this.wires.get(id)?.link.close('coordinator', reason),
      toNode: this.toNode,
      mayErr: (name: string) =>
        !setting.isStrict && this.nodes.some((node) => node.name === name && node.isFlawed),
      isAtRest: () => this.nodes.every((node) => !node.sharesMemory || node.state.computing === 'nothing'),
    };
    this.coordinator = new VirtualCoordinator(simulatedSettings(setting), world, parts.decide);
  }

  /** A machine is switched on, and its node looks for the coordinator. */
  join(name: string, { afterMs = 0, sharesMemory = false } = {}): VirtualNode {
    const identity = {
      name,
      backend: 'wasm',
      detail: 'virtual',
      threads: 1,
      token: TOKEN,
      selfTest: SELF_TEST,
    };
    const machine = { name, msPerLeaf: this.parts.msPerLeaf(this.random), sharesMemory };
    const node = new VirtualNode(machine, identity, {
      nowMs: () => this.clock.nowMs(),
      after: (ms, act) => void this.clock.after(ms, act),
      leavesOf: (step) => this.coordinator.leavesOf(step),
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

  /** Its cable is pulled; both ends hear of it some time. */
  cut({ link }: VirtualNode): void {
    link?.cut('the cable was pulled');
  }

  /** Its end of the connection breaks, and it connects anew, while the coordinator still takes the old one for good. */
  linger({ link }: VirtualNode, ms: number): void {
    link?.linger(ms, () => this.random.chance(0.5));
  }

  /** Nothing reaches these machines, or comes from them, for a while. */
  isolate(nodes: readonly VirtualNode[], ms: number): void {
    for (const node of nodes) {
      node.isolatedUntilMs = Math.max(node.isolatedUntilMs, this.clock.nowMs() + ms);
      node.link?.stall(ms);
    }
  }

  /** The machine stands still, with all that was sent to it, and then goes on. */
  pause(node: VirtualNode, ms: number): void {
    node.pausedUntilMs = this.clock.nowMs() + ms;
  }

  /** The machine is gone. @param isSilent nobody hears anything of it, as without power; else its connections break */
  crash(node: VirtualNode, isSilent: boolean): void {
    node.isDead = true;
    if (isSilent) node.link?.stall(Number.MAX_SAFE_INTEGER);
    else node.link?.cut('the machine is gone');
  }

  /** A bit of its weights is another. */
  flipMemory(node: VirtualNode): void {
    if (node.weights < 0) return;
    node.isFlawed = true;
    node.weights = (node.weights ^ (1 << this.random.below(32))) >>> 0;
  }

  /** A bit of the next sums that it sends is another when they arrive. */
  flipPayload(node: VirtualNode): void {
    node.flipsNext = true;
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
    const id = `link-${++this.connections}`;
    const weather = node.sharesMemory ? AT_HOME : this.weather;
    const link = new Connection(id, this.clock, weather, (end, reason) => {
      this.trace(() => `${end === 'node' ? node.name : 'coordinator'}: ${id} closed, ${reason}`);
      if (end === 'coordinator') this.coordinator.tell({ kind: 'disconnected', id, reason });
      else if (node.link === link) node.tell({ kind: 'closed', reason });
    });
    link.stall(Math.max(0, node.isolatedUntilMs - this.clock.nowMs()));
    this.wires.set(id, { link, node });
    node.link = link;
    const { sharesMemory } = node;
    this.trace(() => `${node.name}: connects by ${id}`);
    link.send('coordinator', () =>
      this.coordinator.tell({ kind: 'connected', id, nonce: this.nonce(), sharesMemory }),
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
    const { workshop } = this.coordinator;
    const step = message.kind === 'partials' ? message.step : -1;
    const atHome = node.sharesMemory ? workshop.compute(sums, name, step) : undefined;
    const sent = node.flipsNext && sums.length > 0 ? this.flipped(node, sums) : sums;
    link.send('coordinator', () => {
      if (message.kind !== 'pong') this.trace(() => `${name} -> coordinator: ${describe(message)}`);
      const slots = atHome ?? workshop.takeIn(sent, name);
      this.coordinator.tell({ kind: 'received', id: link.id, message, slots });
    });
  };

  private flipped(node: VirtualNode, sums: readonly number[]): readonly number[] {
    node.flipsNext = false;
    node.isFlawed = true;
    const at = this.random.below(sums.length);
    return sums.map((sum, i) => (i === at ? (sum ^ (1 << this.random.below(32))) >>> 0 : sum));
  }

  private lie(node: VirtualNode): number {
    if (node.lieChance === 0 || !this.random.chance(node.lieChance)) return 0;
    node.isFlawed = true;
    this.count('lie', node.name);
    return 1 + this.random.below(2 ** 32 - 1);
  }

  private weightsFor(node: VirtualNode, step: number): number {
    const { workshop } = this.coordinator;
    if (node.sharesMemory) return workshop.weights;
    if (!node.isFlawed && !workshop.knows(step, node.weights))
      throw new Error(`${node.name} computes step ${step} with weights that this step does not have`);
    return node.weights;
  }

  private nonce(): string {
    return String(this.random.next()).padStart(22, 'n');
  }
}

function describe(message: {
  readonly kind: string;
  readonly step?: number;
  readonly range?: { from: number; to: number };
  readonly reason?: string;
}): string {
  const { kind, step, range, reason } = message;
  if (reason !== undefined) return `${kind}, ${reason}`;
  return range === undefined ? kind : `${kind} ${step} [${range.from},${range.to})`;
}
