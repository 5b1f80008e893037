import type { NodeToCoordinator } from '../../shared/protocol/messages.js';
import { maximalSubtrees, type Node, type Range } from '../../shared/sum/leaves.js';
import type { NodeEffect, NodeMessage } from '../../worker/messages.js';
import { node } from '../../worker/node.js';
import { initialState, type NodeState } from '../../worker/state.js';
import { NONCE, RIGHT_HASHES, runSettings, TOKEN } from './settings.js';

/** The canonical sum of a node of the tree as an expression over its leaves, by the definition of the tree. */
export function expression(step: number, { level, index }: Node, leaves: number): string {
  if (level === 0) return `s${step}.${index}`;
  const left = expression(step, { level: level - 1, index: 2 * index }, leaves);
  const right = { level: level - 1, index: 2 * index + 1 };
  return right.index * 2 ** right.level >= leaves ? left : `(${left}+${expression(step, right, leaves)})`;
}

/** What a simulated node needs of the world. */
export interface World {
  /** Leaves of a step's batch. */
  leavesOf(step: number): number;
  /** Does something later; what is put off on one channel happens in order. */
  later(channel: string, act: () => void): void;
  /** Opens a link. */
  connect(node: SimulatedNode): string;
  /** A message goes to the coordinator, with the sums that it carries. */
  toCoordinator(link: string, message: NodeToCoordinator, sums: readonly string[]): void;
  /** The node hangs up. */
  hangUp(link: string): void;
}

/** A node as a pure machine, with expressions in place of vectors. */
export class SimulatedNode {
  readonly state: NodeState;
  /** How its life ended. */
  ending: string | undefined;
  private link: string | undefined;
  private readonly chunks = new Set<number>();
  /** The step whose weights it holds. */
  private weightsStep = -1;
  /** What it computed last, by slot. */
  private sums: string[] = [];

  constructor(
    readonly name: string,
    readonly sharesMemory: boolean,
    threads: number,
    private readonly world: World,
  ) {
    const machine = { backend: 'wasm', detail: 'simulated', threads, selfTest: RIGHT_HASHES };
    this.state = initialState({ name, token: TOKEN, ...machine });
  }

  tell(message: NodeMessage): void {
    for (const effect of node(this.state, message).effects) this.perform(effect);
  }

  /** The link is gone, by whomever. */
  cut(link: string, reason: string): void {
    if (this.link === link) this.tell({ kind: 'closed', reason });
  }

  private perform(effect: NodeEffect): void {
    const { world, name } = this;
    const soon = (message: NodeMessage): void => world.later(`${name} by itself`, () => this.tell(message));
    switch (effect.kind) {
      case 'connect':
        return world.later(`${name} by itself`, () => {
          this.link = world.connect(this);
          this.tell({ kind: 'opened', nonce: NONCE });
        });
      case 'send':
        if (this.link === undefined) return;
        return world.toCoordinator(
          this.link,
          effect.message,
          (effect.partials ?? []).map(({ slot }) => this.sums[slot] as string),
        );
      case 'prepare': {
        const all = runSettings().data.chunkHashes.map((_, i) => i);
        return soon({
          kind: 'prepared',
          missing: this.sharesMemory ? [] : all.filter((i) => !this.chunks.has(i)),
          weightBytes: this.sharesMemory ? undefined : 1,
        });
      }
      case 'store':
        this.chunks.add(effect.index);
        return soon({ kind: 'stored', index: effect.index, sound: true });
      case 'compute': {
        const { step, range, weights } = effect.work;
        if (weights !== undefined) this.weightsStep = weights[0] as number;
        return this.compute(step, range);
      }
      case 'retry-after':
        return soon({ kind: 'retry' });
      case 'close':
        if (this.link !== undefined) world.hangUp(this.link);
        return;
      case 'end':
        this.ending = `${effect.ending}: ${effect.reason}`;
        return;
    }
  }

  private compute(step: number, range: Range): void {
    if (!this.sharesMemory && this.weightsStep !== step)
      throw new Error(`${this.name} computes step ${step} with the weights of ${this.weightsStep}`);
    const leaves = this.world.leavesOf(step);
    this.world.later(`${this.name} computes`, () => {
      const nodes = maximalSubtrees(range, leaves);
      this.sums = nodes.map((part) => expression(step, part, leaves));
      const partials = nodes.map((part, slot) => ({ node: part, slot }));
      this.tell({ kind: 'computed', step, range, partials, computeMicros: 1 });
    });
  }
}
