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
  connect(node: VirtualNode): Connection;
  toCoordinator(link: Connection, message: NodeToCoordinator, sums: readonly number[]): void;
  /** What this answer is off by; 0 when it is right. */
  lie(node: VirtualNode): number;
  ended(node: VirtualNode, ending: string): void;
}

/** The production node on a virtual machine. */
export class VirtualNode {
  link: Connection | undefined;
  isDead = false;
  /** The machine is frozen until then. */
  pausedUntilMs = 0;
  /** It has computed something wrong: whatever happens to it is deserved. */
  hasLied = false;
  private readonly state: NodeState;
  private readonly inbox: NodeMessage[] = [];
  private weights = -1;
  private sums: readonly number[] = [];

  constructor(
    readonly name: string,
    identity: NodeIdentity,
    private readonly msPerLeaf: number,
    private readonly world: NodeWorld,
  ) {
    this.state = initialState(identity);
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
          if (this.isDead) return;
          this.link = world.connect(this);
          this.tell({ kind: 'opened', nonce: world.nonce() });
        });
      case 'send':
        if (this.link === undefined) return;
        return world.toCoordinator(
          this.link,
          effect.message,
          (effect.partials ?? []).map(({ slot }) => this.sums[slot] as number),
        );
      case 'prepare':
        return world.after(1, () => this.tell({ kind: 'prepared', missing: [] }));
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
    const computeMs = (range.to - range.from) * this.msPerLeaf;
    this.world.after(computeMs, () => this.computed(step, range, computeMs));
  }

  private computed(step: number, range: Range, computeMs: number): void {
    const leaves = this.world.leavesOf(step);
    const nodes = maximalSubtrees(range, leaves);
    const lie = this.world.lie(this);
    this.hasLied ||= lie !== 0;
    this.sums = nodes.map((part) => {
      const sum = canonicalSum(this.weights, step, part, leaves);
      return lie === 0 ? sum : mix(sum, lie);
    });
    const partials = nodes.map((part, slot) => ({ node: part, slot }));
    this.tell({ kind: 'computed', step, range, partials, computeMicros: computeMs * 1000 });
  }
}
