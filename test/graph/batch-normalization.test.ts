import { describe, expect, it } from 'vitest';
import { createPlan } from '../../shared/compiler/plan.js';
import { leavesPerGroupOf } from '../../shared/engine/step/leaves-per-group.js';
import { AssertionError, UserError } from '../../shared/errors.js';
import { Graph, type Layer } from '../../shared/graph/graph.js';
import { batchNormalization } from '../../shared/graph/layers/batch-normalization.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import type { Model } from '../../shared/graph/model.js';
import { parseModel } from '../../shared/graph/resolve.js';
import { sgd } from '../../shared/optim/sgd.js';
import { spread } from '../support/numbers.js';
import { Trainer } from '../support/trainer.js';
import { MODELS } from './models.js';
import { syntheticSamples } from './samples.js';

const ROWS = 10;

function modelOf(...layers: Layer[]): Model {
  const x = new Graph().input('x', [3]);
  return x.graph.model(sequential(layers)(x), meanSquaredError({ target: 'y' }));
}

async function open(model: Model): Promise<{ trainer: Trainer; x: Float32Array }> {
  const samples = syntheticSamples(createPlan(model), ROWS);
  const trainer = await Trainer.open({ model, samples, optimizer: sgd({ learningRate: 0 }) });
  trainer.initialise(1);
  return { trainer, x: Float32Array.from(samples.x?.values ?? []) };
}

/** Mean and variance of column c of rows from `from` to `to`. */
function statistics(
  x: Float32Array,
  c: number,
  from: number,
  to: number,
): { mean: number; variance: number } {
  const column = Array.from({ length: to - from }, (_, r) => x[(from + r) * 3 + c] as number);
  const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
  const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / column.length;
  return { mean, variance };
}

const all = (f: (r: number, c: number) => number): number[] =>
  Array.from({ length: ROWS * 3 }, (_, i) => f(Math.floor(i / 3), i % 3));

function expectNear(actual: ArrayLike<number>, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => void expect(actual[i]).toBeCloseTo(value, 5));
}

describe('batch normalisation', () => {
  it('normalises each group separately in training, and with moving averages in prediction', async () => {
    const { trainer, x } = await open(modelOf(batchNormalization({ virtualBatchSize: 4 })));
    const [gamma, beta] = ['gamma', 'beta'].map((role, i) => {
      const values = spread(5 + i, 3);
      trainer.parameter(`batchNormalization/${role}`).set(values);
      return values;
    }) as [Float32Array, Float32Array];
    trainer.parameter('batchNormalization/movingMean').set([0.5, -1, 2]);
    trainer.parameter('batchNormalization/movingVariance').set([0.25, 4, 1]);
    const scaled = (
      value: number,
      c: number,
      { mean, variance }: { mean: number; variance: number },
    ): number => ((value - mean) / Math.sqrt(variance + 1e-3)) * (gamma[c] as number) + (beta[c] as number);
    const given = (c: number) => ({ mean: [0.5, -1, 2][c] as number, variance: [0.25, 4, 1][c] as number });
    expectNear(
      trainer.predict(),
      all((r, c) => scaled(x[r * 3 + c] as number, c, given(c))),
    );
    const inGroups = all((r, c) => {
      const from = r - (r % 4);
      return scaled(x[r * 3 + c] as number, c, statistics(x, c, from, Math.min(from + 4, ROWS)));
    });
    expectNear(trainer.trainingOutput(3), inGroups);
  });

  it('moves its averages only towards the mean of the statistics of its groups', async () => {
    const { trainer, x } = await open(modelOf(batchNormalization({ virtualBatchSize: 4, momentum: 0.75 })));
    const measured = [0, 1, 2].map((c) => {
      const groups = [0, 4, 8].map((from) => {
        const to = Math.min(from + 4, ROWS);
        return { ...statistics(x, c, from, to), share: (to - from) / ROWS };
      });
      const mean = groups.reduce((sum, group) => sum + group.share * group.mean, 0);
      return { mean, variance: groups.reduce((sum, group) => sum + group.share * group.variance, 0) };
    });
    const averages = () =>
      ['movingMean', 'movingVariance'].map((role) => [...trainer.parameter(`batchNormalization/${role}`)]);
    expect(averages()).toEqual([
      [0, 0, 0],
      [1, 1, 1],
    ]);
    trainer.step();
    expectNear(
      averages().flat(),
      [
        measured.map(({ mean }) => 0.25 * mean),
        measured.map(({ variance }) => 0.75 + 0.25 * variance),
      ].flat(),
    );
    for (let step = 0; step < 60; step++) trainer.step();
    expectNear(averages().flat(), [
      ...measured.map(({ mean }) => mean),
      ...measured.map(({ variance }) => variance),
    ]);
  });

  it('places moving averages after all parameters that an optimizer updates', () => {
    for (const name of ['batch-norm', 'batch-norm-images'] as const) {
      const { parameters, trainedFloats, parameterFloats } = createPlan(MODELS[name]());
      expect(parameters.map((parameter) => parameter.name)).toEqual(parameters.map((p) => p.name).sort());
      for (const parameter of parameters) {
        expect(parameter.offset >= trainedFloats).toBe(/\/moving/.test(parameter.name));
        expect(parameter.momentum !== undefined).toBe(/\/moving/.test(parameter.name));
      }
      expect(parameterFloats).toBeGreaterThan(trainedFloats);
    }
  });

  it('never splits a group', async () => {
    const plan = createPlan(MODELS['batch-norm-images']());
    expect(plan.group).toBe(12);
    expect([1, 2, 3, 6, 12].map((leaf) => leavesPerGroupOf(plan, leaf))).toEqual([12, 6, 4, 2, 1]);
    expect(() => leavesPerGroupOf(plan, 8)).toThrow(UserError);
    expect(() => leavesPerGroupOf(plan, 8)).toThrow(/groups of 12 samples, which leaves of 8 do not divide/);
    expect(leavesPerGroupOf(createPlan(MODELS.images()), 8)).toBe(1);
    const { trainer } = await open(modelOf(batchNormalization({ virtualBatchSize: 4 })));
    const ranges = [
      { from: 0, to: 1 },
      { from: 1, to: 5 },
    ];
    expect(() => trainer.gradient(ranges)).toThrow(AssertionError);
  });

  it('refuses a layer that is used twice, and a model that shares a moving average', () => {
    const layer = batchNormalization({ name: 'norm' });
    const again = /layer norm:2: its \w+ norm\/\w+ is used elsewhere/;
    expect(() => modelOf(layer, dense(3), layer)).toThrow(again);
    const model = modelOf(batchNormalization({ name: 'norm' }), batchNormalization({ name: 'other' }));
    const nodes = model.nodes.map((node) => ({
      ...node,
      parameters: { ...node.parameters, beta: 'norm/movingMean' },
    }));
    const parameters = model.parameters.filter(({ name }) => !name.endsWith('beta'));
    expect(() => parseModel({ ...model, nodes, parameters })).toThrow(/norm\/movingMean is used elsewhere/);
  });

  it.each([
    ['a group of one', { virtualBatchSize: 1 }, /layer batchNormalization: virtualBatchSize/],
    ['a momentum of 1', { momentum: 1 }, /layer batchNormalization: momentum/],
    ['no epsilon', { epsilon: 0 }, /layer batchNormalization: epsilon/],
  ])('refuses %s', (_, options, message) => {
    expect(() => modelOf(batchNormalization(options))).toThrow(message);
  });
});
