import { expect, it } from 'vitest';
import { createPlan, type Plan } from '../../shared/graph/plan.js';
import { Recorder } from '../support/recorder.js';
import { Trainer } from '../support/trainer.js';
import { MODELS, type ModelName } from './models.js';
import { madeUpSamples } from './samples.js';

const NAMES = Object.keys(MODELS) as ModelName[];

/** The same model with every op in calls of its own. */
function unfused(plan: Plan): Plan {
  return {
    ...plan,
    emitTraining: (to, job) => plan.emitTraced(to, { ...job, traced: () => {} }),
    scratchBytes: (rows) => plan.tracedBytes(rows),
  };
}

async function gradientOf(name: ModelName, plan: Plan): Promise<number[]> {
  const model = MODELS[name]();
  const trainer = await Trainer.open({ model, plan, samples: madeUpSamples(plan, 7) });
  trainer.initialise(3);
  return [...new Uint32Array(trainer.gradient().buffer)];
}

it.each(NAMES)('two ops in one call give the bits of two calls: %s', async (name) => {
  const plan = createPlan(MODELS[name]());
  expect(await gradientOf(name, plan)).toEqual(await gradientOf(name, unfused(plan)));
});

it('a max pool takes the derivative of the relu before it over, and a convolution the relu', async () => {
  const plan = createPlan(MODELS.images());
  const recorder = new Recorder();
  const watched: Plan = {
    ...plan,
    emitTraining(to, job) {
      plan.emitTraining(recorder, job);
      plan.emitTraining(to, job);
    },
  };
  await gradientOf('images', watched);
  expect(recorder.calls.filter(({ name }) => name.startsWith('relu'))).toEqual([]);
  const pools = recorder.calls.filter(({ name }) => name === 'maxPoolBackward');
  expect(pools.map(({ args }) => args.activation)).toEqual([1]);
});
