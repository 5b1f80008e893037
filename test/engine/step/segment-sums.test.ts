import { afterAll, expect, it } from 'vitest';
import { SeededRandom } from '../../../shared/actor/seeded-random.js';
import { createPlan } from '../../../shared/compiler/plan.js';
import { packDataset } from '../../../shared/data/dataset.js';
import { Device } from '../../../shared/engine/device.js';
import { nodePlatform } from '../../../shared/engine/node-platform.js';
import { StepExecutor } from '../../../shared/engine/step/step-executor.js';
import { gradientLayout } from '../../../shared/engine/step/sum-layout.js';
import { sumCut } from '../../../shared/engine/step/vector-cuts.js';
import { sha256Hex } from '../../../shared/files/sha256.js';
import { Graph } from '../../../shared/graph/graph.js';
import { dense } from '../../../shared/graph/layers/dense.js';
import { sequential } from '../../../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../../../shared/graph/losses/sparse-categorical-crossentropy.js';
import { exchangedNodes } from '../../../shared/reduction/shards.js';
import type { LeafRange } from '../../../shared/reduction/tree.js';
import { allocateRun } from '../../../trainer/training-memory.js';

/* Partial sums that are added segment by segment, in any order, have the bits of those that are added as a whole. */

const [BATCH, LEAF, LEAVES] = [52, 4, 13];

const machines: Device[] = [];
afterAll(async () => {
  for (const device of machines) await device.stop();
});

async function open(threads: number) {
  const device = await Device.start(threads, 'wasm', nodePlatform());
  machines.push(device);
  const random = new SeededRandom(3);
  const bytes = (count: number, values: number): Uint8Array =>
    Uint8Array.from({ length: count }, () => random.below(values));
  const x = { dtype: 'u8', shape: [300], bytes: bytes(300 * 60, 256), scale: 1 / 256, shift: 0 } as const;
  const y = { dtype: 'u8', shape: [], bytes: bytes(60, 4), scale: 1, shift: 0 } as const;
  const input = new Graph().input('x', [300]);
  const network = sequential([dense(290, { activation: 'relu' }), dense(4, { activation: 'softmax' })]);
  const plan = createPlan(input.graph.model(network(input), sparseCategoricalCrossentropy({ target: 'y' })));
  const data = packDataset('segments', 60, { x, y }, sha256Hex);
  const runMemory = allocateRun(device, { plan, data, leafSize: LEAF, seed: 9 });
  const executor = new StepExecutor(device.threadPool, runMemory, { batch: BATCH, leavesPerGroup: 1 });
  return { executor, memory: device.memory, cut: sumCut(gradientLayout(plan)), threads };
}

const SHARES: readonly (readonly LeafRange[])[] = [
  [{ from: 0, to: 13 }],
  [
    { from: 0, to: 5 },
    { from: 5, to: 13 },
  ],
  [
    { from: 2, to: 3 },
    { from: 3, to: 7 },
    { from: 7, to: 8 },
    { from: 8, to: 12 },
  ],
  Array.from({ length: 13 }, (_, from) => ({ from, to: from + 1 })),
];

it.each([1, 3])('are the same on %i threads, and what is added stays as it is', async (threads) => {
  const { executor, memory, cut } = await open(threads);
  expect(cut.segments.length).toBeGreaterThan(2);
  for (const shares of SHARES) {
    const sums = [];
    for (const leaves of shares)
      for (const { node, buffer } of await executor.compute(0, {
        threads: { from: 0, to: threads },
        leaves,
      })) {
        const kept = memory.allocate(cut.bytes);
        memory.u8(kept, cut.bytes).set(memory.u8(buffer, cut.bytes));
        sums.push({ node, buffer: kept });
      }
    const before = sums.map(({ buffer }) => sha256Hex(memory.u8(buffer, cut.bytes)));
    const range = { from: shares[0]?.from as number, to: shares.at(-1)?.to as number };
    const nodes = exchangedNodes(range, LEAVES, undefined);
    const results = nodes.map(() => memory.allocate(cut.bytes));
    const [first, ...others] = [...cut.segments].reverse();
    await executor.exchangeSegments(0, sums, results, first ? [first] : []);
    await executor.exchangeSegments(0, sums, results, others);
    expect(sums.map(({ buffer }) => sha256Hex(memory.u8(buffer, cut.bytes)))).toEqual(before);
    const whole = await executor.exchange(0, sums);
    expect(whole.map(({ node }) => node)).toEqual(nodes);
    const hashes = (buffers: readonly number[]): string[] =>
      buffers.map((buffer) => sha256Hex(memory.u8(buffer, cut.bytes)));
    expect(hashes(results)).toEqual(hashes(whole.map(({ buffer }) => buffer)));
  }
});
