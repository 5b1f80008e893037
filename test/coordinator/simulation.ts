import { coordinate } from '../../coordinator/coordinator.js';
import type { CoordinatorEffect, CoordinatorMessage } from '../../coordinator/messages.js';
import { type CoordinatorState, initialState, type RunSettings } from '../../coordinator/state.js';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { stepPlace } from '../../shared/data/order.js';
import type { NodeToCoordinator } from '../../shared/protocol/messages.js';
import { leafCount, rootLevel } from '../../shared/sum/leaves.js';
import { mergePlan, nodeKey } from '../../shared/sum/merge.js';
import { NONCE, runSettings } from './settings.js';
import { expression, SimulatedNode, type World } from './simulated-node.js';

/** So much can happen in a run of this size at most; one that takes longer stands still. */
const EVENTS_MAX = 30_000;

/**
 * A coordinator and its nodes as pure machines, in a world that is decided by a seed: messages take any time, machines
 * die, links break, others join, and some say everything twice. Sums are expressions in place of numbers, so it shows
 * whether each step's sum was formed exactly as the tree has it.
 */
export class Simulation implements World {
  readonly state: CoordinatorState;
  /** The root of each step that was finished in a round, by step. */
  readonly roots = new Map<number, string>();
  readonly nodes: SimulatedNode[] = [];
  /** Nodes that say everything twice, which is against the protocol. */
  readonly repeaters = new Set<string>();
  complete: string | undefined;
  private readonly random: SeededRandom;
  private readonly channels = new Map<string, (() => void)[]>();
  private readonly links = new Map<string, SimulatedNode>();
  /** Sums that came over a link, by slot. */
  readonly slots = new Map<number, string>();
  private slotsUsed = 0;
  private connections = 0;
  private interruption = false;
  private nowMs = 0;

  constructor(seed: number, settings: Partial<RunSettings> = {}) {
    this.random = new SeededRandom(seed);
    this.state = initialState(runSettings({ steps: 12, ...settings }), 0);
  }

  add(sharesMemory: boolean): SimulatedNode {
    const name = `${sharesMemory ? 'local' : 'remote'} ${this.nodes.length}`;
    const node = new SimulatedNode(name, sharesMemory, 1 + this.random.below(3), this);
    this.nodes.push(node);
    if (!sharesMemory && this.random.chance(0.05)) this.repeaters.add(name);
    this.later(name, () => node.tell({ kind: 'retry' }));
    return node;
  }

  /** Lets things happen until the run is over. */
  run(): void {
    for (let events = 0; this.complete === undefined; events++) {
      if (events > EVENTS_MAX) throw new Error(`the run stands still in step ${this.state.step}`);
      this.disturb();
      const busy = [...this.channels].filter(([, waiting]) => waiting.length > 0);
      const chosen = busy[this.random.below(busy.length)];
      if (chosen === undefined) this.add(false);
      else chosen[1].shift()?.();
    }
  }

  leavesOf(step: number): number {
    const { samples, batch, leafSize } = this.state.settings;
    return leafCount(stepPlace(step, samples, batch).size, leafSize);
  }

  later(channel: string, act: () => void): void {
    const waiting = this.channels.get(channel) ?? [];
    this.channels.set(channel, waiting);
    waiting.push(act);
  }

  connect(node: SimulatedNode): string {
    const link = `link ${this.connections++} of ${node.name}`;
    this.links.set(link, node);
    const { sharesMemory } = node;
    this.later(`${link} up`, () => this.tell({ kind: 'connected', id: link, nonce: NONCE, sharesMemory }));
    return link;
  }

  toCoordinator(link: string, message: NodeToCoordinator, sums: readonly string[]): void {
    const times = this.repeaters.has(this.links.get(link)?.name ?? '') && message.kind === 'partials' ? 2 : 1;
    for (let i = 0; i < times; i++) {
      this.later(`${link} up`, () => {
        if (!this.links.has(link)) return;
        const slots = sums.map((sum) => {
          this.slots.set(++this.slotsUsed, sum);
          return this.slotsUsed;
        });
        this.tell({ kind: 'received', id: link, message, slots });
      });
    }
  }

  hangUp(link: string): void {
    // Behind what was said before.
    this.later(`${link} up`, () => this.cut(link, 'hung up'));
  }

  /** Now and then something goes wrong, someone comes, or time passes. */
  private disturb(): void {
    const { random } = this;
    const remote = [...this.links].filter(([, node]) => !node.sharesMemory);
    const [victim] = remote[random.below(remote.length)] ?? [];
    if (victim !== undefined && random.chance(0.01)) this.cut(victim, 'the cable was pulled');
    if (victim !== undefined && random.chance(0.005)) this.kill(victim);
    if (random.chance(0.01) && this.nodes.length < 40) this.add(false);
    if (random.chance(0.05)) {
      this.nowMs += 500;
      this.tell({ kind: 'tick' });
    }
  }

  /** A machine is gone from one moment to the next: only its link tells. */
  private kill(link: string): void {
    const node = this.links.get(link);
    if (node === undefined) return;
    for (const [channel, waiting] of this.channels)
      if (channel.startsWith(`${node.name} `)) waiting.length = 0;
    this.links.delete(link);
    this.later(`${link} up`, () => this.tell({ kind: 'disconnected', id: link, reason: 'killed' }));
  }

  /** A link breaks: what was under way on it is lost, and both ends hear of it, each in its time. */
  private cut(link: string, reason: string): void {
    const node = this.links.get(link);
    if (node === undefined) return;
    this.links.delete(link);
    this.channels.delete(`${link} down`);
    this.later(`${link} up`, () => this.tell({ kind: 'disconnected', id: link, reason }));
    this.later(`${link} down`, () => node.cut(link, reason));
  }

  private tell(message: CoordinatorMessage): void {
    if (this.complete !== undefined) return;
    for (const effect of coordinate(this.state, message, this.nowMs).effects) this.perform(effect);
  }

  private perform(effect: CoordinatorEffect): void {
    const report = (message: () => CoordinatorMessage): void =>
      this.later('workshop', () => this.tell(message()));
    switch (effect.kind) {
      case 'send': {
        const { id, message, attachment } = effect;
        const node = this.links.get(id);
        const payload = attachment === 'weights' ? Uint8Array.of(this.state.step) : new Uint8Array(0);
        if (node !== undefined)
          this.later(`${id} down`, () => node.tell({ kind: 'received', message, payload }));
        return;
      }
      case 'drop':
        // Behind what was said before, such as why.
        return this.later(`${effect.id} down`, () => this.cut(effect.id, effect.reason));
      case 'stride':
        return report(() => this.stride(effect));
      case 'interrupt-stride':
        this.interruption = true;
        return;
      case 'finish':
        return report(() => this.finish(effect));
      case 'compare': {
        const hashes = effect.answers.map(({ memberId, partials }) => ({
          memberId,
          hash: partials.map(({ slot }) => this.slots.get(slot)).join(),
        }));
        const parameter = hashes.some(({ hash }) => hash !== hashes[0]?.hash) ? 'w' : undefined;
        const { step, task } = effect;
        return report(() => ({ kind: 'compared', step, task, hashes, parameter }));
      }
      case 'wake':
        return report(() => ({ kind: 'woken' }));
      case 'release':
        return this.release(effect.slots);
      case 'evaluate':
        return report(() => ({ kind: 'evaluated', means: { loss: 1 } }));
      case 'complete':
        this.complete = effect.reason;
        return;
    }
  }

  private stride({
    step,
    shares,
    scalars,
  }: Extract<CoordinatorEffect, { kind: 'stride' }>): CoordinatorMessage {
    const covered = shares.flatMap(({ range }) =>
      Array.from({ length: range.to - range.from }, (_, i) => range.from + i),
    );
    const done = this.interruption ? this.random.below(scalars.length + 1) : scalars.length;
    this.interruption = false;
    for (let i = 0; i < done; i++) {
      const all = Array.from({ length: this.leavesOf(step + i) }, (_, leaf) => leaf);
      if (covered.join() !== all.join())
        throw new Error(`step ${step + i} strides over ${covered} of ${all}`);
    }
    return { kind: 'strided', metrics: new Array(done).fill([0]), elapsedMs: done };
  }

  private finish({ step, arrived }: Extract<CoordinatorEffect, { kind: 'finish' }>): CoordinatorMessage {
    const leaves = this.leavesOf(step);
    const sums = new Map(arrived.map(({ node, slot }) => [nodeKey(node), this.slots.get(slot)]));
    const { adds } = mergePlan(
      arrived.map(({ node }) => node),
      leaves,
    );
    for (const { into, left, right } of adds)
      sums.set(nodeKey(into), `(${sums.get(nodeKey(left))}+${sums.get(nodeKey(right))})`);
    const root = sums.get(nodeKey({ level: rootLevel(leaves), index: 0 }));
    const canonical = expression(step, { level: rootLevel(leaves), index: 0 }, leaves);
    if (root !== canonical) throw new Error(`step ${step} summed up ${root} in place of ${canonical}`);
    this.roots.set(step, root);
    this.release(arrived.map(({ slot }) => slot));
    return { kind: 'finished', metrics: [0] };
  }

  private release(slots: readonly number[]): void {
    for (const slot of slots)
      if (!this.slots.delete(slot)) throw new Error(`slot ${slot} was given back twice`);
  }
}
