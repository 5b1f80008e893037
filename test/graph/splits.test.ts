import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPlan } from '../../shared/compiler/plan.js';
import { leavesPerGroupOf } from '../../shared/engine/step/leaves-per-group.js';
import { type LeafRange, leafCount } from '../../shared/reduction/tree.js';
import { Trainer } from '../support/trainer.js';
import { evaluatesAsItTrains, MODELS, type ModelName } from './models.js';
import { syntheticSamples } from './samples.js';

const NAMES = Object.keys(MODELS) as ModelName[];
const SAMPLES = 23;

async function open(name: ModelName, leafSize: number): Promise<Trainer> {
  const model = MODELS[name]();
  const trainer = await Trainer.open({
    model,
    leafSize,
    samples: syntheticSamples(createPlan(model), SAMPLES),
  });
  trainer.initialise(5);
  return trainer;
}

/** Ranges that cover all leaves, split at multiples of leavesPerGroup, in any order. */
function splits(leaves: number, leavesPerGroup: number): fc.Arbitrary<LeafRange[]> {
  return fc
    .uniqueArray(fc.integer({ min: 1, max: Math.max(Math.ceil(leaves / leavesPerGroup) - 1, 1) }), {
      maxLength: 5,
    })
    .map((inner) => inner.map((edge) => edge * leavesPerGroup))
    .map((inner) => [0, ...inner.filter((edge) => edge < leaves).sort((a, b) => a - b), leaves])
    .map((edges) => edges.slice(1).map((to, i) => ({ from: edges[i] as number, to })))
    .chain((ranges) => fc.shuffledSubarray(ranges, { minLength: ranges.length }));
}

const bits = (vector: Float32Array): number[] => [...new Uint32Array(vector.buffer)];

describe('a batch that is split into ranges of leaves', () => {
  it.each(NAMES)('has the same sums as the whole batch, bit for bit: %s', async (name) => {
    for (const leafSize of [1, 3, 6]) {
      const trainer = await open(name, leafSize);
      const whole = bits(trainer.gradient());
      fc.assert(
        fc.property(
          splits(leafCount(SAMPLES, leafSize), leavesPerGroupOf(trainer.plan, leafSize)),
          (ranges) => {
            expect(bits(trainer.gradient(ranges))).toEqual(whole);
          },
        ),
        { numRuns: 15 },
      );
    }
  });

  it.each(NAMES)(
    'has different bits with other leaf sizes, so the comparison of bits is meaningful: %s',
    async (name) => {
      const vectors = [];
      for (const leafSize of [1, 3, 6]) vectors.push(bits((await open(name, leafSize)).gradient()));
      expect(vectors[0]).not.toEqual(vectors[1]);
      expect(vectors[1]).not.toEqual(vectors[2]);
    },
  );

  it.each(NAMES.filter(evaluatesAsItTrains))(
    'has the same metric sums in evaluation as in training: %s',
    async (name) => {
      const trainer = await open(name, 3);
      expect(bits(trainer.evaluate())).toEqual(bits(trainer.sums(trainer.gradient())));
    },
  );
});
