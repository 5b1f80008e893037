import { join as joinPath } from 'node:path';
import { expect, it } from 'vitest';
import {
  data,
  defineLayer,
  defineLoss,
  defineMetric,
  Graph,
  layers,
  load,
  losses,
  metrics,
  ops,
  optimizers,
  type Recipe,
  sequential,
  type TrainingOptions,
  train,
} from '../../../trainer/public/unisum.js';
import { spread } from '../../support/numbers.js';
import { temporaryFolder } from '../../support/process.js';

/*
 * One model with everything that a recipe can say about learning beyond layers and losses in a row: its weights and metrics are
 * the same for any number of workers and on any kernels, also when the run is stopped and resumed.
 */

const [POSITIONS, WIDTH] = [6, 8];
const SAMPLES = 90;

/** Sequences; which of two kinds, how large, and how much a sample counts. */
function samples(name: string, seed: number, count: number) {
  const rows = Array.from({ length: count }, (_, i) => [...spread(seed + i, POSITIONS * WIDTH, -1, 1)]);
  const size = rows.map((row) => row.slice(0, 2).reduce((a, b) => a + b, 0));
  return data.packSamples(name, {
    x: { shape: [POSITIONS, WIDTH], values: rows },
    kind: { shape: [], dtype: 'i32', values: size.map((value) => Number(value > 0)) },
    size: { shape: [1], values: size.map((value) => [value]) },
    trust: { shape: [], values: rows.map((_, i) => 0.5 + (i % 3) / 2) },
  });
}

const scaled = defineLayer('scaled', (x, parameter) => {
  const form = parameter('form', [WIDTH, WIDTH]);
  return ops.plus(x, ops.matmul(x, form));
});

const recipe: Recipe = {
  summary: 'features',
  model() {
    const graph = new Graph();
    const trunk = sequential([
      scaled(),
      layers.rmsNormalization(),
      layers.multiHeadAttention(2, { causal: true, rotary: true }),
      layers.swiGlu(10),
      layers.conv1d(4, 3, { padding: 'same' }),
      layers.groupNormalization(2),
      layers.dropout(0.1),
      layers.flatten(),
    ])(graph.input('x', [POSITIONS, WIDTH]));
    return graph.model(
      {
        kind: layers.dense(2, { activation: 'softmax' })(trunk),
        size: layers.learning(layers.dense(1), { rate: 0.5 })(trunk),
      },
      {
        kind: losses.sparseCategoricalCrossentropy({ target: 'kind', sampleWeight: 'trust' }),
        size: { loss: losses.huber({ target: 'size' }), weight: 0.5 },
      },
    );
  },
  data: async () => ({ train: samples('some', 1, SAMPLES), test: samples('some-test', 1000, 20) }),
  evaluationMetrics: [
    metrics.f1({ output: 'kind', target: 'kind' }),
    metrics.r2({ output: 'size', target: 'size' }),
    defineMetric({
      ...{ name: 'worst', output: 'size', target: 'size' },
      start() {
        let worst = 0;
        return {
          add({ outputs, targets }) {
            outputs.forEach((y, i) => {
              worst = Math.max(worst, Math.abs(y - (targets[i] as number)));
            });
          },
          result: () => worst,
        };
      },
    }),
  ],
  optimizer: optimizers.adam({ learningRate: 0.01, ema: 0.9 }),
  ...{ batch: 16, leafSize: 4, epochs: 6 },
};

const options = (more: TrainingOptions): TrainingOptions => ({
  ...{ runDir: joinPath(temporaryFolder(), 'run'), validation: 0.2, checkpointEvery: 5 },
  ...more,
});

it('has one hash and one set of metrics for any workers and kernels, stopped and resumed', async () => {
  const whole = await train(recipe, options({ workers: 1 }));
  const { weightsSha256, metrics: found } = whole;
  expect(Object.keys(found).sort()).toEqual(
    ['test', 'validation'].flatMap((set) => ['KindF1', 'Loss', 'SizeR2', 'Worst'].map((name) => set + name)),
  );
  const spreadOut = await train(recipe, options({ workers: 3, backend: 'wasm' }));
  expect(spreadOut).toMatchObject({ weightsSha256, metrics: found });
  const runDir = joinPath(temporaryFolder(), 'run');
  const run = train(recipe, options({ runDir, workers: 2 }));
  run.onStep(({ step }) => step === 12 && void run.stop());
  expect(await run).toMatchObject({ exitReason: 'interrupted' });
  expect(await train(recipe, { resume: runDir })).toMatchObject({ weightsSha256, metrics: found });

  await using model = await load(whole.runDir, { threads: 1 });
  expect(model.weightsSha256).toBe(weightsSha256);
  expect(model.outputs).toEqual({ kind: [2], size: [1] });
  const outputs = model.split(await model.predict(spread(7, 3 * POSITIONS * WIDTH)));
  expect(outputs.size).toHaveLength(3);
  for (const row of [0, 1, 2])
    expect((outputs.kind?.[2 * row] ?? 0) + (outputs.kind?.[2 * row + 1] ?? 0)).toBeCloseTo(1, 5);
});

/** A generator and a judge of volumes that learn against each other, each by an optimizer of its own. */
const adversarial = (own: Parameters<typeof layers.learning>[1]): Recipe => ({
  summary: 'volumes',
  model() {
    const graph = new Graph();
    const make = sequential([layers.dense(POSITIONS * WIDTH, { activation: 'tanh', name: 'make' })]);
    const judge = layers.learning(
      sequential([
        layers.reshape([2, 3, WIDTH, 1]),
        layers.conv3d(3, 2, { padding: 'same', activation: 'relu' }),
        layers.maxPooling3d({ poolSize: [1, 1, 2] }),
        layers.flatten(),
        layers.dense(1),
      ]),
      own,
    );
    const real = layers.flatten()(graph.input('x', [POSITIONS, WIDTH]));
    const made = ops.scaleGradient(make(graph.input('size', [1])), -1);
    // The kept part of the real volume has no gradient to give.
    const logits = [ops.times(judge(ops.stopGradient(real)), -1), judge(made)] as const;
    const loss = defineLoss((output) => ops.mean(ops.log(ops.plus(ops.exp(output), 1))));
    return graph.model(layers.concatenate()(logits), loss);
  },
  data: async () => ({ train: samples('some', 1, SAMPLES), test: samples('some-test', 1000, 20) }),
  optimizer: optimizers.adam({ learningRate: 0.01 }),
  ...{ batch: 15, leafSize: 3, epochs: 4 },
});

it.each<[string, Parameters<typeof layers.learning>[1], TrainingOptions]>([
  ['exchanged at every step', { optimizer: optimizers.sgd({ learningRate: 0.05, momentum: 0.9 }) }, {}],
  ['rounded to int4', { optimizer: optimizers.rmsprop({ learningRate: 0.005 }) }, { compress: 'int4' }],
  ['rounded to bf16', { optimizer: optimizers.muon({ learningRate: 0.01 }) }, { compress: 'bf16' }],
  [
    'in local updates',
    { optimizer: optimizers.adam({ learningRate: 0.003, beta1: 0.5 }) },
    { sync: 'local:replicas=5,steps=4', compress: 'int8' },
  ],
])(
  'parts that learn against each other have one hash for 1, 2, 3 and 5 workers: %s',
  async (_, own, mode) => {
    const found = await train(adversarial(own), options({ ...mode, workers: 1, backend: 'native' }));
    const other = await train(adversarial({}), options({ ...mode, workers: 1 }));
    expect(other.weightsSha256).not.toBe(found.weightsSha256);
    const { weightsSha256, metrics: measured } = found;
    for (const [workers, backend] of [
      [2, 'wasm'],
      [3, 'wasm-exact'],
      [5, 'native'],
    ] as const) {
      const result = await train(adversarial(own), options({ ...mode, workers, backend }));
      expect(result, `${workers} workers`).toMatchObject({ weightsSha256, metrics: measured });
    }
    const runDir = joinPath(temporaryFolder(), 'run');
    const run = train(adversarial(own), options({ ...mode, runDir, workers: 2 }));
    run.onStep(({ step }) => step >= 2 && void run.stop());
    expect(await run).toMatchObject({ exitReason: 'interrupted' });
    expect(await train(adversarial(own), { resume: runDir })).toMatchObject({
      weightsSha256,
      metrics: measured,
    });
  },
);
