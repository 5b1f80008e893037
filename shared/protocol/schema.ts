/*
 * The shape of every message as it comes over a wire, field by field. Objects are strict: a field too many is as wrong
 * as one too few. The types on the left hold these schemas to messages.ts.
 */
import * as v from 'valibot';
import { CHUNKS_MAX, ManifestSchema } from '../data/manifest.js';
import { LEAVES_MAX } from '../sum/leaves.js';
import { count, identifier, integer, name, nonce, reason, sha256, step, version } from './fields.js';
import {
  BATCH_MAX,
  COMPUTE_MICROS_MAX,
  LEVEL_MAX,
  MODEL_DEPTH_MAX,
  MODEL_VALUES_MAX,
  NEED_CHUNKS_MAX,
  PARTIAL_NODES_MAX,
  SELF_TEST_MAX,
  THREADS_MAX,
} from './limits.js';
import type { CoordinatorToNode, NodeToCoordinator } from './messages.js';

const range = v.pipe(
  v.strictObject({ from: integer(0, LEAVES_MAX), to: integer(1, LEAVES_MAX) }),
  v.check(({ from, to }) => from < to, 'is empty'),
);

const node = v.strictObject({ level: integer(0, LEVEL_MAX), index: integer(0, LEAVES_MAX - 1) });

const settings = v.pipe(
  v.strictObject({
    seed: integer(0, Number.MAX_SAFE_INTEGER),
    batch: integer(1, BATCH_MAX),
    leafSize: integer(1, BATCH_MAX),
    granule: integer(1, LEAVES_MAX),
  }),
  v.check(({ batch, leafSize }) => leafSize <= batch, 'has a leaf size that exceeds the batch'),
  v.check(({ batch, leafSize }) => Math.ceil(batch / leafSize) <= LEAVES_MAX, 'has too many leaves'),
);

const model = v.pipe(
  v.unknown(),
  v.check((value) => value !== undefined && isBounded(value), 'is nested too deeply or too large'),
);

/** Whoever walks the model later may recurse: depth and size are bounded before. */
function isBounded(value: unknown): boolean {
  let level: unknown[] = [value];
  let values = 1;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MODEL_DEPTH_MAX || values > MODEL_VALUES_MAX) return false;
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
    values += level.length;
  }
  return true;
}

/** What a coordinator sends. */
export const CoordinatorToNodeSchema: v.GenericSchema<unknown, CoordinatorToNode> = v.variant('kind', [
  v.strictObject({ kind: v.literal('challenge'), version, run: identifier, nonce }),
  v.strictObject({
    kind: v.literal('run'),
    memberId: identifier,
    proof: sha256,
    model,
    settings,
    data: ManifestSchema,
  }),
  v.strictObject({ kind: v.literal('chunk'), index: integer(0, CHUNKS_MAX - 1) }),
  v.strictObject({ kind: v.literal('work'), step, range, weights: v.boolean() }),
  v.strictObject({ kind: v.literal('refuse'), reason }),
  v.strictObject({ kind: v.literal('stop'), reason }),
  v.strictObject({ kind: v.literal('ping'), id: count }),
]);

/** What a node sends. Slots are not among it: they mean something only within one process. */
export const NodeToCoordinatorSchema: v.GenericSchema<unknown, NodeToCoordinator> = v.variant('kind', [
  v.strictObject({
    kind: v.literal('hello'),
    version,
    nonce,
    proof: sha256,
    name,
    backend: name,
    detail: name,
    threads: integer(1, THREADS_MAX),
    selfTest: v.pipe(
      v.array(v.strictObject({ kernel: name, hash: sha256 })),
      v.minLength(1),
      v.maxLength(SELF_TEST_MAX),
    ),
  }),
  v.strictObject({
    kind: v.literal('need'),
    chunks: v.pipe(v.array(integer(0, CHUNKS_MAX - 1)), v.minLength(1), v.maxLength(NEED_CHUNKS_MAX)),
  }),
  v.strictObject({ kind: v.literal('ready') }),
  v.strictObject({
    kind: v.literal('partials'),
    step,
    range,
    nodes: v.pipe(v.array(node), v.minLength(1), v.maxLength(PARTIAL_NODES_MAX)),
    computeMicros: v.pipe(v.number(), v.minValue(0), v.maxValue(COMPUTE_MICROS_MAX)),
  }),
  v.strictObject({ kind: v.literal('leave'), reason }),
  v.strictObject({ kind: v.literal('pong'), id: count }),
  v.strictObject({ kind: v.literal('failed'), step, reason }),
]);
