import { afterAll, describe, expect, it } from 'vitest';
import { diagnose } from '../../../scripts/reports/gradients/diagnosis.js';
import { describeGradients } from '../../../scripts/reports/gradients/report.js';
import { SeededRandom } from '../../../shared/actor/seeded-random.js';
import { createPlan } from '../../../shared/compiler/plan.js';
import { packDataset } from '../../../shared/data/dataset.js';
import { sampleOrder, stepPlace } from '../../../shared/data/order.js';
import { Device } from '../../../shared/engine/device.js';
import { nodePlatform } from '../../../shared/engine/node-platform.js';
import { GradientInspector, type GradientStats } from '../../../shared/engine/passes/gradient-inspector.js';
import { StepExecutor } from '../../../shared/engine/step/step-executor.js';
import { allocateOptimizer } from '../../../shared/engine/update-memory.js';
import { sha256Hex } from '../../../shared/files/sha256.js';
import { Graph, type Layer } from '../../../shared/graph/graph.js';
import { affine, exp, log, over, sqrt } from '../../../shared/graph/layers/arithmetic.js';
import { dense } from '../../../shared/graph/layers/dense.js';
import { sequential } from '../../../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../../../shared/graph/losses/sparse-categorical-crossentropy.js';
import { constantUnits } from '../../../shared/metrics/vector-stats.js';
import { createOptimizer } from '../../../shared/optim/settings.js';
import { sgd } from '../../../shared/optim/sgd.js';
import { allocateRun } from '../../../trainer/training-memory.js';

const [SAMPLES, BATCH, LEAF, RATE] = [432, 48, 4, 0.5];
const machines: Device[] = [];
afterAll(async () => {
  for (const device of machines) await device.stop();
});

/** A run of one thread on random samples, and its gradient inspector. */
async function open(hidden: () => Layer, layers = 1, isLinear = false) {
  const device = await Device.start(1, 'wasm', nodePlatform());
  machines.push(device);
  const random = new SeededRandom(1);
  const bytes = (count: number, values: number): Uint8Array =>
    Uint8Array.from({ length: count }, () => random.below(values));
  const pixels = bytes(12 * SAMPLES, 256);
  const labels = isLinear
    ? Uint8Array.from({ length: SAMPLES }, (_, i) => (pixels[12 * i] as number) >> 6)
    : bytes(SAMPLES, 4);
  const data = packDataset(
    'inspected',
    SAMPLES,
    {
      x: { dtype: 'u8', shape: [12], bytes: pixels, scale: 1 / 256, shift: 0 },
      y: { dtype: 'u8', shape: [], bytes: labels, scale: 1, shift: 0 },
    },
    sha256Hex,
  );
  // Softmax regression from zero weights: every class has the probability 1/4, so dL/dw = x (1/4 - [y = class]).
  const gradients = (step: number): number[][] => {
    const { epoch, position } = stepPlace(step, SAMPLES, BATCH);
    return [...sampleOrder(9, epoch, SAMPLES)].slice(position, position + BATCH).map((sample) => {
      const x = [...pixels.subarray(12 * sample, 12 * (sample + 1))].map((pixel) => pixel / 256);
      return [0, 1, 2, 3].flatMap((unit) =>
        [...x, 1].map((value) => value * (1 / 4 - Number(unit === labels[sample]))),
      );
    });
  };
  const x = new Graph().input('x', [12]);
  const hiddenLayers = Array.from({ length: layers }, hidden);
  const y = isLinear
    ? dense(4, { activation: 'softmax', kernelInitializer: 'zeros' })(x)
    : sequential([...hiddenLayers, dense(4, { activation: 'softmax' })])(x);
  const plan = createPlan(x.graph.model(y, sparseCategoricalCrossentropy({ target: 'y' })));
  const runMemory = allocateRun(device, { plan, data, leafSize: LEAF, seed: 9 });
  const updater = allocateOptimizer(device, plan, {
    optimizer: createOptimizer(sgd({ learningRate: RATE })),
  });
  const stepExecutor = new StepExecutor(
    device.threadPool,
    runMemory,
    { batch: BATCH, leavesPerGroup: 1 },
    updater,
  );
  const { scalars } = updater.optimizer.update(updater.optimizer.init(), RATE);
  const share = { threads: { from: 0, to: 1 }, leaves: { from: 0, to: BATCH / LEAF } };
  const step = (at: number): Promise<unknown> => stepExecutor.execute(at, [share], [scalars]);
  return { inspector: new GradientInspector(device.threadPool, runMemory, BATCH), step, gradients };
}

async function inspectOnce(hidden: () => Layer, layers: number): Promise<GradientStats> {
  const { inspector } = await open(hidden, layers);
  await inspector.inspect(0);
  return inspector.take(0)!;
}

describe('a step that is not finite', () => {
  const relu = dense(6, { activation: 'relu', name: 'relu' });
  it.each<[string, Layer, object]>([
    ['a logarithm', log, { layer: 'log', op: 'log', x: 0, domain: 'numbers above 0' }],
    [
      'a root, whose derivative alone is not',
      (x) => sqrt(relu(x)),
      { layer: 'sqrt', op: 'sqrt', x: 0, domain: 'numbers above 0' },
    ],
    [
      'a power that overflows',
      (x) => exp(affine(x, 1000, 0)),
      { layer: 'exp', op: 'exp', x: expect.any(Number), domain: 'numbers up to 88.72' },
    ],
    [
      'a division',
      (x) => over(1, affine(x, 0, 0)),
      { layer: 'reciprocal', op: 'reciprocal', x: 0, domain: 'numbers from 1e-19 to 1e19 in size' },
    ],
  ])('is diagnosed with the number for which %s is not defined', async (_, layer, given) => {
    const { inspector } = await open(() => layer);
    const diagnosis = await inspector.diagnose(0);
    expect(diagnosis).toMatchObject({ what: expect.stringMatching(/ is not finite$/), given });
  });
});

describe('an inspection of backprop', () => {
  it('measures the gradient of the step: the weights then move by it, times the rate', async () => {
    const { inspector, step } = await open(() => dense(6, { activation: 'tanh' }));
    for (const at of [0, 1, 2]) {
      await inspector.inspect(at);
      await step(at);
      const { layers, samples } = inspector.take(at + 1)!;
      expect(samples).toBe(BATCH);
      expect(layers.map(({ op }) => op)).toEqual(['dense', 'tanh', 'dense']);
      const parameters = layers.flatMap((layer) => layer.parameters);
      expect(parameters).toHaveLength(4);
      for (const { weightNorm, gradientNorm, updateRatio } of parameters) {
        if (weightNorm === 0) expect([at, updateRatio]).toEqual([0, undefined]);
        else expect(updateRatio! / ((RATE * gradientNorm) / weightNorm)).toBeCloseTo(1, 4);
      }
    }
  });

  it('has update ratios only right after its step, and is returned once', async () => {
    const { inspector, step } = await open(() => dense(6, { activation: 'relu' }));
    expect(inspector.take(0)).toBeUndefined();
    await inspector.inspect(0);
    await step(0);
    await step(1);
    expect(inspector.take(2)!.layers[0]!.parameters[0]).not.toHaveProperty('updateRatio');
    expect(inspector.take(2)).toBeUndefined();
  });

  it('compares the gradients of both halves of a batch, as they are one sample by one', async () => {
    const { inspector, gradients } = await open(() => dense(4, { activation: 'softmax' }), 1, true);
    await inspector.inspect(2);
    // 12 leaves: the left subtree has 8 of them.
    const [first, second] = [8 * LEAF, 4 * LEAF];
    const batch = gradients(2);
    const meanOf = (rows: readonly (readonly number[])[]): number[] =>
      rows[0]!.map((_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length);
    const [a, b, all] = [batch.slice(0, first), batch.slice(first), batch].map(meanOf) as [
      number[],
      number[],
      number[],
    ];
    const squared = (values: readonly number[]): number => values.reduce((sum, value) => sum + value ** 2, 0);
    const noise = squared(a.map((value, i) => value - b[i]!)) / (1 / first + 1 / second);
    const { spread } = inspector.take(2)!;
    expect(spread!.noise / noise).toBeCloseTo(1, 4);
    expect(spread!.signal / (squared(all) - noise / BATCH)).toBeCloseTo(1, 4);
  });

  it('finds error terms that vanish and that explode', async () => {
    const sigmoid = await inspectOnce(() => dense(16, { activation: 'sigmoid' }), 8);
    const ones = await inspectOnce(() => dense(16, { activation: 'relu', kernelInitializer: 'ones' }), 8);
    const he = await inspectOnce(() => dense(16, { activation: 'relu', kernelInitializer: 'heNormal' }), 8);
    expect(diagnose(sigmoid).join()).toMatch(/^error terms vanish: .* in dense_8, .* in dense; /);
    expect(diagnose(ones).map((line) => line.slice(0, 14))).toEqual(['error terms ex', 'activations ex']);
    expect(diagnose(he)).toEqual([]);
    expect(describeGradients([he])).toHaveLength(2 + 2 * 8 + 1);
  });

  it('counts units that are the same for all samples', () => {
    const values = Float32Array.of(1, 0, 3, 1, 0, 4, 1, 0, 3);
    expect(constantUnits(values, 3)).toBe(2 / 3);
    const problems = diagnose({
      layers: [
        {
          name: 'a',
          op: 'dense',
          activation: 1,
          error: 1,
          parameters: [{ name: 'w', weightNorm: 1, gradientNorm: 1 }],
        },
        { name: 'b', op: 'relu', activation: 1, error: 1, deadUnits: 0.75, parameters: [] },
        {
          name: 'c',
          op: 'dense',
          activation: 1,
          error: 1,
          parameters: [{ name: 'v', weightNorm: 1, gradientNorm: 1 }],
        },
      ],
    });
    expect(problems).toEqual(['most units are dead in b; try a lower --lr, or leakyRelu']);
  });
});
