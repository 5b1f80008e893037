import { afterAll, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../shared/actor/seeded-random.js';
import { createPlan } from '../../../shared/compiler/plan.js';
import { type Dataset, packDataset } from '../../../shared/data/dataset.js';
import { Device } from '../../../shared/engine/device.js';
import { nodePlatform } from '../../../shared/engine/node-platform.js';
import { GradientInspector } from '../../../shared/engine/passes/gradient-inspector.js';
import { StepExecutor } from '../../../shared/engine/step/step-executor.js';
import { allocateOptimizer } from '../../../shared/engine/update-memory.js';
import { sha256Hex } from '../../../shared/files/sha256.js';
import { weightsSha256 } from '../../../shared/files/tensors.js';
import { Graph } from '../../../shared/graph/graph.js';
import { dense } from '../../../shared/graph/layers/dense.js';
import { type LearningOptions, learning } from '../../../shared/graph/layers/learning.js';
import { sequential } from '../../../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../../../shared/graph/losses/sparse-categorical-crossentropy.js';
import { l1, l1L2, l2, type Regularizer } from '../../../shared/graph/regularizers.js';
import { adamw } from '../../../shared/optim/adam.js';
import { type Clipping, clipByGlobalNorm, clipByNorm } from '../../../shared/optim/clipping.js';
import { muon } from '../../../shared/optim/muon.js';
import { createOptimizer, type OptimizerSettings } from '../../../shared/optim/settings.js';
import { sgd } from '../../../shared/optim/sgd.js';
import { allocateRun, parametersOf } from '../../../trainer/training-memory.js';

/* The end of a step on the threads of one machine: what happens between the sum of the gradients and the weights. */
const [BATCH, LEAF, LEAVES] = [48, 4, 12];

const machines: Device[] = [];
afterAll(async () => {
  for (const device of machines) await device.stop();
});

/** Factor on the inputs. */
function data(scale: number): Dataset {
  const random = new SeededRandom(1);
  const bytes = (count: number, values: number): Uint8Array =>
    Uint8Array.from({ length: count }, () => random.below(values));
  const x = { dtype: 'u8', shape: [12], bytes: bytes(12 * 480, 256), scale: scale / 256, shift: 0 } as const;
  const y = { dtype: 'u8', shape: [], bytes: bytes(480, 4), scale: 1, shift: 0 } as const;
  return packDataset('update', 480, { x, y }, sha256Hex);
}

interface Setup {
  readonly optimizer?: OptimizerSettings;
  readonly clipping?: Clipping;
  readonly kernelRegularizer?: Regularizer;
  /** How the second layer learns. */
  readonly second?: LearningOptions;
  readonly threads?: number;
  readonly scale?: number;
  /** Between the two narrow layers. Default: tanh. */
  readonly activation?: 'linear' | 'tanh';
}

async function open(setup: Setup = {}) {
  const { optimizer = sgd({ learningRate: 1 }), clipping, kernelRegularizer, threads = 1, scale = 1 } = setup;
  const { activation = 'tanh', second = {} } = setup;
  const device = await Device.start(threads, 'wasm', nodePlatform());
  machines.push(device);
  const x = new Graph().input('x', [12]);
  const network = sequential([
    // Wide enough for several blocks, and for a matrix that is divided between threads.
    dense(300, { activation: 'relu', kernelRegularizer }),
    learning(dense(7, { activation, kernelRegularizer }), second),
    dense(4, { activation: 'softmax', kernelRegularizer }),
  ]);
  const plan = createPlan(x.graph.model(network(x), sparseCategoricalCrossentropy({ target: 'y' })));
  const runMemory = allocateRun(device, { plan, data: data(scale), leafSize: LEAF, seed: 9 });
  const updater = allocateOptimizer(device, plan, {
    optimizer: createOptimizer(optimizer, plan.parameters),
    ...(clipping && { clipping }),
  });
  const stepExecutor = new StepExecutor(
    device.threadPool,
    runMemory,
    { batch: BATCH, leavesPerGroup: 1 },
    updater,
  );
  const share = { threads: { from: 0, to: threads }, leaves: { from: 0, to: LEAVES } };
  const { scalars } = updater.optimizer.update(updater.optimizer.init(), optimizer.learningRate);
  return {
    inspector: new GradientInspector(device.threadPool, runMemory, BATCH),
    execute: (step: number, steps: number) => stepExecutor.execute(step, [share], Array(steps).fill(scalars)),
    single: async (step: number) =>
      stepExecutor.finish(step, await stepExecutor.compute(step, share), scalars),
    weights: () =>
      Object.fromEntries(parametersOf(runMemory).map(({ name, values }) => [name, Array.from(values)])),
    parameter: (name: string) =>
      parametersOf(runMemory).find((parameter) => parameter.name === name)?.values as Float32Array,
    hash: () => weightsSha256(parametersOf(runMemory)),
  };
}

type Weights = Record<string, number[]>;

/** What the first step subtracts from each weight. */
async function firstStep(setup: Setup): Promise<{ before: Weights; step: Weights }> {
  const { execute, weights } = await open(setup);
  const before = weights();
  await execute(0, 1);
  const after = weights();
  const step = Object.entries(before).map(([name, values]): [string, number[]] => [
    name,
    values.map((w, i) => w - after[name]![i]!),
  ]);
  return { before, step: Object.fromEntries(step) };
}

const norm = (values: readonly number[]): number => Math.hypot(...values);

describe('regularisation', () => {
  it.each([
    ['l2', l2(0.05)],
    ['l1', l1(0.02)],
    ['both', l1L2({ l1: 0.03, l2: 0.04 })],
  ])('adds its derivative to the gradients of kernels, once: %s', async (_, kernelRegularizer) => {
    const free = await firstStep({});
    const { before, step } = await firstStep({ kernelRegularizer });
    for (const [name, values] of Object.entries(step)) {
      values.forEach((g, i) => {
        const w = before[name]![i]!;
        const penalty = kernelRegularizer.l1 * Math.sign(w) + 2 * kernelRegularizer.l2 * w;
        expect(g - free.step[name]![i]!).toBeCloseTo(name.endsWith('kernel') ? penalty : 0, 6);
      });
    }
  });

  it.each([
    ['adamw', adamw()],
    ['muon', muon()],
  ])(
    'has the same bits for any number of threads, in an execution and step by step: %s',
    async (_, optimizer) => {
      const setup = { kernelRegularizer: l1L2(), optimizer, clipping: clipByNorm(0.1) };
      const one = await open(setup);
      await one.execute(0, 3);
      for (const threads of [2, 3]) {
        const many = await open({ ...setup, threads });
        await many.execute(0, 2);
        await many.single(2);
        expect(many.hash()).toBe(one.hash());
      }
    },
  );
});

describe('decay', () => {
  it('applies to matrices and not to biases', async () => {
    const free = await firstStep({});
    const { before, step } = await firstStep({ optimizer: sgd({ learningRate: 1, weightDecay: 0.5 }) });
    for (const [name, values] of Object.entries(step)) {
      values.forEach((g, i) => {
        const pull = name.endsWith('kernel') ? 0.5 * before[name]![i]! : 0;
        expect(g - free.step[name]![i]!).toBeCloseTo(pull, 6);
      });
    }
  });
});

describe('a layer that learns otherwise', () => {
  const RULED = { rate: 0.25, decay: 3 };

  it('has its own rate and its own decay', async () => {
    const optimizer = sgd({ learningRate: 1, weightDecay: 0.5 });
    const free = await firstStep({});
    const { before, step } = await firstStep({ optimizer, second: RULED });
    for (const [name, values] of Object.entries(step)) {
      const { rate, decay } = name.startsWith('dense_1/') ? RULED : { rate: 1, decay: 1 };
      values.forEach((change, i) => {
        const pull = name.endsWith('kernel') ? 0.5 * decay * before[name]![i]! : 0;
        expect(change).toBeCloseTo(rate * (free.step[name]![i]! + pull), 6);
      });
    }
  });

  it('keeps its weights when it is frozen, and the rest learns as before', async () => {
    const free = await firstStep({});
    const { step } = await firstStep({ second: { trainable: false } });
    expect(step['dense_1/kernel']!.every((change) => change === 0)).toBe(true);
    for (const name of ['dense/kernel', 'dense/bias', 'dense_2/kernel'])
      expect(step[name]).toEqual(free.step[name]);
  });

  it.each([
    ['adamw', adamw()],
    ['muon', muon({ weightDecay: 0.1 })],
  ])('has the same bits for any number of threads: %s', async (_, optimizer) => {
    const second = { rate: 0.25, decay: 0 };
    const one = await open({ optimizer, second, clipping: clipByGlobalNorm(0.1) });
    await one.execute(0, 3);
    const plain = await open({ optimizer, clipping: clipByGlobalNorm(0.1) });
    await plain.execute(0, 3);
    expect(plain.hash()).not.toBe(one.hash());
    for (const threads of [2, 3]) {
      const many = await open({ optimizer, second, threads, clipping: clipByGlobalNorm(0.1) });
      await many.execute(0, 2);
      await many.single(2);
      expect(many.hash()).toBe(one.hash());
    }
  });
});

describe('clipping a gradient whose squares overflow', () => {
  // Weights of a size at which the gradient of the first layer is beyond 2^64, and that of the second is not.
  it.each([
    ['as a whole', clipByGlobalNorm(0.5)],
    ['tensor by tensor', clipByNorm(0.5)],
  ])('gives it the requested norm: %s', async (_, clipping) => {
    const { step } = await firstStep({ clipping, scale: 1e25 });
    const lengths = Object.values(step).map(norm);
    expect(clipping.by === 'globalNorm' ? norm(lengths) : Math.max(...lengths)).toBeCloseTo(0.5, 4);
  });
});

describe('a step whose sums are not finite', () => {
  it.each([1, 2])(
    'leaves the weights as they were, in an execution and step by step, on %i threads',
    async (threads) => {
      const run = await open({ threads, scale: 1 });
      expect(await run.execute(0, 2)).toMatchObject({ isBroken: false });
      run.parameter('dense/kernel')[17] = Number.POSITIVE_INFINITY;
      const before = run.hash();
      expect(await run.execute(2, 3)).toEqual({ metrics: [], isBroken: true });
      expect(await run.single(2)).toMatchObject({ isBroken: true });
      expect(run.hash()).toBe(before);
    },
  );

  it('ends an execution after the steps before it, with their weights', async () => {
    // The output of a tanh would stay within its bounds.
    const setup = { optimizer: sgd({ learningRate: 1e25 }), activation: 'linear' } as const;
    const run = await open(setup);
    const { metrics, isBroken } = await run.execute(0, 9);
    expect(isBroken).toBe(true);
    expect(metrics.length).toBeLessThan(9);
    const again = await open(setup);
    for (const [step] of metrics.entries()) await again.single(step);
    expect(again.hash()).toBe(run.hash());
  });

  it('is diagnosed: the first value that is not finite, in the order of the passes', async () => {
    const run = await open();
    run.parameter('dense_2/kernel').fill(3e38);
    run.parameter('dense_1/bias').fill(20);
    run.parameter('dense_1/kernel').fill(0);
    expect(await run.inspector.diagnose(0)).toEqual({
      what: 'the output of layer dense_2 is not finite',
    });
    run.parameter('dense/bias')[5] = Number.NaN;
    expect(await run.inspector.diagnose(0)).toEqual({
      what: 'the weights of dense/bias are not finite',
    });
  });
});
