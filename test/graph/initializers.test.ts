import { describe, expect, it } from 'vitest';
import { createPlan } from '../../shared/compiler/plan.js';
import { Graph } from '../../shared/graph/graph.js';
import { fansOf, INITIALIZER_NAMES, type InitializerName } from '../../shared/graph/initializers.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { ComputeSpace } from '../support/compute-space.js';

const INPUTS = 60;
const UNITS = 100;

/** The initial kernel of a dense layer. */
async function draw(
  kernelInitializer: InitializerName,
  seed: number,
  name = 'dense',
  [inputs, units]: readonly [number, number] = [INPUTS, UNITS],
): Promise<Float32Array> {
  const x = new Graph().input('x', [inputs]);
  const output = dense(units, { kernelInitializer, biasInitializer: 'ones', name })(x);
  const plan = createPlan(x.graph.model(output, meanSquaredError({ target: 'y' })));
  const { memory, run } = await open();
  const bytes = plan.parameterFloats * 4;
  const [weights, scratch] = [memory.allocate(bytes), memory.allocate(bytes)];
  memory.f32(weights, plan.parameterFloats).fill(Number.NaN);
  run((to) => plan.emitInitialisation(to, { weights, scratch, seed }));
  const vector = memory.f32(weights, plan.parameterFloats).slice();
  const [bias, kernel] = plan.parameters;
  // The bias, then zeros up to the start of the kernel.
  expect([...vector.subarray(0, kernel?.offset)]).toEqual(
    Array.from({ length: kernel?.offset ?? 0 }, (_, i) => (i < (bias?.size ?? 0) ? 1 : 0)),
  );
  return vector.subarray(kernel?.offset, (kernel?.offset ?? 0) + (kernel?.size ?? 0));
}

async function open() {
  const space = await ComputeSpace.open();
  return { memory: space.memory, run: space.run.bind(space) };
}

const mean = (values: Float32Array): number => values.reduce((a, b) => a + b, 0) / values.length;
const deviation = (values: Float32Array): number => Math.sqrt(mean(values.map((x) => x * x)));
const bound = (values: Float32Array): number => values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);

describe('initialisers', () => {
  it.each([
    ['glorotUniform', Math.sqrt(6 / (INPUTS + UNITS))],
    ['heUniform', Math.sqrt(6 / INPUTS)],
  ] as const)('%s is uniform in its interval', async (name, limit) => {
    const values = await draw(name, 1);
    expect(bound(values)).toBeLessThanOrEqual(limit);
    expect(bound(values)).toBeGreaterThan(0.99 * limit);
    expect(Math.abs(mean(values))).toBeLessThan(0.04 * limit);
    expect(deviation(values) / (limit / Math.sqrt(3))).toBeCloseTo(1, 1);
  });

  it.each([
    ['glorotNormal', Math.sqrt(2 / (INPUTS + UNITS))],
    ['heNormal', Math.sqrt(2 / INPUTS)],
  ] as const)('%s has its deviation and tails', async (name, expected) => {
    const values = await draw(name, 1);
    expect(Math.abs(mean(values))).toBeLessThan(0.06 * expected);
    expect(deviation(values) / expected).toBeCloseTo(1, 1);
    expect(bound(values)).toBeGreaterThan(3 * expected);
  });

  it('truncatedNormal ends at two deviations, and has the distribution of a normal number truncated there', async () => {
    const values = await draw('truncatedNormal', 1);
    expect(bound(values)).toBeLessThanOrEqual(0.1);
    expect(bound(values)).toBeGreaterThan(0.099);
    expect(Math.abs(mean(values))).toBeLessThan(0.003);
    // sqrt(1 - 4 density(2) / (2 F(2) - 1)): the deviation of a normal distribution truncated at 2.
    expect(deviation(values) / 0.05).toBeCloseTo(0.8796, 1);
    const middle = values.filter((x) => Math.abs(x) < 0.05).length / values.length;
    expect(middle).toBeCloseTo(0.6827 / 0.9545, 1);
  });

  it.each([
    [INPUTS, UNITS],
    [UNITS, INPUTS],
    [1, 7],
    [7, 1],
  ])('orthogonal has orthogonal unit vectors: %i x %i', async (inputs, units) => {
    const values = await draw('orthogonal', 3, 'dense', [inputs, units]);
    const at = (row: number, col: number): number => values[row * units + col] as number;
    const [count, length] = [Math.min(inputs, units), Math.max(inputs, units)];
    const element = (vector: number, i: number): number => (inputs <= units ? at(vector, i) : at(i, vector));
    for (let a = 0; a < count; a++) {
      for (let b = 0; b <= a; b++) {
        let product = 0;
        for (let i = 0; i < length; i++) product += element(a, i) * element(b, i);
        expect(Math.abs(product - (a === b ? 1 : 0)), `${a} and ${b}`).toBeLessThan(1e-6);
      }
    }
    // No direction and no sign is preferred.
    if (count > 1) expect(Math.abs(mean(values))).toBeLessThan(0.01);
  });

  it('zeros and ones are constant', async () => {
    expect(new Set(await draw('zeros', 1))).toEqual(new Set([0]));
    expect(new Set(await draw('ones', 1))).toEqual(new Set([1]));
  });

  it('forgetGateOnes are ones in the second quarter', async () => {
    const values = await draw('forgetGateOnes', 1);
    const quarter = values.length / 4;
    expect(values.indexOf(1)).toBe(quarter);
    expect(values.filter((x) => x === 1)).toHaveLength(quarter);
    expect(values.subarray(2 * quarter).every((x) => x === 0)).toBe(true);
  });

  it.each(INITIALIZER_NAMES.filter((name) => !/ones|zeros/i.test(name)))(
    '%s depends only on the seed and the name',
    async (name) => {
      const drawn = await draw(name, 7);
      expect(await draw(name, 7)).toEqual(drawn);
      expect(await draw(name, 8)).not.toEqual(drawn);
      expect(await draw(name, 2 ** 32 + 7)).not.toEqual(drawn);
      expect(await draw(name, 7, 'other')).not.toEqual(drawn);
    },
  );

  it('counts fans as Keras does', () => {
    expect(fansOf([5, 7])).toEqual({ in: 5, out: 7 });
    expect(fansOf([3, 3, 8, 16])).toEqual({ in: 72, out: 144 });
    expect(fansOf([9])).toEqual({ in: 9, out: 9 });
    expect(fansOf([])).toEqual({ in: 1, out: 1 });
  });
});
