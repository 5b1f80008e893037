import type { SeededRandom } from '../shared/actor/seeded-random.js';
import type { VirtualWorker } from './virtual-worker.js';

/* Faults of workers' machines and of their connections. */

/** What a fault needs of the virtual cluster. */
interface FaultEnvironment {
  readonly clock: { nowMs(): number };
  readonly random: SeededRandom;
}

/** Cuts the worker's connection. Both ends notice after some time. */
export function cut({ link }: VirtualWorker): void {
  link?.cut('the cable was pulled');
}

/** Breaks the worker's end of its connection, so that it connects again while the coordinator still uses the old connection. */
export function halfOpen({ random }: FaultEnvironment, { link }: VirtualWorker, ms: number): void {
  link?.breakWorkerEnd(ms, () => random.chance(0.5));
}

/** Delays everything to and from these workers for a while. */
export function isolate({ clock }: FaultEnvironment, workers: readonly VirtualWorker[], ms: number): void {
  for (const worker of workers) {
    worker.isolatedUntilMs = Math.max(worker.isolatedUntilMs, clock.nowMs() + ms);
    for (const link of worker.links) link.stall(ms);
  }
}

/** Freezes the machine for a while. It then continues with what was sent to it meanwhile. */
export function pause({ clock }: FaultEnvironment, worker: VirtualWorker, ms: number): void {
  worker.pausedUntilMs = clock.nowMs() + ms;
}

/** Ends the machine. @param isSilent no end of its connections is noticed, as after a loss of power; else they break */
export function crash(worker: VirtualWorker, isSilent: boolean): void {
  worker.isDead = true;
  for (const link of worker.links) {
    if (isSilent) link.stall(Number.MAX_SAFE_INTEGER);
    else link.cut('the machine is gone');
  }
}

/** Flips bits of the weights in the worker's memory. */
export function flipMemory({ random }: FaultEnvironment, worker: VirtualWorker): void {
  if (worker.weights < 0) return;
  worker.isFlawed = true;
  worker.weights = flipBits(worker.weights, random);
}

/** Flips bits of the next sums that the worker sends, on their way. */
export function flipPayload(worker: VirtualWorker): void {
  worker.flipsNext = true;
}

/** Sums of which one has flipped bits. */
export function flipped(
  worker: Pick<VirtualWorker, 'isFlawed' | 'flipsNext'>,
  sums: readonly number[],
  random: SeededRandom,
): readonly number[] {
  worker.flipsNext = false;
  worker.isFlawed = true;
  const at = random.below(sums.length);
  return sums.map((sum, i) => (i === at ? flipBits(sum, random) : sum));
}

/**
 * Flips several of the 32 bits of a word. A word stands for a vector of thousands of values, in which two machines do not
 * have the same bit flipped; with a single flipped bit, two faulty workers would agree now and then, and be trusted.
 */
function flipBits(word: number, random: SeededRandom): number {
  return (word ^ (random.next() | 1)) >>> 0;
}
