/*
 * The schema of every message from a network, field by field. Objects are strict: an additional field is as wrong as a
 * missing one. The compiler compares these schemas with the types of messages.ts.
 */
import * as v from 'valibot';
import { COMPRESSIONS } from '../codec/codec.js';
import { CHUNKS_MAX, ManifestSchema } from '../data/manifest.js';
import { ClippingSchema } from '../optim/clipping.js';
import { GradientNoiseSchema } from '../optim/gradient-noise.js';
import { LocalUpdatesSchema, REPLICAS_MAX } from '../optim/local-updates.js';
import { OptimizerSchema } from '../optim/settings.js';
import { LEAVES_MAX } from '../reduction/tree.js';
import {
  base64url,
  count,
  identifier,
  integer,
  name,
  nonce,
  reason,
  sha256,
  step,
  version,
} from './fields.js';
import {
  BATCH_MAX,
  COMPUTE_MICROS_MAX,
  LEVEL_MAX,
  MODEL_DEPTH_MAX,
  MODEL_VALUES_MAX,
  NEED_CHUNKS_MAX,
  PARTIAL_NODES_MAX,
  PARTS_MAX,
  PATH_IDS_MAX,
  RETRY_AFTER_MS_MAX,
  SEGMENTS_MAX,
  SELF_TEST_MAX,
  THREADS_MAX,
} from './limits.js';
import type { CoordinatorToWorker, WorkerToCoordinator } from './messages.js';

/** Ids of members, as a relay gives them. */
const PATH = /^[A-Za-z0-9_-]{1,24}(?:\/[A-Za-z0-9_-]{1,24})*$/;

const range = v.pipe(
  v.strictObject({ from: integer(0, LEAVES_MAX), to: integer(1, LEAVES_MAX) }),
  v.check(({ from, to }) => from < to, 'is empty'),
);

const node = v.strictObject({ level: integer(0, LEVEL_MAX), index: integer(0, LEAVES_MAX - 1) });

const place = { vector: integer(0, PARTIAL_NODES_MAX - 1), index: integer(0, SEGMENTS_MAX - 1) };

const path = v.pipe(
  v.string(),
  v.check(
    (text) => text.split('/', PATH_IDS_MAX + 1).length <= PATH_IDS_MAX && PATH.test(text),
    'is no path of a member',
  ),
);

const settings = v.pipe(
  v.strictObject({
    seed: integer(0, Number.MAX_SAFE_INTEGER),
    batch: integer(1, BATCH_MAX),
    leafSize: integer(1, BATCH_MAX),
    leavesPerGroup: integer(1, LEAVES_MAX),
    local: v.optional(
      v.strictObject({
        ...LocalUpdatesSchema.entries,
        optimizer: OptimizerSchema,
        clipping: v.optional(ClippingSchema),
        codec: v.optional(v.picklist(COMPRESSIONS)),
      }),
    ),
  }),
  v.check(
    ({ batch, local }) => batch % (local?.replicas ?? 1) === 0,
    'has a batch that replicas do not divide',
  ),
  v.check(({ batch, leafSize }) => leafSize <= batch, 'has a leaf size that exceeds the batch'),
  v.check(({ batch, leafSize }) => Math.ceil(batch / leafSize) <= LEAVES_MAX, 'has too many leaves'),
);

const model = v.pipe(
  v.unknown(),
  v.check((value) => value !== undefined && isBounded(value), 'is nested too deeply or too large'),
);

const compression = v.strictObject({
  codec: v.picklist(COMPRESSIONS),
  optimizer: OptimizerSchema,
  clipping: v.optional(ClippingSchema),
  gradientNoise: v.optional(GradientNoiseSchema),
});

/** Bounds depth and size of a model before anything else reads it, since later code recurses. */
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
export const CoordinatorToWorkerSchema: v.GenericSchema<unknown, CoordinatorToWorker> = v.variant('kind', [
  v.strictObject({ kind: v.literal('challenge'), version, run: identifier, nonce }),
  v.strictObject({
    kind: v.literal('run'),
    memberId: identifier,
    proof: sha256,
    model,
    settings,
    data: ManifestSchema,
    compression: v.optional(compression),
    audits: v.exactOptional(v.literal(true)),
  }),
  v.strictObject({
    kind: v.literal('chunk'),
    index: integer(0, CHUNKS_MAX - 1),
    isDeflated: v.exactOptional(v.literal(true)),
  }),
  v.strictObject({ kind: v.literal('fetch') }),
  v.pipe(
    v.strictObject({
      ...{ kind: v.literal('work'), step, range, weights: v.boolean() },
      update: v.optional(v.picklist(['apply', 'rehearse'])),
      rehearses: v.exactOptional(v.literal(true)),
    }),
    v.check(({ weights, update }) => !weights || update === undefined, 'has two payloads'),
  ),
  v.strictObject({ kind: v.literal('segment'), step, ...place }),
  v.strictObject({ kind: v.literal('cancel'), step }),
  v.strictObject({ kind: v.literal('expel'), path, step, range, hash: sha256, rightHash: sha256 }),
  v.strictObject({ kind: v.literal('placement'), state: v.picklist(['active', 'standby']), reason }),
  v.strictObject({
    kind: v.literal('refuse'),
    reason,
    retryAfterMs: v.exactOptional(integer(0, RETRY_AFTER_MS_MAX)),
  }),
  v.strictObject({ kind: v.literal('stop'), reason, isUnfinished: v.exactOptional(v.literal(true)) }),
  v.strictObject({ kind: v.literal('ping'), id: count }),
]);

/** What a worker sends. `buffers` is not allowed: it has a meaning only within one process. */
export const WorkerToCoordinatorSchema: v.GenericSchema<unknown, WorkerToCoordinator> = v.variant('kind', [
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
    machine: v.exactOptional(v.strictObject({ key: base64url(43), signature: base64url(86) })),
  }),
  v.strictObject({
    kind: v.literal('need'),
    chunks: v.pipe(v.array(integer(0, CHUNKS_MAX - 1)), v.minLength(1), v.maxLength(NEED_CHUNKS_MAX)),
  }),
  v.strictObject({ kind: v.literal('ready'), lacksData: v.exactOptional(v.literal(true)) }),
  v.strictObject({ kind: v.literal('segment'), step, range, ...place }),
  v.strictObject({
    kind: v.literal('partial-sums'),
    step,
    range,
    nodes: v.pipe(v.array(node), v.minLength(1), v.maxLength(PARTIAL_NODES_MAX)),
    computeMicros: v.pipe(v.number(), v.minValue(0), v.maxValue(COMPUTE_MICROS_MAX)),
    concurrency: v.exactOptional(integer(1, REPLICAS_MAX)),
    parts: v.exactOptional(
      v.pipe(v.array(v.strictObject({ path, name, range, hash: sha256 })), v.maxLength(PARTS_MAX)),
    ),
  }),
  v.strictObject({ kind: v.literal('retract'), step, range }),
  v.strictObject({ kind: v.literal('cancelled'), step }),
  v.strictObject({ kind: v.literal('leave'), reason }),
  v.strictObject({ kind: v.literal('pong'), id: count }),
  v.strictObject({ kind: v.literal('failed'), step, reason }),
]);
