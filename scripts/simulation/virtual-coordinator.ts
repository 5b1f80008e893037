import type { coordinate } from '../../coordinator/coordinator.js';
import type { CoordinatorEffect, CoordinatorMessage } from '../../coordinator/messages.js';
import { type CoordinatorState, initialState, type RunSettings } from '../../coordinator/state.js';
import { stepPlace } from '../../shared/data/order.js';
import { leafCount, rootLevel } from '../../shared/sum/leaves.js';
import { mergePlan, nodeKey } from '../../shared/sum/merge.js';
import { canonicalSum, FIRST_WEIGHTS, mix } from './arithmetic.js';

/** How often the coordinator looks who is still there, as in production. */
const TICK_MS = 500;
/** Sums that may lie around at one time, for each member. */
const SLOTS_PER_MEMBER_MAX = 256;

export type Sending = Extract<CoordinatorEffect, { kind: 'send' }>;

/** What a virtual coordinator needs of the world. */
export interface CoordinatorWorld {
  nowMs(): number;
  after(delayMs: number, act: () => void): void;
  toNode(sending: Sending, payload: Uint8Array): void;
  drop(id: string, reason: string): void;
  trace(text: string): void;
}

/** The decisions of a coordinator: the production's, or one that is wrong on purpose. */
export type Coordinate = typeof coordinate;

/** The production coordinator in virtual time, with every step's sum held to the canonical one. */
export class VirtualCoordinator {
  readonly state: CoordinatorState;
  weights = FIRST_WEIGHTS;
  isComplete = false;
  private readonly slots = new Map<number, number>();
  private slotsUsed = 0;

  constructor(
    settings: RunSettings,
    private readonly world: CoordinatorWorld,
    private readonly decide: Coordinate,
  ) {
    this.state = initialState(settings, 0);
    this.tick();
  }

  leavesOf(step: number): number {
    const { samples, batch, leafSize } = this.state.settings;
    return leafCount(stepPlace(step, samples, batch).size, leafSize);
  }

  /** Lays sums down that a member sent. Returns where. */
  takeIn(sums: readonly number[]): number[] {
    return sums.map((sum) => {
      this.slots.set(++this.slotsUsed, sum);
      return this.slotsUsed;
    });
  }

  tell(message: CoordinatorMessage): void {
    if (this.isComplete) return;
    for (const effect of this.decide(this.state, message, this.world.nowMs()).effects) this.perform(effect);
    if (this.slots.size > SLOTS_PER_MEMBER_MAX * (this.state.members.size + 1))
      throw new Error(`${this.slots.size} sums lie around`);
  }

  private tick(): void {
    this.world.after(TICK_MS, () => {
      this.tell({ kind: 'tick' });
      if (!this.isComplete) this.tick();
    });
  }

  private perform(effect: CoordinatorEffect): void {
    const { world } = this;
    switch (effect.kind) {
      case 'send':
        return world.toNode(effect, effect.attachment === 'weights' ? this.payload() : new Uint8Array(0));
      case 'drop':
        return world.drop(effect.id, effect.reason);
      case 'finish':
        this.finish(effect);
        return world.after(0.2, () => this.tell({ kind: 'finished', metrics: [0] }));
      case 'compare':
        return this.compare(effect);
      case 'wake':
        return world.after(effect.afterMs, () => this.tell({ kind: 'woken' }));
      case 'release':
        return this.release(effect.slots);
      case 'evaluate':
        return world.after(1, () => this.tell({ kind: 'evaluated', finite: true }));
      case 'notice':
        return world.trace(effect.text);
      case 'report':
        return world.trace(JSON.stringify(effect.event));
      case 'complete':
        this.isComplete = true;
        return;
      case 'stride':
      case 'interrupt-stride':
        throw new Error('a stride, though nobody shares the memory');
      case 'watch':
        throw new Error('a look at backprop, though nobody asked for one');
      case 'admit':
      case 'record':
        return;
      default:
        effect satisfies never;
    }
  }

  private finish({ step, arrived }: Extract<CoordinatorEffect, { kind: 'finish' }>): void {
    const leaves = this.leavesOf(step);
    const nodes = arrived.map(({ node }) => node);
    const sums = new Map(arrived.map(({ node, slot }) => [nodeKey(node), this.slots.get(slot)]));
    for (const { into, left, right } of mergePlan(nodes, leaves).adds)
      sums.set(nodeKey(into), mix(sums.get(nodeKey(left)) as number, sums.get(nodeKey(right)) as number));
    const root = { level: rootLevel(leaves), index: 0 };
    const sum = sums.get(nodeKey(root));
    if (sum !== canonicalSum(this.weights, step, root, leaves))
      throw new Error(`step ${step} was not given its canonical sum`);
    this.weights = mix(this.weights, sum);
    this.release(arrived.map(({ slot }) => slot));
    this.world.trace(`step ${step} is done`);
  }

  private compare({ step, task, answers }: Extract<CoordinatorEffect, { kind: 'compare' }>): void {
    const hashes = answers.map(({ memberId, partials }) => ({
      memberId,
      hash: partials.map(({ slot }) => this.slots.get(slot)).join(),
    }));
    const parameter = hashes.every(({ hash }) => hash === hashes[0]?.hash) ? undefined : 'sum';
    this.tell({ kind: 'compared', step, task, hashes, parameter });
  }

  private payload(): Uint8Array {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, this.weights);
    return bytes;
  }

  private release(slots: readonly number[]): void {
    for (const slot of slots)
      if (!this.slots.delete(slot)) throw new Error(`sum ${slot} was given back twice`);
  }
}
