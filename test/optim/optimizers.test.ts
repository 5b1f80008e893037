import { describe, expect, it } from 'vitest';
import { UserError } from '../../shared/errors.js';
import { adagrad } from '../../shared/optim/adagrad.js';
import { adam } from '../../shared/optim/adam.js';
import { lion } from '../../shared/optim/lion.js';
import type { OptimizerState } from '../../shared/optim/optimizer.js';
import { rmsprop } from '../../shared/optim/rmsprop.js';
import { createOptimizer, type OptimizerSettings } from '../../shared/optim/settings.js';
import { sgd } from '../../shared/optim/sgd.js';
import { ComputeSpace } from '../support/compute-space.js';
import { spread } from '../support/numbers.js';

const N = 37;
const STEPS = 12;

const CASES: Record<string, OptimizerSettings> = {
  sgd: sgd({ learningRate: 0.1 }),
  'sgd with momentum': sgd({ learningRate: 0.1, momentum: 0.9 }),
  'sgd with Nesterov momentum and decay': sgd({
    learningRate: 0.1,
    momentum: 0.9,
    nesterov: true,
    weightDecay: 0.02,
  }),
  adam: adam({ learningRate: 0.01 }),
  rmsprop: rmsprop({ learningRate: 0.01 }),
  'rmsprop with momentum and decay': rmsprop({
    learningRate: 0.01,
    rho: 0.8,
    momentum: 0.9,
    weightDecay: 0.1,
  }),
  adagrad: adagrad({ learningRate: 0.1 }),
  'adagrad with decay': adagrad({ learningRate: 0.1, epsilon: 1e-3, weightDecay: 0.1 }),
  lion: lion({ learningRate: 0.01 }),
  'lion with decay': lion({ learningRate: 0.01, weightDecay: 0.5, beta1: 0.8 }),
  'adam with decay': adam({ learningRate: 0.01, weightDecay: 0.1, beta1: 0.8, beta2: 0.9, epsilon: 1e-3 }),
};

/** A gradient for each step. */
const gradientOf = (step: number): Float32Array => spread(100 + step, N);

/** Trains N weights, updated in spans between `edges`. `between` may replace the state between steps. */
async function train(
  settings: OptimizerSettings,
  edges: readonly number[] = [0, N],
  between: (state: OptimizerState) => OptimizerState = (state) => state,
): Promise<Float32Array> {
  const space = await ComputeSpace.open();
  const { memory } = space;
  const optimizer = createOptimizer(JSON.parse(JSON.stringify(settings)) as OptimizerSettings);
  const [weights, gradient, scalars] = [memory.allocate(N * 4), memory.allocate(N * 4), memory.allocate(64)];
  const buffers = Array.from({ length: optimizer.buffers }, () => memory.allocate(N * 4));
  memory.f32(weights, N).set(spread(9, N));
  let state = optimizer.init();
  for (let step = 0; step < STEPS; step++) {
    memory.f32(gradient, N).set(gradientOf(step));
    const next = optimizer.update(state, settings.learningRate);
    memory.f32(scalars, next.scalars.length).set(next.scalars);
    state = between(next.state);
    space.run((sink) => {
      edges.slice(1).forEach((to, i) => {
        const from = edges[i] as number;
        const at = from * 4;
        const vectors = {
          weights: weights + at,
          gradient: gradient + at,
          buffers: buffers.map((buffer) => buffer + at),
        };
        optimizer.emit(sink, { ...vectors, n: to - from, scalars });
      });
    });
  }
  return memory.f32(weights, N).slice();
}

/** Reference implementation: one weight in float64, directly from the formulas, with Math.pow. */
function reference(settings: OptimizerSettings, index: number): number {
  let w = spread(9, N)[index] as number;
  let [m, v] = [0, 0];
  for (let step = 0; step < STEPS; step++) {
    let g = gradientOf(step)[index] as number;
    if (settings.name === 'sgd') {
      const { learningRate, momentum, nesterov, weightDecay } = settings;
      g += weightDecay * w;
      m = momentum * m + g;
      w -= learningRate * (nesterov ? g + momentum * m : m);
    } else if (settings.name === 'rmsprop') {
      const { learningRate, rho, momentum, epsilon, weightDecay } = settings;
      g += weightDecay * w;
      v = rho * v + (1 - rho) * g * g;
      m = momentum * m + g / (Math.sqrt(v) + epsilon);
      w -= learningRate * m;
    } else if (settings.name === 'adagrad') {
      const { learningRate, epsilon, weightDecay } = settings;
      g += weightDecay * w;
      v += g * g;
      w -= (learningRate * g) / (Math.sqrt(v) + epsilon);
    } else if (settings.name === 'lion') {
      const { learningRate, beta1, beta2, weightDecay } = settings;
      const direction = Math.sign(beta1 * m + (1 - beta1) * g);
      w -= learningRate * (direction + weightDecay * w);
      m = beta2 * m + (1 - beta2) * g;
    } else if (settings.name === 'adam') {
      const { learningRate, beta1, beta2, epsilon, weightDecay } = settings;
      w -= learningRate * weightDecay * w;
      m = beta1 * m + (1 - beta1) * g;
      v = beta2 * v + (1 - beta2) * g * g;
      const [mHat, vHat] = [m / (1 - beta1 ** (step + 1)), v / (1 - beta2 ** (step + 1))];
      w -= (learningRate * mHat) / (Math.sqrt(vHat) + epsilon);
    }
  }
  return w;
}

describe.each(Object.entries(CASES))('%s', (_, settings) => {
  it('follows its formulas', async () => {
    const weights = await train(settings);
    weights.forEach((w, i) => {
      expect(w).toBeCloseTo(reference(settings, i), 5);
    });
  });

  it('updates in spans with the same bits', async () => {
    expect(await train(settings, [0, 1, 16, 20, N])).toEqual(await train(settings));
  });

  it('continues with the same bits from a state that was stored as JSON', async () => {
    const stored = (state: OptimizerState) => JSON.parse(JSON.stringify(state)) as OptimizerState;
    expect(await train(settings, [0, N], stored)).toEqual(await train(settings));
  });
});

describe('invalid settings', () => {
  it.each([
    [{ ...adam(), name: 'adamant' }, /use one of adagrad, adam, adamw, lion, muon, rmsprop, sgd/],
    [{ ...adam(), beta1: 1 }, /beta1/],
    [{ ...adam(), epsilon: 0 }, /epsilon/],
    [{ ...sgd(), learningRate: -1 }, /learningRate/],
    [{ ...sgd(), learningRate: Number.NaN }, /learningRate/],
    [{ ...sgd(), speed: 3 }, /speed/],
    [{ name: 'sgd' }, /learningRate/],
    [null, /not a valid optimizer/],
  ])('%j', (settings, message) => {
    expect(() => createOptimizer(settings as OptimizerSettings)).toThrow(UserError);
    expect(() => createOptimizer(settings as OptimizerSettings)).toThrow(message);
  });
});
