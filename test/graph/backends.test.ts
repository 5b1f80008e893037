import { describe, expect, it } from 'vitest';
import { createPlan } from '../../shared/compiler/plan.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import { BACKENDS } from '../../shared/kernels/kernels.js';
import { adam } from '../../shared/optim/adam.js';
import { Trainer } from '../support/trainer.js';
import { MODELS, type ModelName } from './models.js';
import { syntheticSamples } from './samples.js';

const NAMES = Object.keys(MODELS) as ModelName[];
const STEPS = 10;

/** The bits of all weights after ten steps. */
async function train(name: ModelName, backend: Backend): Promise<Record<string, number[]>> {
  const model = MODELS[name]();
  const samples = syntheticSamples(createPlan(model), 19);
  const optimizer = adam({ learningRate: 0.02 });
  const trainer = await Trainer.open({ model, samples, optimizer, leafSize: 3, backend });
  trainer.initialise(11);
  for (let step = 0; step < STEPS; step++) trainer.step();
  const named = Object.entries(trainer.parameters());
  return Object.fromEntries(named.map(([key, values]) => [key, [...new Uint32Array(values.buffer)]]));
}

/** The builds that run on this machine; the native one is missing without a C compiler. */
async function available(): Promise<Backend[]> {
  const tried = BACKENDS.map(async (backend) => {
    try {
      await train('classifier', backend);
      return [backend];
    } catch (error) {
      if (backend !== 'native') throw error;
      return [];
    }
  });
  return (await Promise.all(tried)).flat();
}

describe('the builds of the kernels', () => {
  it.each(NAMES)('give the same weights: %s', async (name) => {
    const backends = await available();
    const [first, ...others] = await Promise.all(backends.map((backend) => train(name, backend)));
    expect(others.length).toBeGreaterThan(0);
    for (const other of others) expect(other).toEqual(first);
  });
});
