import { describe, expect, it } from 'vitest';
import { createPlan } from '../../shared/compiler/plan.js';
import { spread } from '../support/numbers.js';
import { Trainer } from '../support/trainer.js';
import { numericalGradients, worstError } from './finite-differences.js';
import { MODELS, type ModelName } from './models.js';
import { syntheticSamples } from './samples.js';

const NAMES = Object.keys(MODELS) as ModelName[];

/** A model with random weights and samples. */
async function open(name: ModelName): Promise<Trainer> {
  const model = MODELS[name]();
  const trainer = await Trainer.open({ model, samples: syntheticSamples(createPlan(model), 6) });
  trainer.plan.parameters.forEach((parameter, i) => {
    const values = spread(77 + i, parameter.size);
    // Variances are not negative.
    trainer.parameter(parameter.name).set(/Variance$/.test(parameter.name) ? values.map(Math.abs) : values);
  });
  return trainer;
}

describe('every element of every gradient', () => {
  it.each(NAMES)('agrees with finite differences: %s', async (name) => {
    const trainer = await open(name);
    const gradients = trainer.named(trainer.gradient());
    for (const [parameter, expected] of Object.entries(numericalGradients(trainer))) {
      expect(worstError(gradients[parameter] as Float32Array, expected), parameter).toBeLessThan(2e-3);
    }
  });

  it('would be distinguished from a wrong one', async () => {
    const trainer = await open('classifier');
    const gradients = trainer.named(trainer.gradient());
    for (const [parameter, expected] of Object.entries(numericalGradients(trainer))) {
      const wrong = (gradients[parameter] as Float32Array).slice();
      const largest = wrong.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      wrong[wrong.length - 1] = (wrong.at(-1) as number) + 0.01 * largest + 0.003;
      expect(worstError(wrong, expected), parameter).toBeGreaterThan(2e-3);
    }
  });
});
