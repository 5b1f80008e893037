import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';
import { answerSegmentsMax } from '../coordinator/membership/frame-limits.js';
import type { RunSettings } from '../coordinator/state/run-settings.js';
import { EXPECTED_HASHES } from '../shared/kernels/self-test/self-test-hashes.js';
import { proveMachine } from '../shared/link/machine-key.js';
import { adam } from '../shared/optim/adam.js';
import { sgd } from '../shared/optim/sgd.js';
import { leavesPerCut, shardLevelOf } from '../shared/reduction/shards.js';
import { leafCount } from '../shared/reduction/tree.js';
import type { WorkerIdentity } from '../worker/connection.js';
import type { VirtualCodec } from './arithmetic.js';
import type { Scenario } from './plan.js';
import { NUMBER_CUT } from './vectors.js';

const TOKEN = 't'.repeat(22);

const SELF_TEST = Object.entries(EXPECTED_HASHES).map(([kernel, hash]) => ({ kernel, hash }));

/** PKCS #8 of an Ed25519 key, up to its 32 random bytes. */
const ED25519_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

const LEAF_SIZE = 4;
const LEAVES_MIN = 12;
/** Chunks of the data: the first, and those that a worker fetches later. */
export const CHUNKS = 3;

/** The codec of a run, as the simulation's arithmetic has it; undefined: there is none. */
export function virtualCodec(
  { compress, local }: Pick<Scenario, 'compress' | 'local'>,
  batch: number,
): VirtualCodec | undefined {
  if (compress === undefined) return undefined;
  if (local !== undefined) return { shardLevel: undefined, keepsResidual: true };
  return { shardLevel: shardLevelOf(leafCount(batch, LEAF_SIZE)), keepsResidual: compress === 'int4' };
}

/** The settings of a run of which only the sums matter: epochs of three steps, the last of which has a ragged leaf. */
export function simulatedSettings(scenario: Scenario): RunSettings {
  const { seed, workers, locals, steps, audit, minWorkers, saveEvery, leaves } = scenario;
  const { placement, best, local, compress, exchangeBytes = 8 } = scenario;
  const wire = compress && { codec: compress };
  const cuts = leaves ?? Math.max(LEAVES_MIN, 2 * (workers + locals));
  const batch = LEAF_SIZE * cuts * (local?.replicas ?? 1);
  const codec = virtualCodec(scenario, batch);
  const samples = leaves === undefined ? 2 * batch + Math.ceil(batch / 2) + 1 : batch * steps;
  return {
    model: {},
    data: {
      name: 'simulated',
      samples,
      chunkSamples: Math.ceil(samples / CHUNKS),
      recordBytes: 4,
      fields: { x: { dtype: 'f32', shape: [], offset: 0, scale: 1, shift: 0 } },
      chunkHashes: Array.from({ length: CHUNKS }, () => '0'.repeat(64)),
    },
    runId: 'simulated',
    token: TOKEN,
    seed,
    batch,
    leafSize: LEAF_SIZE,
    leavesPerGroup: leavesPerCut(1, codec?.shardLevel),
    ...(wire && !local && { compression: { ...wire, optimizer: adam() }, shardLevel: codec?.shardLevel }),
    samples,
    steps,
    optimizer: {
      buffers: 0,
      hasDecay: false,
      init: () => ({}),
      update: () => ({ state: {}, scalars: [] }),
      emit: () => {},
    },
    learningRate: () => 1,
    minWorkers,
    inspectEvery: 0,
    audit: { fraction: audit, seed },
    placement,
    ...(local && { local: { ...local, ...wire, optimizer: sgd() } }),
    exchange: { bytes: exchangeBytes, others: [] },
    answerSegmentsMax: answerSegmentsMax(NUMBER_CUT, { batch, leafSize: LEAF_SIZE, local }),
    ...(best === undefined
      ? {}
      : {
          evaluateEvery: best.evaluateEvery,
          earlyStopping: { patience: best.patience, minDelta: 0, restoreBest: true },
        }),
    ...(saveEvery === 0 ? {} : { checkpoints: { everySteps: saveEvery } }),
  };
}

/**
 * How a virtual worker identifies itself: it knows the token, and its self-test is right.
 * @param hasKey it has the key of its machine, the same whenever it joins under this name
 */
export function identityOf(name: string, hasKey: boolean): WorkerIdentity {
  const identity = {
    name,
    backend: 'wasm',
    detail: 'virtual',
    threads: 1,
    token: TOKEN,
    selfTest: SELF_TEST,
  };
  return hasKey
    ? { ...identity, proveMachine: (handshake) => proveMachine(keyOf(name), handshake) }
    : identity;
}

const keys = new Map<string, KeyObject>();

function keyOf(name: string): KeyObject {
  const known = keys.get(name);
  if (known !== undefined) return known;
  const seed = createHash('sha256').update(name).digest();
  const key = createPrivateKey({ key: Buffer.concat([ED25519_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  keys.set(name, key);
  return key;
}
