import { describe, expect, it } from 'vitest';
import { createPlan } from '../../shared/compiler/plan.js';
import { Graph, type Tensor } from '../../shared/graph/graph.js';
import {
  mean,
  minus,
  plus,
  scaleGradient,
  square,
  stopGradient,
} from '../../shared/graph/layers/arithmetic.js';
import { defineLoss } from '../../shared/graph/layers/composed-loss.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { spread } from '../support/numbers.js';
import { Trainer } from '../support/trainer.js';
import { syntheticSamples } from './samples.js';

/** Gradients of a generator, and of a discriminator behind something that changes the gradient only. */
async function gradients(between: (x: Tensor) => Tensor): Promise<Readonly<Record<string, Float32Array>>> {
  const x = new Graph().input('x', [4]);
  const made = dense(3, { activation: 'tanh', name: 'generator' })(x);
  const judged = dense(2, { activation: 'tanh', name: 'discriminator' })(between(made));
  const loss = defineLoss((output, field) => mean(square(minus(output, field('y', [2])))));
  const model = x.graph.model(judged, loss);
  const trainer = await Trainer.open({ model, samples: syntheticSamples(createPlan(model), 6) });
  trainer.plan.parameters.forEach((parameter, i) => {
    trainer.parameter(parameter.name).set(spread(77 + i, parameter.size));
  });
  return trainer.named(trainer.gradient());
}

describe('scaleGradient', () => {
  // Products with these factors are exact, so every element is equal, and not only near.
  it.each([
    ['reverses', -1, (x: Tensor) => scaleGradient(x, -1)],
    ['scales', 0.25, (x: Tensor) => scaleGradient(x, 0.25)],
    ['stops', 0, stopGradient],
    [
      'adds nothing to another way when it stops',
      1,
      (x: Tensor) => plus(x, minus(stopGradient(x), stopGradient(x))),
    ],
  ] as const)('%s the gradient of what comes before, and of nothing else', async (_, factor, between) => {
    const [plain, changed] = [await gradients((x) => x), await gradients(between)];
    expect(Object.keys(plain).sort()).toEqual(Object.keys(changed).sort());
    for (const [name, values] of Object.entries(plain)) {
      expect(
        values.some((value) => value !== 0),
        name,
      ).toBe(true);
      const times = name.startsWith('generator') ? factor : 1;
      // Adding 0 makes -0 a 0.
      expect(
        Array.from(changed[name] as Float32Array, (value) => value + 0),
        name,
      ).toEqual(Array.from(values, (value) => value * times + 0));
    }
  });
});
