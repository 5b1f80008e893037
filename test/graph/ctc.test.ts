import { describe, expect, it } from 'vitest';
import { createPlan } from '../../shared/compiler/plan.js';
import { Graph } from '../../shared/graph/graph.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { ctc } from '../../shared/graph/losses/ctc.js';
import { spread } from '../support/numbers.js';
import { Trainer } from '../support/trainer.js';

const [STEPS, CLASSES, LENGTH] = [4, 3, 3];

/** The loss of a model whose dense layer is the identity, so that the samples are the logits. */
async function lossOf(logits: Float32Array, labels: readonly number[]): Promise<number> {
  const x = new Graph().input('x', [STEPS, CLASSES]);
  const model = x.graph.model(dense(CLASSES)(x), ctc({ target: 'y', length: LENGTH }));
  const samples = {
    x: { dtype: 'f32', shape: [STEPS, CLASSES], values: logits },
    y: { dtype: 'i32', shape: [LENGTH], values: labels },
  } as const;
  const trainer = await Trainer.open({ model, samples });
  trainer.parameter('dense/kernel').set([1, 0, 0, 0, 1, 0, 0, 0, 1]);
  trainer.parameter('dense/bias').fill(0);
  return trainer.means(trainer.sums(trainer.gradient())).loss as number;
}

/** The labels of an alignment: equal neighbours merged, blanks removed. */
function labelsOf(alignment: readonly number[]): number[] {
  return alignment.filter((symbol, t) => symbol !== alignment[t - 1]).filter((symbol) => symbol !== 0);
}

/** -ln of the sum over all alignments, one at a time. */
function sumOfAlignments(logits: Float32Array, labels: readonly number[]): number {
  const y = Array.from({ length: STEPS }, (_, t) => {
    const powers = Array.from(logits.subarray(t * CLASSES, (t + 1) * CLASSES), Math.exp);
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  });
  const expected = labels.filter((label) => label > 0).join();
  let p = 0;
  for (let number = 0; number < CLASSES ** STEPS; number++) {
    const alignment = Array.from({ length: STEPS }, (_, t) => Math.floor(number / CLASSES ** t) % CLASSES);
    if (labelsOf(alignment).join() === expected)
      p += alignment.reduce((product, symbol, t) => product * y[t]![symbol]!, 1);
  }
  return -Math.log(p);
}

describe('connectionist temporal classification', () => {
  it.each([[[1, 2, 1]], [[2, 2, 0]], [[1, 0, 0]], [[0, 0, 0]], [[2, 1, 2]], [[1, 1, 2]]])(
    'sums over all alignments of %j',
    async (labels) => {
      const logits = spread(3, STEPS * CLASSES, -2, 2);
      expect(await lossOf(logits, labels)).toBeCloseTo(sumOfAlignments(logits, labels), 5);
    },
  );

  it('gives loss 0 for labels that do not fit, and ignores padding', async () => {
    const logits = spread(3, STEPS * CLASSES, -2, 2);
    expect(await lossOf(logits, [1, 1, 1])).toBe(0);
    expect(await lossOf(logits, [1, 0, 2])).toBe(await lossOf(logits, [1, 0, 0]));
  });

  it('is finite where the probabilities of all symbols are 0', async () => {
    const logits = new Float32Array(STEPS * CLASSES);
    for (let t = 0; t < STEPS; t++) logits[t * CLASSES] = 1000;
    // A blank at one of four steps, and three symbols of 2^-100 each.
    expect(await lossOf(logits, [1, 2, 1])).toBeCloseTo(298 * Math.log(2), 3);
  });

  it('names its requirements in errors', () => {
    const model = (shape: number[], length: number) => {
      const x = new Graph().input('x', shape);
      return () => createPlan(x.graph.model(dense(4)(x), ctc({ target: 'y', length })));
    };
    expect(model([5], 2)).toThrow(/ctc needs logits \[steps, classes\].*not an output of shape \[4\]/);
    expect(model([5000, 5], 100)).toThrow(/ctc of 100 labels .* needs too much memory; use fewer steps/);
    expect(model([50, 5], 100)).not.toThrow();
  });
});
