import type { RunSettings } from '../../coordinator/state.js';
import { EXPECTED_HASHES } from '../../shared/kernels/self-test-hashes.js';
import type { NodeIdentity } from '../../worker/state.js';
import type { Setting } from './plan.js';

const TOKEN = 't'.repeat(22);

const SELF_TEST = Object.entries(EXPECTED_HASHES).map(([kernel, hash]) => ({ kernel, hash }));

const LEAF = 4;
const LEAVES_LEAST = 12;

/** A run of which only the sums matter: epochs of three steps, of which the last has a ragged leaf. */
export function simulatedSettings({
  seed,
  workers,
  locals,
  steps,
  audit,
  minWorkers,
  saveEvery,
  leaves,
}: Setting): RunSettings {
  const batch = LEAF * (leaves ?? Math.max(LEAVES_LEAST, 2 * (workers + locals)));
  const samples = leaves === undefined ? 2 * batch + Math.ceil(batch / 2) + 1 : batch * steps;
  return {
    model: {},
    data: {
      name: 'simulated',
      samples,
      chunkSamples: samples,
      recordBytes: 4,
      fields: { x: { dtype: 'f32', shape: [], offset: 0, scale: 1, shift: 0 } },
      chunkHashes: ['0'.repeat(64)],
    },
    runId: 'simulated',
    token: TOKEN,
    seed,
    batch,
    leafSize: LEAF,
    granule: 1,
    samples,
    steps,
    optimizer: {
      slots: 0,
      hasDecay: false,
      init: () => ({}),
      update: () => ({ state: {}, scalars: [] }),
      emit: () => {},
    },
    learningRate: () => 1,
    minWorkers,
    watchEvery: 0,
    audit: { fraction: audit, seed },
    ...(saveEvery === 0 ? {} : { checkpoints: { everySteps: saveEvery } }),
  };
}

/** What a virtual node says of itself: its arithmetic is right. */
export function identityOf(name: string): NodeIdentity {
  return { name, backend: 'wasm', detail: 'virtual', threads: 1, token: TOKEN, selfTest: SELF_TEST };
}
