import { afterAll, describe, expect, it } from 'vitest';
import { layOutOptimizer, layOutRun, parametersOf } from '../../scripts/training/run-place.js';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { type Dataset, packDataset } from '../../shared/data/dataset.js';
import { Crew } from '../../shared/engine/crew.js';
import { GradientWatch } from '../../shared/engine/gradient-watch.js';
import { Machine } from '../../shared/engine/machine.js';
import { sha256Hex } from '../../shared/files/sha256.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import { Graph } from '../../shared/graph/graph.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import { createPlan } from '../../shared/graph/plan.js';
import { l1, l1L2, l2, type Regularizer } from '../../shared/graph/regularizers.js';
import { adamw } from '../../shared/optim/adam.js';
import { type Clipping, clipByGlobalNorm, clipByNorm } from '../../shared/optim/clipping.js';
import { muon } from '../../shared/optim/muon.js';
import type { OptimizerSettings } from '../../shared/optim/settings.js';
import { sgd } from '../../shared/optim/sgd.js';

/* What happens to a gradient between the sum and the weights, on the threads of one machine. */
const [BATCH, LEAF, LEAVES] = [48, 4, 12];

const machines: Machine[] = [];
afterAll(async () => {
  for (const machine of machines) await machine.stop();
});

/** Inputs are `scale` times what they are in other runs. */
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
  readonly threads?: number;
  readonly scale?: number;
  /** Between the two narrow layers. Default: tanh. */
  readonly activation?: 'linear' | 'tanh';
}

async function open(setup: Setup = {}) {
  const { optimizer = sgd({ learningRate: 1 }), clipping, kernelRegularizer, threads = 1, scale = 1 } = setup;
  const { activation = 'tanh' } = setup;
  const machine = await Machine.start(threads, 'wasm');
  machines.push(machine);
  const x = new Graph().input('x', [12]);
  const network = sequential([
    // Wide enough for several blocks, and a border between threads inside of a matrix.
    dense(300, { activation: 'relu', kernelRegularizer }),
    dense(7, { activation, kernelRegularizer }),
    dense(4, { activation: 'softmax', kernelRegularizer }),
  ]);
  const plan = createPlan(x.graph.model(network(x), sparseCategoricalCrossentropy({ target: 'y' })));
  const place = layOutRun(machine, { plan, data: data(scale), leaf: LEAF, seed: 9 });
  const updater = layOutOptimizer(machine, plan, optimizer, { clipping });
  const crew = new Crew(machine.team, place, { batch: BATCH, granule: 1 }, updater);
  const share = { threads: { from: 0, to: threads }, leaves: { from: 0, to: LEAVES } };
  const { scalars } = updater.optimizer.update(updater.optimizer.init(), optimizer.learningRate);
  return {
    watch: new GradientWatch(machine.team, place, BATCH),
    stride: (step: number, steps: number) => crew.stride(step, [share], Array(steps).fill(scalars)),
    round: async (step: number) => crew.finish(step, await crew.compute(step, share), scalars),
    weights: () =>
      Object.fromEntries(parametersOf(place).map(({ name, values }) => [name, Array.from(values)])),
    parameter: (name: string) =>
      parametersOf(place).find((parameter) => parameter.name === name)?.values as Float32Array,
    hash: () => weightsSha256(parametersOf(place)),
  };
}

type Weights = Record<string, number[]>;

/** What the first step subtracts from each weight. */
async function firstStep(setup: Setup): Promise<{ before: Weights; step: Weights }> {
  const { stride, weights } = await open(setup);
  const before = weights();
  await stride(0, 1);
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
    'comes to the same bits for any number of threads, in strides and in rounds: %s',
    async (_, optimizer) => {
      const setup = { kernelRegularizer: l1L2(), optimizer, clipping: clipByNorm(0.1) };
      const one = await open(setup);
      await one.stride(0, 3);
      for (const threads of [2, 3]) {
        const many = await open({ ...setup, threads });
        await many.stride(0, 2);
        await many.round(2);
        expect(many.hash()).toBe(one.hash());
      }
    },
  );
});

describe('decay', () => {
  it('pulls at matrices and leaves biases alone', async () => {
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

describe('clipping a gradient whose squares overflow', () => {
  // Weights of a size at which the gradient of the first layer is beyond 2^64, and that of the second is not.
  it.each([
    ['as a whole', clipByGlobalNorm(0.5)],
    ['tensor by tensor', clipByNorm(0.5)],
  ])('gives it the length that was asked for: %s', async (_, clipping) => {
    const { step } = await firstStep({ clipping, scale: 1e25 });
    const lengths = Object.values(step).map(norm);
    expect(clipping.by === 'globalNorm' ? norm(lengths) : Math.max(...lengths)).toBeCloseTo(0.5, 4);
  });
});

describe('a step whose sums are not finite', () => {
  it.each([1, 2])('is not done, in a stride of %i threads and in a round', async (threads) => {
    const run = await open({ threads, scale: 1 });
    expect(await run.stride(0, 2)).toMatchObject({ isBroken: false });
    run.parameter('dense/kernel')[17] = Number.POSITIVE_INFINITY;
    const before = run.hash();
    expect(await run.stride(2, 3)).toEqual({ metrics: [], isBroken: true });
    expect(await run.round(2)).toMatchObject({ isBroken: true });
    expect(run.hash()).toBe(before);
  });

  it('ends a stride behind the steps that were done, with their weights', async () => {
    // A tanh would keep everything within its bounds.
    const setup = { optimizer: sgd({ learningRate: 1e25 }), activation: 'linear' } as const;
    const run = await open(setup);
    const { metrics, isBroken } = await run.stride(0, 9);
    expect(isBroken).toBe(true);
    expect(metrics.length).toBeLessThan(9);
    const again = await open(setup);
    for (const [step] of metrics.entries()) await again.round(step);
    expect(again.hash()).toBe(run.hash());
  });

  it('is told with the first place, in the order of the passes, that has no finite values', async () => {
    const run = await open();
    run.parameter('dense_2/kernel').fill(3e38);
    run.parameter('dense_1/bias').fill(20);
    run.parameter('dense_1/kernel').fill(0);
    expect(await run.watch.diagnose(0)).toBe('what layer dense_2 hands on is not finite');
    run.parameter('dense/bias')[5] = Number.NaN;
    expect(await run.watch.diagnose(0)).toBe('weights of dense/bias are not finite');
  });
});
