import { afterAll, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../shared/actor/seeded-random.js';
import { createPlan } from '../../../shared/compiler/plan.js';
import { type Dataset, packDataset } from '../../../shared/data/dataset.js';
import { Device } from '../../../shared/engine/device.js';
import { nodePlatform } from '../../../shared/engine/node-platform.js';
import { StepExecutor, type ThreadShare } from '../../../shared/engine/step/step-executor.js';
import { allocateOptimizer } from '../../../shared/engine/update-memory.js';
import { sha256Hex } from '../../../shared/files/sha256.js';
import { weightsSha256 } from '../../../shared/files/tensors.js';
import { Graph } from '../../../shared/graph/graph.js';
import { dense } from '../../../shared/graph/layers/dense.js';
import { dropout } from '../../../shared/graph/layers/dropout.js';
import { sequential } from '../../../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../../shared/graph/model.js';
import type { Backend } from '../../../shared/kernels/kernels.js';
import { nativeIsas } from '../../../shared/kernels/native-kernels.js';
import { adam } from '../../../shared/optim/adam.js';
import { createOptimizer } from '../../../shared/optim/settings.js';
import { allocateRun, parametersOf } from '../../../trainer/training-memory.js';

/*
 * The threads of one machine end with the same weights however their steps run: many in one execution or one by one, on
 * one thread or several, as one worker or two. The model draws random numbers, so each way must also know the step.
 */
const [BATCH, LEAF, LEAVES, STEPS] = [50, 4, 13, 7];

function data(samples: number): Dataset {
  const random = new SeededRandom(samples);
  const bytes = (count: number, values: number): Uint8Array =>
    Uint8Array.from({ length: count }, () => random.below(values));
  const x = { dtype: 'u8', shape: [12], bytes: bytes(12 * samples, 256), scale: 1 / 256, shift: 0 } as const;
  const y = { dtype: 'u8', shape: [], bytes: bytes(samples, 4), scale: 1, shift: 0 } as const;
  return packDataset('steps', samples, { x, y }, sha256Hex);
}

function model(): Model {
  const x = new Graph().input('x', [12]);
  const network = sequential([
    dropout(0.2),
    dense(24, { activation: 'relu' }),
    dropout(0.5),
    dense(4, { activation: 'softmax' }),
  ]);
  return x.graph.model(network(x), sparseCategoricalCrossentropy({ target: 'y' }));
}

const machines: Device[] = [];
afterAll(async () => {
  for (const device of machines) await device.stop();
});

interface Rig {
  readonly stepExecutor: StepExecutor;
  /** The optimizer's scalars of each step. */
  readonly scalars: readonly (readonly number[])[];
  hash(): string;
}

async function open(threads: number, backend: Backend = 'wasm', samples = 400): Promise<Rig> {
  const device = await Device.start(threads, backend, nodePlatform());
  machines.push(device);
  const plan = createPlan(model());
  const runMemory = allocateRun(device, { plan, data: data(samples), leafSize: LEAF, seed: 9 });
  const updater = allocateOptimizer(device, plan, {
    optimizer: createOptimizer(adam({ learningRate: 0.01 })),
  });
  let state = updater.optimizer.init();
  const scalars = Array.from({ length: STEPS }, () => {
    const next = updater.optimizer.update(state, 0.01);
    state = next.state;
    return next.scalars;
  });
  const stepExecutor = new StepExecutor(
    device.threadPool,
    runMemory,
    { batch: BATCH, leavesPerGroup: 1 },
    updater,
  );
  return { stepExecutor, scalars, hash: () => weightsSha256(parametersOf(runMemory)) };
}

const all = (threads: number): ThreadShare => ({
  threads: { from: 0, to: threads },
  leaves: { from: 0, to: LEAVES },
});

async function inExecutions(
  rig: Rig,
  shares: readonly ThreadShare[],
  cuts: readonly number[],
): Promise<string> {
  for (const [i, from] of [0, ...cuts].entries()) {
    await rig.stepExecutor.execute(from, shares, rig.scalars.slice(from, cuts[i] ?? STEPS));
  }
  return rig.hash();
}

async function stepByStep(rig: Rig, shares: readonly ThreadShare[]): Promise<string> {
  for (const [step, scalars] of rig.scalars.entries()) {
    const partialSums = await Promise.all(shares.map((share) => rig.stepExecutor.compute(step, share)));
    await rig.stepExecutor.finish(step, partialSums.flat(), scalars);
  }
  return rig.hash();
}

/** Two workers with a thread each that share the batch unevenly. */
const TWO_WORKERS: readonly ThreadShare[] = [
  { threads: { from: 0, to: 1 }, leaves: { from: 0, to: 5 } },
  { threads: { from: 1, to: 2 }, leaves: { from: 5, to: LEAVES } },
];

describe('a step executor', () => {
  it('ends with the same weights however its steps run', async () => {
    const wanted = await inExecutions(await open(1), [all(1)], []);
    expect(await inExecutions(await open(1), [all(1)], [1, 4])).toBe(wanted);
    expect(await inExecutions(await open(2), [all(2)], [3])).toBe(wanted);
    expect(await inExecutions(await open(2), TWO_WORKERS, [])).toBe(wanted);
    expect(await stepByStep(await open(1), [all(1)])).toBe(wanted);
    expect(await stepByStep(await open(3), [all(3)])).toBe(wanted);
    expect(await stepByStep(await open(2), TWO_WORKERS)).toBe(wanted);
    expect(await inExecutions(await open(2, 'wasm-exact'), [all(2)], [])).toBe(wanted);
    if (nativeIsas().length > 0) {
      expect(await inExecutions(await open(2, 'native'), TWO_WORKERS, [2])).toBe(wanted);
      expect(await stepByStep(await open(2, 'native'), [all(2)])).toBe(wanted);
    }
  });

  it('computes the right step, in an execution and in a distributed step', async () => {
    // The data set has one sample, so the steps differ in nothing else.
    const ends = [0, 1].map(async (step) => {
      const share = { threads: { from: 0, to: 1 }, leaves: { from: 0, to: 1 } };
      const [executed, distributed] = [await open(1, 'wasm', 1), await open(1, 'wasm', 1)];
      const scalars = executed.scalars[0] as readonly number[];
      await executed.stepExecutor.execute(step, [share], [scalars]);
      await distributed.stepExecutor.finish(
        step,
        await distributed.stepExecutor.compute(step, share),
        scalars,
      );
      expect(distributed.hash()).toBe(executed.hash());
      return executed.hash();
    });
    expect(await ends[0]).not.toBe(await ends[1]);
  });
});
