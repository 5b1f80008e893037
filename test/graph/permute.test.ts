import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../shared/errors.js';
import { Graph } from '../../shared/graph/graph.js';
import { permute } from '../../shared/graph/layers/reshape.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { createPlan } from '../../shared/graph/plan.js';
import { Trainer } from '../support/trainer.js';
import { madeUpSamples } from './samples.js';

/** Shapes of up to five axes, and an order of them. */
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

/** Where element `at` of the result comes from, index by index. */
function sourceOf(shape: readonly number[], dims: readonly number[], at: number): number {
  const index: number[] = Array(shape.length).fill(0);
  let rest = at;
  for (const axis of [...dims].reverse()) {
    const size = shape[axis - 1] as number;
    index[axis - 1] = rest % size;
    rest = Math.floor(rest / size);
  }
  return index.reduce((place, i, axis) => place * (shape[axis] as number) + i, 0);
}

async function permuted(shape: number[], dims: number[], rows: number) {
  const x = new Graph().input('x', shape);
  const model = x.graph.model(permute(dims)(x), meanSquaredError({ target: 'y' }));
  const samples = madeUpSamples(createPlan(model), rows);
  const trainer = await Trainer.open({ model, samples });
  return { output: [...trainer.predict()], input: Array.from(samples.x?.values ?? []) };
}

describe('permute', () => {
  it('puts every element where its index says, whatever the shape and the order', async () => {
    await fc.assert(
      fc.asyncProperty(orders, async ({ shape, dims, rows }) => {
        const elements = shape.reduce((a, b) => a * b, 1);
        const result = await permuted(shape, dims, rows).catch((error: unknown) => {
          // Five axes that all part company are told, not computed.
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
