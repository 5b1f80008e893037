import { describe, expect, it } from 'vitest';
import { encodedBytes } from '../../shared/codec/codec.js';
import { createPlan } from '../../shared/compiler/plan.js';
import { gradientLayout } from '../../shared/engine/step/sum-layout.js';
import { Graph } from '../../shared/graph/graph.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { adam } from '../../shared/optim/adam.js';
import { SCALARS_MAX } from '../../shared/optim/optimizer.js';
import { rmsprop } from '../../shared/optim/rmsprop.js';
import { exchangeOf } from '../../trainer/exchange-modes.js';

const x = new Graph().input('x', [16]);
const plan = createPlan(x.graph.model(dense(64)(x), meanSquaredError({ target: 'y' })));
const { parameters, parameterFloats: floats } = plan;
const metrics = 4 * (plan.vectorFloats - plan.gradientFloats);
const PLAIN = { batch: 64, leafSize: 8, seed: 1, optimizer: adam() };
const exchange = (changes: object) =>
  exchangeOf({ ...PLAIN, ...changes }, plan, { layout: gradientLayout(plan), weightBytes: 4 * floats });
const e = (codec: 'int8' | 'int4'): number => encodedBytes(codec, parameters);
/** The optimizer's scalars of a round of 30 steps of Adam, which has eight. */
const SCALARS = 30 * 8 * 4;

describe('what a run could exchange instead', () => {
  it('is codecs and rounds, each with the bytes of its formula', () => {
    const { bytes, others } = exchange({});
    expect(bytes).toBe(2 * 4 * floats + metrics);
    expect(others).toEqual([
      { option: '--compress int8', bytes: 2 * e('int8') + metrics + 4 * SCALARS_MAX, steps: 1 },
      {
        option: '--sync local:replicas=4,steps=30',
        bytes: 2 * 3 * 4 * floats + metrics + SCALARS,
        steps: 30,
      },
      {
        option: '--sync local:replicas=4,steps=30 --compress int4',
        bytes: 2 * 3 * e('int4') + metrics + SCALARS,
        steps: 30,
      },
    ]);
  });

  it('is what the run does not do yet', () => {
    const options = (changes: object): string[] => exchange(changes).others.map(({ option }) => option);
    expect(options({ compress: 'int8' })).toEqual(['--sync local:replicas=4,steps=30']);
    expect(options({ sync: { replicas: 2, steps: 5 } })).toEqual(['--compress int8', '--compress int4']);
    expect(options({ sync: { replicas: 2, steps: 5 }, compress: 'bf16' })).toEqual([]);
    // No outer rule goes with it.
    expect(options({ optimizer: rmsprop() })).toEqual(['--compress int8']);
  });
});
