import { expect, it } from 'vitest';
import { createPlan, type Plan } from '../../shared/compiler/plan.js';
import { MODELS, type ModelName } from '../graph/models.js';
import { syntheticSamples } from '../graph/samples.js';
import { Recorder } from '../support/recorder.js';
import { Trainer } from '../support/trainer.js';

const NAMES = Object.keys(MODELS) as ModelName[];

/** The same model without fusions. */
function unfused(plan: Plan): Plan {
  return {
    ...plan,
    emitTraining: (to, range) => plan.emitTraced(to, { ...range, traced: () => {} }),
    scratchBytes: (rows) => plan.tracedBytes(rows),
  };
}

async function gradientOf(name: ModelName, plan: Plan): Promise<number[]> {
  const model = MODELS[name]();
  const trainer = await Trainer.open({ model, plan, samples: syntheticSamples(plan, 7) });
  trainer.initialise(3);
  return [...new Uint32Array(trainer.gradient().buffer)];
}

it.each(NAMES)('fusions do not change the bits: %s', async (name) => {
  const plan = createPlan(MODELS[name]());
  expect(await gradientOf(name, plan)).toEqual(await gradientOf(name, unfused(plan)));
});

it('a convolution applies the relu after it, and a max pool the derivative of the relu before it', async () => {
  const plan = createPlan(MODELS.images());
  const recorder = new Recorder();
  const recorded: Plan = {
    ...plan,
    emitTraining(to, range) {
      plan.emitTraining(recorder, range);
      plan.emitTraining(to, range);
    },
  };
  await gradientOf('images', recorded);
  expect(recorder.calls.filter(({ name }) => name.startsWith('relu'))).toEqual([]);
  const pools = recorder.calls.filter(({ name }) => name === 'maxPoolBackward');
  expect(pools.map(({ args }) => args.activation)).toEqual([1]);
});
