import { chunkBytes, type Manifest } from '../data/manifest.js';
import type { Plan } from '../graph/plan.js';
import { TAPE_BYTES } from './tape-store.js';

/** Epochs' orders of samples: two that lie in memory, and one that is being made. */
const ORDERS = 3;
/** Vectors on a link: weights that arrive and weights that wait, a spare for the next, and sums that go out. */
const WIRE_VECTORS = 4;

/** What decides how much memory a run takes on a machine. */
export interface RunSize {
  readonly plan: Pick<Plan, 'parameterFloats' | 'vectorFloats' | 'scratchBytes'>;
  readonly data: Manifest;
  readonly batch: number;
  readonly leafSize: number;
  readonly granule: number;
  readonly threads: number;
}

/**
 * The least memory in which a machine can work for a run, in bytes: the data set, the weights, and for each thread room
 * to compute as little as can be handed out. Larger shares take more. Known before anything is laid out.
 */
export function leastBytes({ plan, data, batch, leafSize, granule, threads }: RunSize): number {
  const { samples, recordBytes, overlapBytes = 0, chunkHashes } = data;
  const records = samples * recordBytes + chunkHashes.length * (overlapBytes + 4) + ORDERS * samples * 4;
  const rows = Math.min(granule * leafSize, batch);
  const thread = plan.scratchBytes(rows) + plan.vectorFloats * 4 + TAPE_BYTES;
  return records + plan.parameterFloats * 4 + threads * thread;
}

/** Bytes that a run's link may hold: a chunk of its data, or weights and sums. */
export function linkBytes({ plan, data }: Pick<RunSize, 'plan' | 'data'>): number {
  return Math.max(chunkBytes(data, 0), WIRE_VECTORS * plan.vectorFloats * 4);
}
