import { afterAll, describe, expect, it } from 'vitest';
import { describeGradients } from '../../scripts/gradients/report.js';
import { verdicts } from '../../scripts/gradients/verdict.js';
import { layOutOptimizer, layOutRun } from '../../scripts/training/run-place.js';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { packDataset } from '../../shared/data/dataset.js';
import { Crew } from '../../shared/engine/crew.js';
import { type GradientFigures, GradientWatch } from '../../shared/engine/gradient-watch.js';
import { Machine } from '../../shared/engine/machine.js';
import { sha256Hex } from '../../shared/files/sha256.js';
import { Graph, type Layer } from '../../shared/graph/graph.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import { createPlan } from '../../shared/graph/plan.js';
import { constantUnits } from '../../shared/metrics/vector-figures.js';
import { sgd } from '../../shared/optim/sgd.js';

const [BATCH, LEAF, RATE] = [48, 4, 0.5];
const machines: Machine[] = [];
afterAll(async () => {
  for (const machine of machines) await machine.stop();
});

/** A run of one thread on random samples, and a watch of it. */
async function open(hidden: () => Layer, layers = 1) {
  const machine = await Machine.start(1, 'wasm');
  machines.push(machine);
  const random = new SeededRandom(1);
  const bytes = (count: number, values: number): Uint8Array =>
    Uint8Array.from({ length: count }, () => random.below(values));
  const data = packDataset(
    'watched',
    400,
    {
      x: { dtype: 'u8', shape: [12], bytes: bytes(12 * 400, 256), scale: 1 / 256, shift: 0 },
      y: { dtype: 'u8', shape: [], bytes: bytes(400, 4), scale: 1, shift: 0 },
    },
    sha256Hex,
  );
  const x = new Graph().input('x', [12]);
  const hiddenLayers = Array.from({ length: layers }, hidden);
  const y = sequential([...hiddenLayers, dense(4, { activation: 'softmax' })])(x);
  const plan = createPlan(x.graph.model(y, sparseCategoricalCrossentropy({ target: 'y' })));
  const place = layOutRun(machine, { plan, data, leaf: LEAF, seed: 9 });
  const updater = layOutOptimizer(machine, plan, sgd({ learningRate: RATE }));
  const crew = new Crew(machine.team, place, { batch: BATCH, granule: 1 }, updater);
  const { scalars } = updater.optimizer.update(updater.optimizer.init(), RATE);
  const share = { threads: { from: 0, to: 1 }, leaves: { from: 0, to: BATCH / LEAF } };
  const step = (at: number): Promise<unknown> => crew.stride(at, [share], [scalars]);
  return { watch: new GradientWatch(machine.team, place, BATCH), step };
}

async function oneLook(hidden: () => Layer, layers: number): Promise<GradientFigures> {
  const { watch } = await open(hidden, layers);
  await watch.look(0);
  return watch.take(0)!;
}

describe('a look at backprop', () => {
  it('sees the gradient that the step then takes: the weights move by it, times the rate', async () => {
    const { watch, step } = await open(() => dense(6, { activation: 'tanh' }));
    for (const at of [0, 1, 2]) {
      await watch.look(at);
      await step(at);
      const { layers, samples } = watch.take(at + 1)!;
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

  it('is complete only behind the very next step, and told once', async () => {
    const { watch, step } = await open(() => dense(6, { activation: 'relu' }));
    expect(watch.take(0)).toBeUndefined();
    await watch.look(0);
    await step(0);
    await step(1);
    expect(watch.take(2)!.layers[0]!.parameters[0]).not.toHaveProperty('updateRatio');
    expect(watch.take(2)).toBeUndefined();
  });

  it('sees error terms vanish, explode, and come through, and says so', async () => {
    const sigmoid = await oneLook(() => dense(16, { activation: 'sigmoid' }), 8);
    const ones = await oneLook(() => dense(16, { activation: 'relu', kernelInitializer: 'ones' }), 8);
    const he = await oneLook(() => dense(16, { activation: 'relu', kernelInitializer: 'heNormal' }), 8);
    expect(verdicts(sigmoid).join()).toMatch(/^error terms vanish: .* in dense_8, .* in dense; /);
    expect(verdicts(ones).map((line) => line.slice(0, 14))).toEqual(['error terms ex', 'values explode']);
    expect(verdicts(he)).toEqual([]);
    expect(describeGradients([he])).toHaveLength(2 + 2 * 8 + 1);
  });

  it('counts units that tell no samples apart', () => {
    const values = Float32Array.of(1, 0, 3, 1, 0, 4, 1, 0, 3);
    expect(constantUnits(values, 3)).toBe(2 / 3);
    const verdict = verdicts({
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
    expect(verdict).toEqual(['most units are dead in b; try a lower --lr, or leakyRelu']);
  });
});
