import type { Manifest } from '../../shared/data/manifest.js';
import {
  type CoordinatorToWorker,
  PROTOCOL_VERSION,
  type WorkerToCoordinator,
} from '../../shared/protocol/messages.js';

const HASH = '0123456789abcdef'.repeat(4);
const NONCE = 'abcdefghijklmnopqrst_-';

const manifest: Manifest = {
  name: 'mnist',
  samples: 5,
  chunkSamples: 3,
  recordBytes: 8,
  fields: { image: { dtype: 'u8', shape: [2, 2], offset: 0, scale: 1, shift: 0 } },
  chunkHashes: [HASH, HASH],
};

/** One valid message of each kind. */
export const FROM_COORDINATOR: readonly CoordinatorToWorker[] = [
  { kind: 'challenge', version: PROTOCOL_VERSION, run: 'run-1', nonce: NONCE },
  {
    kind: 'run',
    memberId: 'm1',
    proof: HASH,
    model: { ops: [{ op: 'dense', units: 10 }] },
    settings: { seed: 2 ** 53 - 1, batch: 128, leafSize: 16, leavesPerGroup: 1 },
    data: manifest,
    audits: true,
  },
  { kind: 'chunk', index: 0 },
  { kind: 'chunk', index: 1, isDeflated: true },
  { kind: 'work', step: 7, range: { from: 0, to: 8 }, weights: true },
  { kind: 'work', step: 7, range: { from: 0, to: 8 }, weights: true, rehearses: true },
  { kind: 'segment', step: 7, vector: 0, index: 3 },
  { kind: 'fetch' },
  {
    kind: 'expel',
    path: 'remote-2/remote-7',
    step: 7,
    range: { from: 0, to: 8 },
    hash: HASH,
    rightHash: HASH,
  },
  { kind: 'refuse', reason: 'the token is wrong' },
  { kind: 'refuse', reason: 'it was expelled once', retryAfterMs: 10_000 },
  { kind: 'stop', reason: 'the run is over' },
  { kind: 'stop', reason: 'the run is interrupted', isUnfinished: true },
  { kind: 'ping', id: 3 },
];

/** One valid message of each kind. */
export const FROM_WORKER: readonly WorkerToCoordinator[] = [
  {
    kind: 'hello',
    version: PROTOCOL_VERSION,
    nonce: NONCE,
    proof: HASH,
    name: "Ada's laptop",
    backend: 'wasm',
    detail: 'relaxed-simd',
    threads: 2,
    selfTest: [{ kernel: 'matmul', hash: HASH }],
  },
  { kind: 'need', chunks: [0, 1] },
  { kind: 'ready' },
  { kind: 'ready', lacksData: true },
  {
    kind: 'partial-sums',
    step: 7,
    range: { from: 0, to: 3 },
    nodes: [
      { level: 1, index: 0 },
      { level: 0, index: 2 },
    ],
    computeMicros: 812.5,
  },
  {
    kind: 'partial-sums',
    step: 7,
    range: { from: 0, to: 2 },
    nodes: [{ level: 1, index: 0 }],
    computeMicros: 1,
    concurrency: 16,
    parts: [{ path: 'remote-2', name: 'a', range: { from: 0, to: 2 }, hash: HASH }],
  },
  { kind: 'segment', step: 7, range: { from: 0, to: 3 }, vector: 1, index: 0 },
  { kind: 'leave', reason: 'left by its user' },
  { kind: 'pong', id: 3 },
  { kind: 'failed', step: 7, reason: 'out of memory' },
];
