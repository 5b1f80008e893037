import { afterAll, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../shared/actor/seeded-random.js';
import type { Codec } from '../../../shared/codec/codec.js';
import { createPlan, type Plan } from '../../../shared/compiler/plan.js';
import { type Dataset, packDataset } from '../../../shared/data/dataset.js';
import { Device } from '../../../shared/engine/device.js';
import { nodePlatform } from '../../../shared/engine/node-platform.js';
import { segmentsCompleted, segmentsNeeded, stagesOf } from '../../../shared/engine/step/stages.js';
import { StepExecutor } from '../../../shared/engine/step/step-executor.js';
import { encodedLayout, sumCodecOf } from '../../../shared/engine/step/sum-codec.js';
import { gradientLayout } from '../../../shared/engine/step/sum-layout.js';
import { allocateOptimizer } from '../../../shared/engine/update-memory.js';
import { sha256Hex } from '../../../shared/files/sha256.js';
import { Graph } from '../../../shared/graph/graph.js';
import { batchNormalization } from '../../../shared/graph/layers/batch-normalization.js';
import { conv2d } from '../../../shared/graph/layers/conv2d.js';
import { dense } from '../../../shared/graph/layers/dense.js';
import { flatten } from '../../../shared/graph/layers/reshape.js';
import { sequential } from '../../../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../../../shared/graph/losses/sparse-categorical-crossentropy.js';
import { adamw } from '../../../shared/optim/adam.js';
import { clipByValue } from '../../../shared/optim/clipping.js';
import { createOptimizer } from '../../../shared/optim/settings.js';
import { cutVector, type Segment } from '../../../shared/reduction/segments.js';
import { allocateRun } from '../../../trainer/training-memory.js';

/*
 * A step in stages has the bits of the same step as a whole, though weights are put in place only before the stage that needs
 * them, and what a stage completes is taken away at once.
 */
const [BATCH, LEAF, LEAVES] = [56, 2, 28];

function data(): Dataset {
  const random = new SeededRandom(3);
  const bytes = (count: number, values: number): Uint8Array =>
    Uint8Array.from({ length: count }, () => random.below(values));
  const x = { dtype: 'u8', shape: [6, 6, 1], bytes: bytes(36 * 120, 256), scale: 1 / 256, shift: 0 } as const;
  const y = { dtype: 'u8', shape: [], bytes: bytes(120, 4), scale: 1, shift: 0 } as const;
  return packDataset('stages', 120, { x, y }, sha256Hex);
}

function planOf(): Plan {
  const x = new Graph().input('x', [6, 6, 1]);
  const network = sequential([
    conv2d(8, [3, 3], { activation: 'relu' }),
    flatten(),
    dense(40, { activation: 'relu' }),
    batchNormalization({ virtualBatchSize: 4 }),
    dense(9, { activation: 'tanh' }),
    dense(4, { activation: 'softmax' }),
  ]);
  return createPlan(x.graph.model(network(x), sparseCategoricalCrossentropy({ target: 'y' })));
}

const devices: Device[] = [];
afterAll(async () => {
  for (const device of devices) await device.stop();
});

describe.each([1, 2, 3])('stages of a step on %i threads', (threads) => {
  it.each<Codec>(['none', 'int8', 'int4'])(
    'have the bits of the step as a whole, with codec %s',
    async (codec) => {
      const device = await Device.start(threads, 'wasm', nodePlatform());
      devices.push(device);
      const { memory } = device;
      const plan = planOf();
      const runMemory = allocateRun(device, { plan, data: data(), leafSize: LEAF, seed: 9 });
      const sumCodec = sumCodecOf(codec, plan, { batch: BATCH, leafSize: LEAF });
      const shape = { batch: BATCH, leavesPerGroup: 4, codec: sumCodec };
      const executor = new StepExecutor(device.threadPool, runMemory, shape);
      const share = { threads: { from: 0, to: threads }, leaves: { from: 4, to: LEAVES } };
      const layout = sumCodec === undefined ? gradientLayout(plan) : encodedLayout(plan, sumCodec);
      const sumCut = cutVector(
        layout.floats * 4,
        layout.parts.map(({ from }) => 4 * from).sort((a, b) => a - b),
        512,
      );
      const view = (buffer: number): Uint8Array => memory.u8(buffer, sumCut.bytes);
      const whole = (await executor.compute(0, share)).map(({ node, buffer }) => ({
        node,
        hash: sha256Hex(view(buffer).slice()),
      }));

      const stages = stagesOf(plan, 100);
      expect(stages.length).toBeGreaterThan(6);
      const weightCut = cutVector(
        plan.parameterFloats * 4,
        plan.parameters.map(({ offset }) => 4 * offset).sort((a, b) => a - b),
        512,
      );
      const needed = segmentsNeeded(stages, weightCut);
      expect(needed.flat().sort((a, b) => a - b)).toEqual([...weightCut.segments.keys()]);
      const completed = segmentsCompleted(stages, sumCut, layout);
      expect(completed.flat().sort((a, b) => a - b)).toEqual([...sumCut.segments.keys()]);
      // What is needed comes early, and what is completed leaves early.
      expect(needed[0]?.length).toBeLessThan(weightCut.segments.length / 2);
      expect(completed.at(-1)?.length).toBeLessThan(sumCut.segments.length / 2);

      const weights = memory.u8(runMemory.weights, weightCut.bytes);
      const right = weights.slice();
      weights.fill(0xff);
      const parts = stages.map(({ from, to, completes }) => ({
        part: { from, to },
        sums: new Set(completes),
      }));
      const { run, partialSums } = executor.prepare(0, share, parts);
      const taken = partialSums.map(() => new Uint8Array(sumCut.bytes));
      for (const i of stages.keys()) {
        for (const index of needed[i] as number[]) {
          const { at, bytes } = weightCut.segments[index] as Segment;
          weights.set(right.subarray(at, at + bytes), at);
        }
        await run(i);
        for (const index of completed[i] as number[]) {
          const { at, bytes } = sumCut.segments[index] as Segment;
          for (const [vector, { buffer }] of partialSums.entries())
            taken[vector]?.set(view(buffer).subarray(at, at + bytes), at);
        }
      }
      expect(partialSums.map(({ node }, i) => ({ node, hash: sha256Hex(taken[i] as Uint8Array) }))).toEqual(
        whole,
      );
    },
  );
});

describe('an update in parts', () => {
  it.each([1, 2])('changes weights as it does as a whole, on %i threads', async (threads) => {
    const rule = { optimizer: createOptimizer(adamw({ learningRate: 0.02 })), clipping: clipByValue(0.01) };
    const open = async () => {
      const device = await Device.start(threads, 'wasm', nodePlatform());
      devices.push(device);
      const plan = planOf();
      const runMemory = allocateRun(device, { plan, data: data(), leafSize: LEAF, seed: 9 });
      const codec = sumCodecOf('int8', plan, { batch: BATCH, leafSize: LEAF });
      const updater = allocateOptimizer(device, plan, rule, codec);
      const executor = new StepExecutor(
        device.threadPool,
        runMemory,
        { batch: BATCH, leavesPerGroup: 4, codec },
        updater,
      );
      const vectors = [runMemory.weights, ...updater.state];
      const hashes = (): string[] =>
        vectors.map((at) => sha256Hex(device.memory.u8(at, 4 * plan.parameterFloats).slice()));
      return { executor, plan, hashes };
    };
    const [home, whole, parts] = [await open(), await open(), await open()];
    const before = whole.hashes();
    const share = { threads: { from: 0, to: threads }, leaves: { from: 0, to: LEAVES } };
    const { scalars } = rule.optimizer.update(rule.optimizer.init(), 0.02);
    await home.executor.finish(0, await home.executor.compute(0, share), scalars);
    for (const { executor } of [whole, parts]) executor.updateBytes.set(home.executor.updateBytes);
    await whole.executor.applyUpdate(0);
    expect(parts.executor.updatesInParts).toBe(true);
    for (const { parameters } of stagesOf(parts.plan, 100))
      await parts.executor.applyUpdateOf(0, new Set(parameters.map(({ name }) => name)));
    expect(whole.hashes()).toEqual(home.hashes());
    expect(parts.hashes()).toEqual(home.hashes());
    expect(before).not.toEqual(home.hashes());
  });
});

describe('stages', () => {
  it('of a small network are one', () => {
    expect(stagesOf(planOf())).toHaveLength(1);
  });

  it('cover the instructions, in order', () => {
    const plan = planOf();
    let end = 0;
    for (const { from, to } of stagesOf(plan, 100)) {
      expect(from).toBe(end);
      expect(to).toBeGreaterThan(from);
      end = to;
    }
    expect(end).toBe(plan.training.length);
  });
});
