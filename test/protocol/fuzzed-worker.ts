import { expect } from 'vitest';
import type { SeededRandom } from '../../shared/actor/seeded-random.js';
import type { CoordinatorToWorker } from '../../shared/protocol/messages.js';
import { cutVector } from '../../shared/reduction/segments.js';
import { maximalSubtrees } from '../../shared/reduction/tree.js';
import type { WorkerEffect, WorkerMessage, WorkItem } from '../../worker/messages.js';
import { createWorkerState, type WorkerState, workerTransition } from '../../worker/transition.js';
import { NONCE, RIGHT_HASHES, runMessage, runSettings, TOKEN } from '../coordinator/settings.js';
import { CHALLENGE } from '../worker/script.js';
import { leavesOf, pick } from './mutation.js';

/** Weights have two segments of four bytes. */
const CUT = cutVector(8, [], 4);
const CHUNKS = runSettings().data.chunkHashes.length;
const IDENTITY = { name: 'n', backend: 'wasm', detail: '', threads: 1, token: TOKEN, selfTest: RIGHT_HASHES };

/** A worker whose machine performs its effects at once, and computes when the test says so. */
export class FuzzedWorker {
  readonly state: WorkerState = createWorkerState(IDENTITY);
  computing: WorkItem | undefined;
  hasEnded = false;
  computed = 0;
  /** The first segment of the weights that has not come. */
  nextSegment = 0;
  private readonly stored = new Set<number>();
  private weightsStep = -1;
  /** Segments of the weights that are not in place. */
  private missing = 0;

  constructor() {
    this.tell({ kind: 'connect' });
    this.tell({ kind: 'opened', nonce: NONCE });
  }

  tell(message: WorkerMessage): void {
    const waiting: WorkerMessage[] = [];
    const work = message.kind === 'received' && message.message.kind === 'work' && message.message;
    if (work && work.weights === true) this.nextSegment = 0;
    if (message.kind === 'received' && message.message.kind === 'segment') this.nextSegment += 1;
    const isEarly = work && !work.rehearses && this.stored.size < CHUNKS;
    for (const effect of workerTransition(this.state, message).effects) this.perform(effect, waiting);
    for (const next of waiting) this.tell(next);
    // Its sums would be of stand-ins for samples.
    if (isEarly) expect(this.hasEnded).toBe(true);
    expect(this.state.workQueue.waiting.length).toBeLessThanOrEqual(256);
    expect(
      this.state.workQueue.waiting.filter(({ brings }) => brings !== undefined).length,
    ).toBeLessThanOrEqual(1);
    expect(this.state.dataFetch.requested.size).toBeLessThanOrEqual(8);
  }

  finishWork(): void {
    const { computing } = this;
    if (computing === undefined || this.missing > 0) return;
    this.computing = undefined;
    const { step, range } = computing;
    const nodes = maximalSubtrees(range, leavesOf(step));
    const partialSums = nodes.map((part, buffer) => ({ node: part, buffer }));
    this.tell({ kind: 'computed', step, range, partialSums, computeMicros: 1 });
  }

  private perform(effect: WorkerEffect, waiting: WorkerMessage[]): void {
    switch (effect.kind) {
      case 'prepare': {
        const missing = Array.from({ length: CHUNKS }, (_, i) => i);
        return void waiting.push({
          kind: 'prepared',
          run: effect.run,
          missing,
          weights: { count: 1, cut: CUT },
        });
      }
      case 'store':
        expect(effect.index).toBeLessThan(CHUNKS);
        this.stored.add(effect.index);
        return void waiting.push({ kind: 'stored', index: effect.index, isValid: true });
      case 'send':
        if (effect.message.kind === 'ready')
          expect(this.stored.size).toBe(effect.message.lacksData ? 1 : CHUNKS);
        return;
      case 'expect':
        expect(this.computing).toBeUndefined();
        this.missing = 2;
        return;
      case 'load':
        expect(effect.bytes.length).toBe(4);
        expect(effect.place.vector).toBe(0);
        this.missing -= 1;
        expect(this.missing).toBeGreaterThanOrEqual(0);
        return;
      case 'stop-waiting':
        expect(this.missing).toBeGreaterThan(0);
        expect(this.computing).toBeDefined();
        this.missing = 0;
        return;
      case 'compute': {
        const { step, range, brings } = effect.work;
        expect(this.computing).toBeUndefined();
        expect(range.to).toBeLessThanOrEqual(leavesOf(step));
        if (brings !== undefined) this.weightsStep = step;
        else expect(this.missing).toBe(0);
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

/** What a correct coordinator would send next, or sometimes another message. */
export function nextOf({ state, nextSegment }: FuzzedWorker, random: SeededRandom): CoordinatorToWorker {
  const [chunk] = state.dataFetch.requested;
  const { delivery, weightsStep } = state.workQueue;
  const step = random.below(6);
  const from = random.below(leavesOf(step));
  const range = { from, to: from + 1 + random.below(leavesOf(step) - from) };
  const work = {
    kind: 'work',
    step,
    range,
    weights: weightsStep !== step || random.chance(0.2),
  } as const;
  const segment = (index: number) =>
    ({ kind: 'segment', step: delivery?.step ?? step, vector: 0, index }) as const;
  const all: CoordinatorToWorker[] = [
    CHALLENGE,
    runMessage(),
    { kind: 'fetch' },
    { kind: 'chunk', index: random.below(CHUNKS + 1) },
    work,
    segment(random.below(3)),
    { kind: 'ping', id: 1 },
    { kind: 'stop', reason: 'x' },
  ];
  if (random.chance(0.05)) return pick(random, all);
  switch (state.phase) {
    case 'awaiting-challenge':
      return CHALLENGE;
    case 'awaiting-run':
      return runMessage();
    case 'fetching':
      return { kind: 'chunk', index: chunk ?? 0 };
    default:
      if (delivery?.arrival.isComplete === false && random.chance(0.9)) return segment(nextSegment);
      if (chunk !== undefined) return { kind: 'chunk', index: chunk };
      if (state.dataFetch.later.length === 0) return work;
      return random.chance(0.5) ? { kind: 'fetch' } : { ...work, rehearses: true };
  }
}
