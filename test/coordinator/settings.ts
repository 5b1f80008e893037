import type { RunSettings } from '../../coordinator/state/run-settings.js';
import { EXPECTED_HASHES } from '../../shared/kernels/self-test/self-test-hashes.js';
import {
  type Hello,
  PROTOCOL_VERSION,
  type Run,
  type SelfTestResult,
} from '../../shared/protocol/messages.js';
import { coordinatorProof, workerProof } from '../../shared/protocol/proof.js';

export const TOKEN = 't'.repeat(22);
/** In a real run the token for working is derived from it; here they are two. */
export const OPERATE_TOKEN = 'o'.repeat(22);
export const RUN_ID = 'run';
/** The nonce of both sides in all tests: no test depends on its being random. */
export const NONCE = 'n'.repeat(22);

/** The self-test results of a machine whose arithmetic is right. */
export const RIGHT_HASHES: readonly SelfTestResult[] = Object.entries(EXPECTED_HASHES).map(
  ([kernel, hash]) => ({ kernel, hash }),
);

/** A run of six steps of eight leaves; an epoch has three steps, the last of which has five leaves, one of them ragged. */
export function runSettings(changes: Partial<RunSettings> = {}): RunSettings {
  const samples = 32 + 32 + 18;
  return {
    model: { ops: [] },
    data: {
      name: 'numbers',
      samples,
      chunkSamples: 32,
      recordBytes: 4,
      fields: { x: { dtype: 'f32', shape: [], offset: 0, scale: 1, shift: 0 } },
      chunkHashes: ['0', '1', '2'].map((digit) => digit.repeat(64)),
    },
    runId: RUN_ID,
    token: TOKEN,
    operateToken: OPERATE_TOKEN,
    seed: 1,
    batch: 32,
    leafSize: 4,
    leavesPerGroup: 1,
    samples,
    steps: 6,
    // Its scalar is the number of the step, which shows whether steps are counted right.
    optimizer: {
      buffers: 0,
      hasDecay: false,
      init: () => ({ t: 0 }),
      update: ({ t = 0 }) => ({ state: { t: t + 1 }, scalars: [t + 1] }),
      emit: () => {},
    },
    learningRate: () => 1,
    minWorkers: 1,
    inspectEvery: 0,
    audit: { fraction: 0, seed: 1 },
    exchange: { bytes: 8000, others: [] },
    answerSegmentsMax: 8,
    placement: 'all',
    ...changes,
  };
}

const HANDSHAKE = { run: RUN_ID, coordinatorNonce: NONCE, workerNonce: NONCE };

/** The correct answer to a challenge. */
export function hello(name: string, changes: Partial<Hello> = {}): Hello {
  return {
    kind: 'hello',
    version: PROTOCOL_VERSION,
    nonce: NONCE,
    proof: workerProof(TOKEN, HANDSHAKE),
    name,
    backend: 'wasm',
    detail: 'relaxed-simd',
    threads: 1,
    selfTest: RIGHT_HASHES,
    ...changes,
  };
}

/** The message that admits a worker. */
export function runMessage(changes: Partial<Run> = {}): Run {
  const { seed, batch, leafSize, leavesPerGroup, model, data } = runSettings();
  const settings = { seed, batch, leafSize, leavesPerGroup };
  const proof = coordinatorProof(TOKEN, HANDSHAKE);
  return { kind: 'run', memberId: 'a', proof, model, settings, data, ...changes };
}
