import { describe, expect, it } from 'vitest';
import { createPlan } from '../../shared/compiler/plan.js';
import { adam } from '../../shared/optim/adam.js';
import type { OptimizerSettings } from '../../shared/optim/settings.js';
import { sgd } from '../../shared/optim/sgd.js';
import { type Golden, type GoldenTensors, readGolden } from '../golden/read.js';
import type { Column, Columns } from '../support/samples.js';
import { type Named, Trainer } from '../support/trainer.js';
import { worstError } from './finite-differences.js';
import { MODELS, type ModelName } from './models.js';

/** The optimizers of scripts/dev/golden/generate.py. */
const OPTIMIZERS: Partial<Record<ModelName, OptimizerSettings>> = {
  classifier: adam({ learningRate: 0.05 }),
  'soft-targets': adam({ learningRate: 0.02, weightDecay: 0.1 }),
  regression: sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true }),
  residual: sgd({ learningRate: 0.1, momentum: 0.8, weightDecay: 0.01 }),
  sequence: sgd({ learningRate: 0.5 }),
  probabilities: sgd({ learningRate: 0.1 }),
  absolute: sgd({ learningRate: 0.05 }),
  huber: sgd({ learningRate: 0.05 }),
  binary: sgd({ learningRate: 0.05 }),
  detection: sgd({ learningRate: 0.1 }),
  ctc: sgd({ learningRate: 0.3 }),
  gpt: sgd({ learningRate: 0.2, momentum: 0.9 }),
  'reversible-embedding': sgd({ learningRate: 0.2 }),
  'cross-attention': sgd({ learningRate: 0.2 }),
  'batch-norm': sgd({ learningRate: 0.2, momentum: 0.9 }),
  'batch-norm-images': sgd({ learningRate: 0.1 }),
  axes: sgd({ learningRate: 0.1 }),
  images: adam({ learningRate: 0.01 }),
  enlarged: sgd({ learningRate: 0.1 }),
  strided: sgd({ learningRate: 0.1 }),
  volumes: sgd({ learningRate: 0.1 }),
  'volumes-stride-1': sgd({ learningRate: 0.05 }),
  'volumes-groups': sgd({ learningRate: 0.02 }),
  lstm: adam({ learningRate: 0.02 }),
  gru: adam({ learningRate: 0.02 }),
  'simple-rnn': sgd({ learningRate: 0.1, momentum: 0.9 }),
  reverse: sgd({ learningRate: 0.1 }),
  'recurrent-states': sgd({ learningRate: 0.1 }),
  'smoothed-ignored': sgd({ learningRate: 0.3 }),
  'smoothed-soft': sgd({ learningRate: 0.2 }),
  'smoothed-probabilities': sgd({ learningRate: 0.1 }),
  'smoothed-binary': sgd({ learningRate: 0.1 }),
  'rms-swiglu': sgd({ learningRate: 0.1 }),
  'rotary-attention': sgd({ learningRate: 0.1 }),
  'conv-group-norm': sgd({ learningRate: 0.1 }),
  'weighted-numbers': sgd({ learningRate: 0.3 }),
};

const CASES = Object.entries(OPTIMIZERS) as [ModelName, OptimizerSettings][];

async function open(name: ModelName, optimizer: OptimizerSettings, golden: Golden): Promise<Trainer> {
  const model = MODELS[name]();
  const trainer = await Trainer.open({
    model,
    optimizer,
    samples: columnsOf(golden, createPlan(model).fields),
  });
  for (const [parameter, { values }] of Object.entries(golden.weights))
    trainer.parameter(parameter).set(values);
  return trainer;
}

function columnsOf(golden: Golden, fields: readonly { name: string; dtype: 'f32' | 'i32' }[]): Columns {
  const columns = fields.map(({ name, dtype }): [string, Column] => {
    const { shape, values } = golden.data[name] as GoldenTensors[string];
    return [name, { dtype, shape: shape.slice(1), values }];
  });
  return Object.fromEntries(columns);
}

function expectClose(actual: Named, expected: GoldenTensors, tolerance: number): void {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, { values }] of Object.entries(expected)) {
    expect(worstError(actual[name] as Float32Array, Float32Array.from(values)), name).toBeLessThan(tolerance);
  }
}

describe('models compared with PyTorch', () => {
  it.each(CASES)('have the same first loss and gradients: %s', async (name, optimizer) => {
    const golden = readGolden(name);
    const trainer = await open(name, optimizer, golden);
    const vector = trainer.gradient();
    expectClose(trainer.named(vector), golden.gradients, 1e-6);
    expect(trainer.means(trainer.sums(vector)).loss).toBeCloseTo(golden.losses[0] as number, 6);
  });

  it.each(CASES)('have the same ten losses and final weights: %s', async (name, optimizer) => {
    const golden = readGolden(name);
    const trainer = await open(name, optimizer, golden);
    golden.losses.forEach((expected, step) => {
      expect(Math.abs(trainer.step() - expected) / expected, `loss of step ${step}`).toBeLessThan(1e-5);
    });
    expectClose(trainer.parameters(), golden.finalWeights, 1e-5);
  });
});
