import type { NodeToCoordinator } from '../../shared/protocol/messages.js';
import { maximalSubtrees, type Range } from '../../shared/sum/leaves.js';
import type { NodeEffect, NodeMessage, WorkItem } from '../../worker/messages.js';
import { node } from '../../worker/node.js';
import { initialState, type NodeIdentity, type NodeState } from '../../worker/state.js';
import { canonicalSum, mix } from './arithmetic.js';
import type { Connection } from './network.js';

/** What a virtual node needs of the world. */
export interface NodeWorld {
  nowMs(): number;
  after(delayMs: number, act: () => void): void;
  leavesOf(step: number): number;
  /** A different one at each call. */
  nonce(): string;
  connect(node: VirtualNode): void;
  toCoordinator(node: VirtualNode, message: NodeToCoordinator, sums: readonly number[]): void;
  /** What this answer is off by; 0 when it is right. */
  lie(node: VirtualNode): number;
  /** It begins to compute a step. Returns the weights that it does it with: its own, or those that it shares. */
  weightsFor(node: VirtualNode, step: number): number;
  ended(node: VirtualNode, ending: string): void;
}

/** What a machine is like. */
export interface VirtualMachine {
  readonly name: string;
  readonly msPerLeaf: number;
  /** It is the coordinator's own. */
  readonly sharesMemory: boolean;
}

/** The production node on a virtual machine. */
export class VirtualNode {
  readonly name: string;
  readonly sharesMemory: boolean;
  readonly state: NodeState;
  link: Connection | undefined;
  isDead = false;
  /** The machine is frozen until then. */
  pausedUntilMs = 0;
  /** Nothing reaches the machine, or comes from it, until then. */
  isolatedUntilMs = 0;
  /** How much longer a leaf takes than at first. */
  slowness = 1;
  /** An answer is wrong with this probability. */
  lieChance = 0;
  /** Something that it computed or sent was wrong: whatever happens to it is deserved. */
  isFlawed = false;
  /** A bit of its next sums will be another when they arrive. */
  flipsNext = false;
  /** The weights in its memory; -1 before the first. */
  weights = -1;
  private readonly msPerLeaf: number;
  private readonly inbox: NodeMessage[] = [];
  private sums: readonly number[] = [];

  constructor(
    machine: VirtualMachine,
    identity: NodeIdentity,
    private readonly world: NodeWorld,
  ) {
    this.name = machine.name;
    this.msPerLeaf = machine.msPerLeaf;
    this.sharesMemory = machine.sharesMemory;
    this.state = initialState(identity);
  }

  /** Weights are one number. */
  private get weightBytes(): number | undefined {
    return this.sharesMemory ? undefined : 4;
  }

  /** It can do what it is told, and be heard, as far as anyone can see. */
  get isReachable(): boolean {
    const nowMs = this.world.nowMs();
    if (this.isDead || this.state.phase !== 'working' || this.pausedUntilMs > nowMs) return false;
    return this.link?.carries ?? false;
  }

  /** A message reaches the machine; it is read now, or when the machine goes on. */
  tell(message: NodeMessage): void {
    this.inbox.push(message);
    if (this.inbox.length === 1) this.read();
  }

  private read(): void {
    const waitMs = this.pausedUntilMs - this.world.nowMs();
    if (waitMs > 0) return this.world.after(waitMs, () => this.read());
    // A message is taken out when it has been dealt with: what comes meanwhile waits behind it.
    for (; this.inbox.length > 0; this.inbox.shift()) {
      if (this.isDead) continue;
      const { effects } = node(this.state, this.inbox[0] as NodeMessage);
      for (const effect of effects) this.perform(effect);
    }
  }

  private perform(effect: NodeEffect): void {
    const { world } = this;
    switch (effect.kind) {
      case 'connect':
        return world.after(1, () => {
          if (!this.isDead) world.connect(this);
        });
      case 'send':
        if (this.link === undefined) return;
        return world.toCoordinator(
          this,
          effect.message,
          (effect.partials ?? []).map(({ slot }) => this.sums[slot] as number),
        );
      case 'prepare':
        return world.after(1, () =>
          this.tell({ kind: 'prepared', missing: [], weightBytes: this.weightBytes }),
        );
      case 'compute':
        return this.compute(effect.work);
      case 'retry-after':
        return world.after(effect.delayMs, () => this.tell({ kind: 'retry' }));
      case 'close':
        return this.link?.close('node', 'the node left');
      case 'end':
        this.isDead = true;
        return world.ended(this, `${effect.ending}: ${effect.reason}`);
      case 'admit':
      case 'store':
      case 'notice':
        return;
      default:
        effect satisfies never;
    }
  }

  private compute({ step, range, weights }: WorkItem): void {
    if (weights !== undefined) this.weights = new DataView(weights.buffer).getUint32(0);
    const used = this.world.weightsFor(this, step);
    const computeMs = (range.to - range.from) * this.msPerLeaf * this.slowness;
    this.world.after(computeMs, () => {
      if (!this.isDead) this.computed({ step, range, weights: used, computeMs });
    });
  }

  private computed({
    step,
    range,
    weights,
    computeMs,
  }: {
    step: number;
    range: Range;
    weights: number;
    computeMs: number;
  }): void {
    const leaves = this.world.leavesOf(step);
    const nodes = maximalSubtrees(range, leaves);
    // Weights that changed under its threads leave sums of neither: nobody may need them.
    const wasLate = this.sharesMemory && this.world.weightsFor(this, step) !== weights;
    const lie = wasLate ? 1 : this.world.lie(this);
    this.sums = nodes.map((part) => {
      const sum = canonicalSum(weights, step, part, leaves);
      return lie === 0 ? sum : mix(sum, lie);
    });
    const partials = nodes.map((part, slot) => ({ node: part, slot }));
    this.tell({ kind: 'computed', step, range, partials, computeMicros: computeMs * 1000 });
  }
}
