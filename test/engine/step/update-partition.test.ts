import { expect, it } from 'vitest';
import { createPlan } from '../../../shared/compiler/plan.js';
import { evenSpans, partitionUpdate } from '../../../shared/engine/step/update-partition.js';
import { Graph } from '../../../shared/graph/graph.js';
import { dense } from '../../../shared/graph/layers/dense.js';
import { meanSquaredError } from '../../../shared/graph/losses/mean-squared-error.js';
import { NORM_BLOCK_FLOATS } from '../../../shared/kernels/memory-map.js';
import { LEAVES_MAX } from '../../../shared/reduction/tree.js';

/** One layer of `width` by `width`. */
function planOf(width: number) {
  const x = new Graph().input('x', [width]);
  return createPlan(x.graph.model(dense(width)(x), meanSquaredError({ target: 'y' })));
}

// A vector may have more numbers than a batch has leaves: the limit on leaves must not limit it.
it.each([
  ['few numbers', 20],
  ['more numbers than a batch can have leaves', 4200],
])('divides the end of a step between threads, in nearly equal slices without a gap: %s', (_, width) => {
  const plan = planOf(width);
  expect(plan.vectorFloats > LEAVES_MAX).toBe(width > 20);
  for (const threads of [1, 2, 3, 7]) {
    const { slices } = partitionUpdate(plan, threads);
    expect(slices).toHaveLength(threads);
    let [at, block] = [0, 0];
    for (const { from, to, firstBlock, lastBlock } of slices) {
      expect([from, firstBlock]).toEqual([at, block]);
      expect(Math.abs(to - from - plan.vectorFloats / threads)).toBeLessThan(2 * NORM_BLOCK_FLOATS);
      [at, block] = [to, lastBlock];
    }
    expect(at).toBe(plan.vectorFloats);
  }
});

it.each([64, 1600, 2 ** 29])(
  'divides a vector of %i numbers into nearly equal spans at cache lines',
  (floats) => {
    for (const parts of [1, 2, 3, 7]) {
      const spans = evenSpans(floats, parts);
      expect(spans).toHaveLength(parts);
      let at = 0;
      for (const { from, to } of spans) {
        expect(from).toBe(at);
        expect(to % 16).toBe(0);
        expect(Math.abs(to - from - floats / parts)).toBeLessThan(16);
        at = to;
      }
      expect(at).toBe(floats);
    }
  },
);
