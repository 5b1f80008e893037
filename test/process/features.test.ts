import { expect, it } from 'vitest';
import type { TrainResult } from '../../trainer/result.js';
import { installedFolder } from '../support/installed-folder.js';
import { type Ended, start, temporaryFolder } from '../support/process.js';
import { programHere } from '../support/program-here.js';

/*
 * What a recipe file can say about learning beyond ready-made layers and losses in a row, all at once: a loss and a layer of its
 * own, two outputs, a frozen layer, one with an optimizer of its own, gradients that are scaled and stopped, a convolution of
 * volumes, weights of samples and a moving average of the weights. Gradients are rounded to int8, so the
 * coordinator also keeps a residual. Workers are processes without the recipe file.
 */
const RECIPE = `
import { data, defineLayer, defineLoss, Graph, layers, losses, ops, optimizers, sequential } from 'unisum';

const WIDTH = 12;

function samples(name, begin, count) {
  const rows = Array.from({ length: count }, (_, i) =>
    Array.from({ length: WIDTH }, (_, j) => ((begin + i) * 31 + j * 17 + i * j) % 23 / 11 - 1),
  );
  const size = rows.map((row) => row[0] + row[1] * row[2]);
  return data.packSamples(name, {
    x: { shape: [WIDTH], values: rows },
    kind: { shape: [], dtype: 'i32', values: size.map((value) => Number(value > 0)) },
    size: { shape: [1], values: size.map((value) => [value]) },
    trust: { shape: [], values: rows.map((_, i) => 0.5 + (i % 3) / 2) },
  });
}

const mixed = defineLayer('mixed', (x, parameter) => ops.times(x, parameter('gain', [WIDTH], 'ones')));
const logCosh = defineLoss((output, field) => {
  const error = ops.minus(output, field('size', [1]));
  return ops.times(ops.sum(ops.log(ops.plus(ops.exp(error), ops.exp(ops.times(error, -1))))), field('trust'));
});

export const recipe = {
  summary: 'features',
  model() {
    const graph = new Graph();
    const trunk = sequential([
      mixed(),
      layers.reshape([2, 2, 3, 1]),
      layers.conv3d(2, 2, { padding: 'same', activation: 'relu' }),
      layers.flatten(),
      layers.learning(layers.dense(16, { activation: 'tanh' }), { trainable: false }),
      layers.dense(16, { activation: 'relu' }),
      layers.dropout(0.1),
    ])(graph.input('x', [WIDTH]));
    const head = layers.learning(layers.dense(1), { optimizer: optimizers.sgd({ learningRate: 0.02, momentum: 0.9 }) });
    const seen = ops.plus(ops.scaleGradient(trunk, -0.1), ops.stopGradient(trunk));
    return graph.model(
      { kind: layers.dense(2, { activation: 'softmax' })(trunk), size: head(seen) },
      {
        kind: losses.sparseCategoricalCrossentropy({ target: 'kind', sampleWeight: 'trust' }),
        size: { loss: logCosh, weight: 0.5 },
      },
    );
  },
  data: async () => ({ train: samples('some', 1, 300), test: samples('some-test', 1000, 40) }),
  optimizer: optimizers.adam({ learningRate: 0.005, ema: 0.95 }),
  ...{ batch: 32, leafSize: 4, epochs: 4 },
};
`;

function resultOf({ status, stdout, stderr }: Ended, expected = 0): TrainResult {
  expect(status, stderr).toBe(expected);
  return JSON.parse(stdout) as TrainResult;
}

it('a recipe with all features has the weights of an undisturbed run when a worker is killed, with int8', async () => {
  const folder = installedFolder({ 'features.js': RECIPE });
  const run = ['train', './features.js', '--compress', 'int8', '--json'];
  const open = ['--listen', '127.0.0.1:0', '--placement', 'all', '--workers', 0, '--min-workers', 2];
  const coordinator = start([...run, ...open, '--steps', 10_000_000, '--run-dir', 'disturbed'], folder);
  const url = await coordinator.joinUrl();
  const joining = (name: string) => start(['worker', url, '--name', name], temporaryFolder());
  const [steady, victim] = [joining('steady'), joining('victim')];
  await coordinator.prints(/2 at work/);
  const successor = joining('successor');
  await coordinator.prints(/successor joined/);
  victim.signal('SIGKILL');
  await coordinator.prints(/victim left \(.*\); 2 at work/);
  coordinator.signal('SIGINT');
  const disturbed = resultOf(await coordinator.ended, 130);
  for (const program of [steady, successor]) expect((await program.ended).status).toBe(0);
  const samples = Object.fromEntries(disturbed.workers.map((worker) => [worker.name, worker.samples]));
  expect(samples).toMatchObject({ victim: expect.any(Number), steady: expect.any(Number) });
  expect(Math.min(samples.victim ?? 0, samples.steady ?? 0)).toBeGreaterThan(0);

  // An interrupted run ends with its weights, a finished one with their average.
  const steps = ['--steps', disturbed.steps + 10, '--workers', 1];
  const resume = ['train', './features.js', '--resume', 'disturbed', '--min-workers', 1, '--json'];
  const resumed = resultOf(await programHere(folder, ...resume, ...steps));
  const alone = resultOf(await programHere(folder, ...run, ...steps, '--backend', 'wasm'));
  expect(resumed).toMatchObject({ weightsSha256: alone.weightsSha256, metrics: alone.metrics });
  // Without either of them, the codec and the average, the weights are others.
  for (const other of [
    ['--ema', 0.5],
    ['--compress', 'none'],
  ]) {
    const { weightsSha256 } = resultOf(await programHere(folder, ...run, ...steps, ...other));
    expect(weightsSha256).not.toBe(alone.weightsSha256);
  }
  const verified = await programHere(folder, 'verify', 'disturbed', '--recipe', './features.js', '--json');
  expect(verified.status, verified.stderr).toBe(0);
  expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, weightsSha256: alone.weightsSha256 });
});
