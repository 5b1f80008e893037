import { describe, expect, it } from 'vitest';
import { createPlan } from '../../shared/compiler/plan.js';
import { Graph } from '../../shared/graph/graph.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { learning } from '../../shared/graph/layers/learning.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { Trainer } from '../support/trainer.js';
import { MODELS } from './models.js';
import { syntheticSamples } from './samples.js';

describe('the learning of a layer', () => {
  it('is stored with its parameters, and kept out of the gradient where they are frozen', () => {
    const plan = createPlan(MODELS.frozen());
    const frozen = plan.parameters.filter(({ isFrozen }) => isFrozen).map(({ name }) => name);
    expect(frozen).toEqual([
      ...['mid/bias', 'mid/kernel', 'norm/beta', 'norm/gamma', 'norm/movingMean', 'norm/movingVariance'],
    ]);
    expect(plan.gradientFloats).toBe(plan.trainedFloats);
    expect(plan.parameterFloats).toBeGreaterThan(plan.gradientFloats);
    expect(plan.group).toBe(1);
    const { parameters } = plan.model;
    expect(parameters.find(({ name }) => name === 'last/kernel')).toMatchObject({ rate: 0.25, decay: 0 });
  });

  it('leaves frozen parameters as they are', async () => {
    const model = MODELS.frozen();
    const trainer = await Trainer.open({ model, samples: syntheticSamples(createPlan(model), 6) });
    trainer.initialise(3);
    const before = trainer.parameters();
    const first = trainer.step();
    expect(trainer.step()).toBeLessThan(first);
    const after = trainer.parameters();
    const changed = Object.keys(after).filter((name) => String(after[name]) !== String(before[name]));
    expect(changed).toEqual(['first/bias', 'first/kernel', 'last/bias', 'last/kernel']);
  });

  it('is combined where it is nested', () => {
    const x = new Graph().input('x', [2]);
    const slow = learning(dense(2, { name: 'slow' }), { rate: 0.5 });
    const slower = learning(slow, { rate: 0.1, decay: 2 });
    const frozen = learning(dense(2, { name: 'frozen' }), { trainable: false });
    const { parameters } = x.graph.model(
      learning(frozen, { rate: 2 })(slower(x)),
      meanSquaredError({ target: 'y' }),
    );
    expect(parameters.map(({ name, trainable, rate, decay }) => ({ name, trainable, rate, decay }))).toEqual([
      { name: 'frozen/bias', trainable: false, rate: undefined, decay: undefined },
      { name: 'frozen/kernel', trainable: false, rate: undefined, decay: undefined },
      { name: 'slow/bias', trainable: undefined, rate: 0.05, decay: 2 },
      { name: 'slow/kernel', trainable: undefined, rate: 0.05, decay: 2 },
    ]);
  });

  it('refuses what nobody means', () => {
    const x = new Graph().input('x', [2]);
    const twice = dense(2);
    learning(twice, { trainable: false })(x);
    expect(() => twice(x)).toThrow('is used twice, and is to learn otherwise');
    expect(() => learning(dense(2), { rate: 0 })).toThrow('a rate above 0');
    expect(() => learning(dense(2), { decay: -1 })).toThrow('a decay of 0 or more');
    expect(() => learning(dense(2), { trainble: false } as object)).toThrow('trainable');
    expect(() => dense(2, { trainable: false } as object)).toThrow(
      'learning(dense(...), { trainable: false })',
    );
  });
});
