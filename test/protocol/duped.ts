import { expect } from 'vitest';
import type { SeededRandom } from '../../shared/actor/seeded-random.js';
import type { CoordinatorToNode } from '../../shared/protocol/messages.js';
import { maximalSubtrees } from '../../shared/sum/leaves.js';
import type { NodeEffect, NodeMessage, WorkItem } from '../../worker/messages.js';
import { node } from '../../worker/node.js';
import { initialState, type NodeState } from '../../worker/state.js';
import { NONCE, RIGHT_HASHES, runMessage, runSettings, TOKEN } from '../coordinator/settings.js';
import { CHALLENGE } from '../worker/script.js';
import { leavesOf, pick } from './mutation.js';

/** Bytes of the weights. */
export const WEIGHTS = 8;
const CHUNKS = runSettings().data.chunkHashes.length;
const IDENTITY = { name: 'n', backend: 'wasm', detail: '', threads: 1, token: TOKEN, selfTest: RIGHT_HASHES };

/** A node whose machine does at once what it is asked, but computes when it is let. */
export class Duped {
  readonly state: NodeState = initialState(IDENTITY);
  computing: WorkItem | undefined;
  hasEnded = false;
  computed = 0;
  private readonly stored = new Set<number>();
  private weightsStep = -1;

  constructor() {
    this.tell({ kind: 'retry' });
    this.tell({ kind: 'opened', nonce: NONCE });
  }

  tell(message: NodeMessage): void {
    const waiting: NodeMessage[] = [];
    for (const effect of node(this.state, message).effects) this.perform(effect, waiting);
    for (const next of waiting) this.tell(next);
    expect(this.state.queue.length).toBeLessThanOrEqual(256);
    expect(this.state.queue.filter(({ weights }) => weights !== undefined).length).toBeLessThanOrEqual(1);
    expect(this.state.onTheirWay.size).toBeLessThanOrEqual(8);
  }

  finishWork(): void {
    const { computing } = this;
    if (computing === undefined) return;
    this.computing = undefined;
    const { step, range } = computing;
    const nodes = maximalSubtrees(range, leavesOf(step));
    const partials = nodes.map((part, slot) => ({ node: part, slot }));
    this.tell({ kind: 'computed', step, range, partials, computeMicros: 1 });
  }

  private perform(effect: NodeEffect, waiting: NodeMessage[]): void {
    switch (effect.kind) {
      case 'prepare': {
        const missing = Array.from({ length: CHUNKS }, (_, i) => i);
        return void waiting.push({ kind: 'prepared', missing, weightBytes: WEIGHTS });
      }
      case 'store':
        expect(effect.index).toBeLessThan(CHUNKS);
        this.stored.add(effect.index);
        return void waiting.push({ kind: 'stored', index: effect.index, sound: true });
      case 'send':
        if (effect.message.kind === 'ready') expect(this.stored.size).toBe(CHUNKS);
        return;
      case 'compute': {
        const { step, range, weights } = effect.work;
        expect(this.computing).toBeUndefined();
        expect(range.to).toBeLessThanOrEqual(leavesOf(step));
        if (weights !== undefined) this.weightsStep = step;
        expect(weights?.length ?? WEIGHTS).toBe(WEIGHTS);
        expect(this.weightsStep).toBe(step);
        this.computing = effect.work;
        this.computed += 1;
        return;
      }
      case 'end':
        this.hasEnded = true;
    }
  }
}

/** What a coordinator would say next, or, now and then, something else. */
export function nextOf({ state }: Duped, random: SeededRandom): CoordinatorToNode {
  const [chunk = 0] = state.onTheirWay;
  const step = random.below(6);
  const from = random.below(leavesOf(step));
  const range = { from, to: from + 1 + random.below(leavesOf(step) - from) };
  const work = {
    kind: 'work',
    step,
    range,
    weights: state.weightsStep !== step || random.chance(0.2),
  } as const;
  const all: CoordinatorToNode[] = [
    CHALLENGE,
    runMessage(),
    { kind: 'chunk', index: chunk },
    { kind: 'chunk', index: random.below(CHUNKS + 1) },
    work,
    { kind: 'ping', id: 1 },
    { kind: 'stop', reason: 'x' },
  ];
  if (random.chance(0.05)) return pick(random, all);
  switch (state.phase) {
    case 'greeting':
      return state.handshake === undefined ? CHALLENGE : runMessage();
    case 'fetching':
      return { kind: 'chunk', index: chunk };
    default:
      return work;
  }
}
