import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { granuleOf } from '../../shared/engine/granule.js';
import { createPlan } from '../../shared/graph/plan.js';
import { leafCount, type Range } from '../../shared/sum/leaves.js';
import { Trainer } from '../support/trainer.js';
import { evaluatesAsItTrains, MODELS, type ModelName } from './models.js';
import { madeUpSamples } from './samples.js';

const NAMES = Object.keys(MODELS) as ModelName[];
const SAMPLES = 23;

async function open(name: ModelName, leafSize: number): Promise<Trainer> {
  const model = MODELS[name]();
  const trainer = await Trainer.open({ model, leafSize, samples: madeUpSamples(createPlan(model), SAMPLES) });
  trainer.initialise(5);
  return trainer;
}

/** Ranges that cover all leaves, cut anywhere between granules and in any order. */
function cuts(leaves: number, granule: number): fc.Arbitrary<Range[]> {
  return fc
    .uniqueArray(fc.integer({ min: 1, max: Math.max(Math.ceil(leaves / granule) - 1, 1) }), { maxLength: 5 })
    .map((inner) => inner.map((cut) => cut * granule))
    .map((inner) => [0, ...inner.filter((cut) => cut < leaves).sort((a, b) => a - b), leaves])
    .map((edges) => edges.slice(1).map((to, i) => ({ from: edges[i] as number, to })))
    .chain((ranges) => fc.shuffledSubarray(ranges, { minLength: ranges.length }));
}

const bits = (vector: Float32Array): number[] => [...new Uint32Array(vector.buffer)];

describe('a batch that is cut in ranges of leaves', () => {
  it.each(NAMES)('sums to the bits of the whole: %s', async (name) => {
    for (const leafSize of [1, 3, 6]) {
      const trainer = await open(name, leafSize);
      const whole = bits(trainer.gradient());
      fc.assert(
        fc.property(cuts(leafCount(SAMPLES, leafSize), granuleOf(trainer.plan, leafSize)), (ranges) => {
          expect(bits(trainer.gradient(ranges))).toEqual(whole);
        }),
        { numRuns: 15 },
      );
    }
  });

  it.each(NAMES)('has other bits with other leaves, so that equal bits say something: %s', async (name) => {
    const vectors = [];
    for (const leafSize of [1, 3, 6]) vectors.push(bits((await open(name, leafSize)).gradient()));
    expect(vectors[0]).not.toEqual(vectors[1]);
    expect(vectors[1]).not.toEqual(vectors[2]);
  });

  it.each(NAMES.filter(evaluatesAsItTrains))('evaluates to the metric sums of training: %s', async (name) => {
    const trainer = await open(name, 3);
    expect(bits(trainer.evaluate())).toEqual(bits(trainer.sums(trainer.gradient())));
  });
});
