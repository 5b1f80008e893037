import type { PartialSum } from '../../shared/engine/step/partial-sum-addition.js';
import { type CoordinatorToWorker, PROTOCOL_VERSION } from '../../shared/protocol/messages.js';
import { cutVector } from '../../shared/reduction/segments.js';
import { type LeafRange, maximalSubtrees } from '../../shared/reduction/tree.js';
import type { WorkerEffect, WorkerMessage } from '../../worker/messages.js';
import { createWorkerState, type WorkerState, workerTransition } from '../../worker/transition.js';
import { NONCE, RIGHT_HASHES, RUN_ID, runMessage, TOKEN } from '../coordinator/settings.js';

export const CHALLENGE: CoordinatorToWorker = {
  kind: 'challenge',
  version: PROTOCOL_VERSION,
  run: RUN_ID,
  nonce: NONCE,
};
const WEIGHTS = new Uint8Array(8);
/** How weights are cut: they travel whole. */
export const CUT = cutVector(WEIGHTS.length);

/** A worker under test: the test plays the coordinator and the machine, and reads the worker's effects. */
export class Script {
  readonly state: WorkerState = createWorkerState({
    name: 'a',
    backend: 'wasm',
    detail: 'relaxed-simd',
    threads: 1,
    token: TOKEN,
    selfTest: RIGHT_HASHES,
  });

  /** The latest run that it was admitted to. */
  run = runMessage();

  tell(message: WorkerMessage): readonly WorkerEffect[] {
    return workerTransition(this.state, message).effects;
  }

  hears(message: CoordinatorToWorker, payload: Uint8Array = new Uint8Array(0)): readonly WorkerEffect[] {
    if (message.kind === 'run') this.run = message;
    return this.tell({ kind: 'received', message, payload });
  }

  /** Connects and is admitted to a run, which is not prepared yet. */
  joins(run = runMessage()): this {
    this.tell({ kind: 'connect' });
    this.tell({ kind: 'opened', nonce: NONCE });
    this.hears(CHALLENGE);
    this.hears(run);
    return this;
  }

  /** The run is prepared, and these chunks of its data are missing. */
  isPrepared(missing: readonly number[]): readonly WorkerEffect[] {
    return this.tell({ kind: 'prepared', run: this.run, missing, weights: { count: 1, cut: CUT } });
  }

  /** Joins a run whose data is here. */
  isReady(): this {
    this.joins();
    this.isPrepared([]);
    return this;
  }

  /** Is assigned a range, with weights unless told otherwise. */
  works(step: number, range: LeafRange, weights = true): readonly WorkerEffect[] {
    return this.hears({ kind: 'work', step, range, weights }, weights ? WEIGHTS : undefined);
  }

  computed(step: number, range: LeafRange): readonly WorkerEffect[] {
    return this.tell({ kind: 'computed', step, range, partialSums: sums(range), computeMicros: 7 });
  }
}

function sums(range: LeafRange): PartialSum[] {
  return maximalSubtrees(range, 8).map((node, buffer) => ({ node, buffer }));
}

/** The effect that sends the partial sums of a range. */
export function sent(step: number, range: LeafRange): WorkerEffect {
  const nodes = maximalSubtrees(range, 8);
  return {
    kind: 'send',
    message: { kind: 'partial-sums', step, range, nodes, computeMicros: 7 },
    partialSums: sums(range),
  };
}

/** The effects that begin a range. */
export function compute(step: number, range: LeafRange, withWeights = true): WorkerEffect[] {
  const brings = withWeights ? 'weights' : undefined;
  const work = { step, range, brings, isRehearsed: false } as const;
  const loads: WorkerEffect[] = [
    { kind: 'expect', what: 'weights' },
    { kind: 'load', place: { vector: 0, index: 0 }, bytes: WEIGHTS },
  ];
  return [...(withWeights ? loads : []), { kind: 'compute', work }];
}
