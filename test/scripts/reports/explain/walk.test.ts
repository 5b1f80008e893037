import { describe, expect, it } from 'vitest';
import { SMALL_NETS, type SmallNet } from '../../../../scripts/reports/explain/nets.js';
import { describeWalk, errorSize } from '../../../../scripts/reports/explain/text.js';
import { walkStep } from '../../../../scripts/reports/explain/walk.js';

const walk = (net: SmallNet, step = 1, backend: 'wasm' | 'wasm-exact' = 'wasm') =>
  walkStep(net, { seed: 3, learningRate: net.learningRate, step, backend });

/** Compares with the tolerance of float32 rounding in short sums of numbers near 1. */
const near = (value: number, formula: number): void => {
  expect(Math.abs(value - formula)).toBeLessThan(1e-6 * Math.max(1, Math.abs(formula)));
};
const ACTIVATIONS: Record<string, { y(z: number): number; slope(y: number): number }> = {
  sigmoid: { y: (z) => 1 / (1 + Math.exp(-z)), slope: (y) => y * (1 - y) },
  tanh: { y: Math.tanh, slope: (y) => 1 - y * y },
  relu: { y: (z) => Math.max(z, 0), slope: (y) => (y > 0 ? 1 : 0) },
  linear: { y: (z) => z, slope: () => 1 },
};

describe.each(SMALL_NETS.map((net) => [net.name, net] as const))('a walk through %s', (_, net) => {
  it('has the numbers of the formulas everywhere', async () => {
    const { layers, targets, loss, lossName, learningRate } = await walk(net, 3);
    layers.forEach(({ x, activation, neurons }, l) => {
      const before = layers[l - 1];
      if (before !== undefined) expect(x).toEqual(before.neurons.map(({ y }) => y));
      const total = neurons.reduce((sum, { z }) => sum + Math.exp(z), 0);
      neurons.forEach((neuron, i) => {
        const { weights, bias, z, y, dy, delta, weightGradients, newWeights } = neuron;
        near(
          z,
          weights.reduce((sum, w, j) => sum + w * x[j]!, bias),
        );
        near(y, ACTIVATIONS[activation]?.y(z) ?? Math.exp(z) / total);
        if (dy === undefined) near(delta, y - targets[i]!);
        else {
          const next = layers[l + 1]?.neurons;
          near(
            dy,
            next?.reduce((sum, { weights, delta }) => sum + weights[i]! * delta, 0) ??
              (2 / targets.length) * (y - targets[i]!),
          );
          near(delta, dy * ACTIVATIONS[activation]!.slope(y));
        }
        near(neuron.biasGradient, delta);
        near(neuron.newBias, bias - learningRate * delta);
        weights.forEach((w, j) => {
          near(weightGradients[j]!, delta * x[j]!);
          near(newWeights[j]!, w - learningRate * weightGradients[j]!);
        });
      });
    });
    const outputs = layers.at(-1)!.neurons.map(({ y }) => y);
    const terms = outputs.map((y, i) =>
      lossName === 'meanSquaredError' ? (y - targets[i]!) ** 2 / outputs.length : -targets[i]! * Math.log(y),
    );
    near(
      loss,
      terms.reduce((a, b) => a + b),
    );
  });

  it('is equal on every build, and starts from the weights of the previous step', async () => {
    const [first, second, exact] = await Promise.all([walk(net), walk(net, 2), walk(net, 2, 'wasm-exact')]);
    expect(exact.layers).toEqual(second.layers);
    expect(second.layers[0]?.neurons[0]?.weights).toEqual(first.layers[0]?.neurons[0]?.newWeights);
  });

  it('can be printed, in colour only on request', async () => {
    const step = await walk(net);
    const text = describeWalk(step, false).join('\n');
    const [, shown] = /loss: .* = +(\S+)/.exec(text) ?? [];
    expect(Number(shown) / step.loss).toBeCloseTo(1, 2);
    expect(text).not.toMatch(/undefined|NaN/);
    expect(text).not.toContain('\u001b');
    expect(describeWalk(step, true).join('\n')).toContain('\u001b[');
  });
});

it('learns its samples', async () => {
  const { losses } = await walk(SMALL_NETS[1]!, 300);
  expect(losses.at(-1)).toBeLessThan(0.2 * losses[0]!);
});

/** Size of the first layer's error terms relative to the last hidden layer's. */
async function growth(name: string): Promise<number> {
  const { layers } = await walk(SMALL_NETS.find((net) => net.name === name)!);
  return errorSize(layers[0]!) / errorSize(layers.at(-2)!);
}

it('shows error terms that vanish, explode, and keep their size', async () => {
  const [vanishing, exploding, cured] = await Promise.all(['vanishing', 'exploding', 'cured'].map(growth));
  expect(vanishing).toBeLessThan(1e-3);
  expect(exploding).toBeGreaterThan(1e4);
  expect(cured).toBeGreaterThan(0.01);
  expect(cured).toBeLessThan(100);
});
