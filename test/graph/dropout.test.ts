import { describe, expect, it } from 'vitest';
import { createPlan } from '../../shared/compiler/plan.js';
import { UserError } from '../../shared/errors.js';
import { Graph } from '../../shared/graph/graph.js';
import { dropout } from '../../shared/graph/layers/dropout.js';
import { lstm } from '../../shared/graph/layers/recurrent.js';
import { Trainer } from '../support/trainer.js';
import { dropoutModel } from './random-models.js';
import { syntheticSamples } from './samples.js';

async function open(rate: number): Promise<Trainer> {
  const model = dropoutModel(rate);
  const trainer = await Trainer.open({
    model,
    samples: syntheticSamples(createPlan(model), 20),
    leafSize: 4,
  });
  trainer.initialise(3);
  return trainer;
}

describe('dropout', () => {
  it('does nothing in evaluation and prediction', async () => {
    const [dropping, plain] = [await open(0.4), await open(0)];
    expect(dropping.parameters()).toEqual(plain.parameters());
    expect(dropping.evaluate()).toEqual(plain.evaluate());
    expect(dropping.predict()).toEqual(plain.predict());
    expect(dropping.gradient()).not.toEqual(plain.gradient());
  });

  it('draws different masks at each step, and the same for the same step', async () => {
    const trainer = await open(0.4);
    const gradients = [0, 1, 2, 1].map((step) => {
      trainer.goTo(step);
      return trainer.gradient();
    });
    expect(gradients[1]).toEqual(gradients[3]);
    expect(new Set(gradients.map(String)).size).toBe(3);
  });

  it('gives dropped elements no gradient', async () => {
    const trainer = await open(0.4);
    const kernel = trainer.named(trainer.gradient())['dense/kernel'] as Float32Array;
    // A unit that is dropped for all 20 samples would have no gradient; at this rate there is no such unit.
    expect(kernel.every((value) => value !== 0)).toBe(true);
    const nearlyAll = await open(0.9999);
    const rare = nearlyAll.named(nearlyAll.gradient())['dense/kernel'] as Float32Array;
    expect(rare.filter((value) => value === 0).length).toBeGreaterThan(rare.length / 2);
  });

  it.each([-0.1, 1, Number.NaN])('refuses a rate of %d', (rate) => {
    const x = new Graph().input('x', [4, 3]);
    const refusal = `layer dropout: the dropout rate must be at least 0 and below 1, not ${rate}`;
    expect(() => dropout(rate)(x)).toThrow(new UserError(refusal));
    expect(() => lstm(3, { dropout: rate })(x)).toThrow(/layer lstm: the dropout rate/);
  });

  it('with rate 0 adds no node to the model', () => {
    expect(dropoutModel(0).nodes.map(({ op }) => op)).not.toContain('dropout');
  });
});
