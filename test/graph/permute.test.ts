import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPlan } from '../../shared/compiler/plan.js';
import { UserError } from '../../shared/errors.js';
import { Graph } from '../../shared/graph/graph.js';
import { permute } from '../../shared/graph/layers/reshape.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { Trainer } from '../support/trainer.js';
import { syntheticSamples } from './samples.js';

/** Shapes of up to five axes, and permutations of them. */
const orders = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }).chain((shape) =>
  fc.record({
    shape: fc.constant(shape),
    rows: fc.integer({ min: 1, max: 3 }),
    dims: fc.shuffledSubarray(
      shape.map((_, axis) => axis + 1),
      { minLength: shape.length },
    ),
  }),
);

/** The index in the input of element `at` of the result. */
function sourceOf(shape: readonly number[], dims: readonly number[], at: number): number {
  const index: number[] = Array(shape.length).fill(0);
  let rest = at;
  for (const axis of [...dims].reverse()) {
    const size = shape[axis - 1] as number;
    index[axis - 1] = rest % size;
    rest = Math.floor(rest / size);
  }
  return index.reduce((offset, i, axis) => offset * (shape[axis] as number) + i, 0);
}

async function permuted(shape: number[], dims: number[], rows: number) {
  const x = new Graph().input('x', shape);
  const model = x.graph.model(permute(dims)(x), meanSquaredError({ target: 'y' }));
  const samples = syntheticSamples(createPlan(model), rows);
  const trainer = await Trainer.open({ model, samples });
  return { output: [...trainer.predict()], input: Array.from(samples.x?.values ?? []) };
}

describe('permute', () => {
  it('moves every element to its permuted index, for all shapes and permutations', async () => {
    await fc.assert(
      fc.asyncProperty(orders, async ({ shape, dims, rows }) => {
        const elements = shape.reduce((a, b) => a * b, 1);
        const result = await permuted(shape, dims, rows).catch((error: unknown) => {
          // More than four groups of axes are refused.
          expect(error).toBeInstanceOf(UserError);
          expect(shape.filter((size) => size > 1).length).toBe(5);
        });
        result?.output.forEach((value, i) => {
          const row = Math.floor(i / elements);
          expect(value).toBe(result.input[row * elements + sourceOf(shape, dims, i % elements)]);
        });
      }),
      { numRuns: 60 },
    );
  });
});
