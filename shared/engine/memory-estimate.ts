import type { Plan } from '../compiler/plan.js';
import { chunkBytes, type Manifest } from '../data/manifest.js';
import { innerBatch } from '../data/step-shape.js';
import { type ReplicaRule, replicaFloats } from './local/replica-executor.js';
import { resultLayout, roundBytes } from './local/round-memory.js';
import { COMMAND_BUFFER_BYTES } from './step/command-buffer-cache.js';
import type { SumCodec } from './step/sum-codec.js';

/** Epoch orders that exist at once: two in shared memory, and one that is being computed. */
const ORDERS = 3;
/** Bytes of segments that a link holds in each direction, at most. */
const LINK_BYTES = 8 * 2 ** 20;

/** What decides how much memory a run takes on a machine. */
export interface RunSize {
  readonly plan: Pick<
    Plan,
    'parameters' | 'parameterFloats' | 'trainedFloats' | 'gradientFloats' | 'vectorFloats' | 'scratchBytes'
  >;
  readonly data: Manifest;
  readonly batch: number;
  readonly leafSize: number;
  readonly leavesPerGroup: number;
  readonly threads: number;
  /** Of local updates; undefined: every step is one batch. */
  readonly rule?: ReplicaRule | undefined;
  /** How partial sums and updates are encoded; left out: they are float32, and weights are sent instead of updates. */
  readonly codec?: SumCodec | undefined;
  /** The optimizer's vectors, where the machine updates its weights. */
  readonly stateVectors?: number;
}

/**
 * The least memory with which a machine can work for a run, in bytes: the data set, the weights, and for each thread what
 * it needs to compute the smallest range that can be assigned. Larger ranges need more. Allocates nothing.
 */
export function leastBytes({
  plan,
  data,
  batch,
  leafSize,
  leavesPerGroup,
  threads,
  rule,
  codec,
  stateVectors = 0,
}: RunSize): number {
  const { samples, recordBytes, overlapBytes = 0, chunkHashes } = data;
  const records = samples * recordBytes + chunkHashes.length * (overlapBytes + 4) + ORDERS * samples * 4;
  const rows = Math.min(leavesPerGroup * leafSize, innerBatch({ batch, local: rule?.local }));
  const sum = plan.vectorFloats * 4 + (codec?.sumBytes ?? 0);
  const thread = plan.scratchBytes(rows) + sum + COMMAND_BUFFER_BYTES;
  if (rule === undefined) {
    // The gradient that an update decodes to.
    const update = codec === undefined ? 0 : codec.updateBytes + plan.vectorFloats * 4;
    return records + (1 + stateVectors) * plan.parameterFloats * 4 + update + threads * thread;
  }
  const vectors = replicaFloats(plan, rule) + resultLayout(plan, rule).floats;
  // With a codec, an update and the change that it decodes to.
  const update = rule.codec === undefined ? 0 : rule.codec.updateBytes + plan.parameterFloats * 4;
  return records + roundBytes(plan, rule) + vectors * 4 + update + COMMAND_BUFFER_BYTES + threads * thread;
}

/**
 * Bytes that a run's link may hold: a chunk of its data, or one set of weights that came while others were in use, with segments
 * in both directions.
 */
export function linkBytes({
  plan,
  data,
  rule,
  stateVectors = 0,
}: Pick<RunSize, 'plan' | 'data' | 'rule' | 'stateVectors'>): number {
  const state = rule === undefined ? (1 + stateVectors) * plan.parameterFloats * 4 : roundBytes(plan, rule);
  const sum = rule === undefined ? plan.vectorFloats * 4 : resultLayout(plan, rule).floats * 4;
  return Math.max(chunkBytes(data, 0), state + Math.min(state, LINK_BYTES) + Math.min(sum, LINK_BYTES));
}
