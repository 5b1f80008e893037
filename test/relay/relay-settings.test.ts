import { expect, it } from 'vitest';
import { relaySettings } from '../../relay/relay-settings.js';
import { adam } from '../../shared/optim/adam.js';
import { cutVector } from '../../shared/reduction/segments.js';

const SETTINGS = { seed: 1, batch: 64, leafSize: 4, leavesPerGroup: 1 };
const MANIFEST = {
  ...{ name: 'small', samples: 100, chunkSamples: 100, recordBytes: 4, chunkHashes: ['0'.repeat(64)] },
  fields: { x: { dtype: 'f32', shape: [], offset: 0, scale: 1, shift: 0 } },
} as const;
const OWN = { runId: 'r', token: 't'.repeat(22), audit: { fraction: 0, seed: 0 } };

it('passes on what decides the samples, and rounds at the same nodes as the coordinator', () => {
  const sums = cutVector(400);
  const run = { model: {}, settings: SETTINGS, data: MANIFEST };
  const plain = relaySettings(run, OWN, { sums, weightBytes: 300 });
  expect(plain).toMatchObject({ ...SETTINGS, samples: run.data.samples, exchange: { bytes: 700 } });
  expect(plain.shardLevel).toBeUndefined();
  const compression = { codec: 'int8', optimizer: adam() } as const;
  // 16 leaves in eight shards.
  expect(relaySettings({ ...run, compression }, OWN, { sums, weightBytes: 300 }).shardLevel).toBe(1);
});

it('passes on how replicas of local updates are trained', () => {
  const local = { replicas: 2, steps: 5, optimizer: adam() };
  const run = { model: {}, settings: { ...SETTINGS, local }, data: MANIFEST };
  const settings = relaySettings(run, OWN, { sums: cutVector(400), weightBytes: 300 });
  // Each result is an answer of its own.
  expect(settings).toMatchObject({ local, answerSegmentsMax: 1 });
});
