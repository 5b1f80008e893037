import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createPlan } from '../../shared/compiler/plan.js';
import { Graph } from '../../shared/graph/graph.js';
import { exp, log, mean, plus, scaleGradient, times } from '../../shared/graph/layers/arithmetic.js';
import { defineLoss } from '../../shared/graph/layers/composed-loss.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { type LearningOptions, learning } from '../../shared/graph/layers/learning.js';
import { concatenate } from '../../shared/graph/layers/merge.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import type { Model } from '../../shared/graph/model.js';
import { adam } from '../../shared/optim/adam.js';
import { localUpdates, outerRuleOf } from '../../shared/optim/local-updates.js';
import { muon } from '../../shared/optim/muon.js';
import { rmsprop } from '../../shared/optim/rmsprop.js';
import { createOptimizer, type OptimizerSettings } from '../../shared/optim/settings.js';
import { sgd } from '../../shared/optim/sgd.js';
import { Congruence } from '../support/congruence.js';
import { Recorder } from '../support/recorder.js';
import { Trainer } from '../support/trainer.js';

/** The results of scripts/dev/golden/adversarial.py. */
const GOLDEN = JSON.parse(readFileSync(new URL('../golden/adversarial.json', import.meta.url), 'utf8')) as {
  readonly losses: readonly number[];
  readonly weights: Readonly<Record<string, readonly number[]>>;
};
const SAMPLES = 24;

/** A generator and a judge that learn against each other, the judge by an optimizer of its own. */
function adversarial(): Model {
  const graph = new Graph();
  const make = sequential([
    dense(8, { activation: 'tanh', name: 'make_inner' }),
    dense(2, { name: 'make_outer' }),
  ]);
  const judge = learning(
    sequential([dense(8, { activation: 'tanh', name: 'judge_inner' }), dense(1, { name: 'judge_outer' })]),
    { optimizer: sgd({ learningRate: 0.05, momentum: 0.9, weightDecay: 0.01 }) },
  );
  const made = make(graph.input('noise', [3]));
  const logits = [times(judge(graph.input('real', [2])), -1), judge(scaleGradient(made, -1))] as const;
  // softplus, whose sum over both is the cross-entropy of the judge.
  const loss = defineLoss((output) => mean(log(plus(exp(output), 1))));
  return graph.model(concatenate()(logits), loss);
}

describe('a layer with an optimizer of its own', () => {
  it('learns as in PyTorch: a generator and a judge, each with an optimizer', async () => {
    const numbers = new Congruence(1);
    const f32 = (size: number, middle = 0) =>
      ({ dtype: 'f32', shape: [size], values: numbers.tensor(SAMPLES * size, 1, middle) }) as const;
    const samples = { real: f32(2, 0.5), noise: f32(3) };
    const model = adversarial();
    const trainer = await Trainer.open({ model, samples, optimizer: adam({ learningRate: 0.01 }) });
    const sizes = trainer.plan.parameters.map(({ name, size }) => [name, size] as const);
    for (const [name, size] of sizes.sort(([a], [b]) => (a < b ? -1 : 1)))
      trainer.parameter(name).set(numbers.tensor(size, 0.5));
    expect(GOLDEN.losses).toHaveLength(100);
    for (const [step, expected] of GOLDEN.losses.entries())
      expect(Math.abs(trainer.step() / expected - 1), `step ${step}`).toBeLessThan(1e-4);
    for (const [name, weights] of Object.entries(GOLDEN.weights))
      trainer.parameter(name).forEach((w, i) => {
        expect(Math.abs(w - (weights[i] as number)), `${name} ${i}`).toBeLessThan(1e-3);
      });
  });

  const modelOf = (options: LearningOptions, wide = 3): Model => {
    const x = new Graph().input('x', [2]);
    const layers = [dense(wide, { name: 'a' }), learning(dense(3, { name: 'b' }), options), dense(1)];
    return x.graph.model(sequential(layers)(x), meanSquaredError({ target: 'y' }));
  };
  const optimizerOf = (run: OptimizerSettings, options: LearningOptions) =>
    createOptimizer(run, createPlan(JSON.parse(JSON.stringify(modelOf(options))) as Model).parameters);

  it('has as many vectors as the largest, and a state of its own', () => {
    const own = optimizerOf(sgd({ learningRate: 0.5 }), {
      optimizer: adam({ learningRate: 0.01 }),
      rate: 0.5,
    });
    expect(own.buffers).toBe(2);
    expect(own.init()).toEqual({ '1/beta1Power': 1, '1/beta2Power': 1 });
    const first = own.update(own.init(), 0.5);
    const alone = createOptimizer(adam({ learningRate: 0.01 })).update(
      { beta1Power: 1, beta2Power: 1 },
      0.005,
    );
    expect(first.state).toEqual({
      '1/beta1Power': alone.state.beta1Power,
      '1/beta2Power': alone.state.beta2Power,
    });
    expect(first.scalars.slice(0, 4)).toEqual([0.5, 0, 0, 0]);
    expect(first.scalars.slice(24, 24 + alone.scalars.length)).toEqual(alone.scalars);
    // The schedule of the run has halved its rate, and so that of the layer.
    const later = own.update(first.state, 0.25);
    expect(later.scalars.slice(24, 32)).toEqual(
      createOptimizer(adam({ learningRate: 0.01 })).update(alone.state, 0.0025).scalars,
    );
  });

  it('shares the state of the run where it has none, and of layers with the same settings', () => {
    const x = new Graph().input('x', [2]);
    const like = (name: string, rate: number) =>
      learning(dense(2, { name }), { optimizer: rmsprop({ learningRate: 0.1 }), rate });
    const network = sequential([like('a', 1), like('b', 2), learning(dense(2), { rate: 3 })]);
    const { parameters } = createPlan(x.graph.model(network(x), meanSquaredError({ target: 'y' })));
    const optimizer = createOptimizer(adam(), parameters);
    const { state, scalars } = optimizer.update(optimizer.init(), 0.001);
    expect(Object.keys(state)).toEqual(['beta1Power', 'beta2Power']);
    expect(scalars).toHaveLength(4 * 24);
    expect([0, 24, 48, 72].map((at) => scalars[at])).toEqual([
      ...[0.001 / (1 - 0.9), 0.1, 0.2, (0.001 * 3) / (1 - 0.9)],
    ]);
  });

  it('updates whole matrices only where its optimizer does', () => {
    const call = { weights: 0, gradient: 4, buffers: [8, 12, 16], rows: 2, cols: 3, scalars: 0, scratch: 64 };
    const callsOf = (run: OptimizerSettings, own: OptimizerSettings, rule: number) => {
      const recorder = new Recorder();
      optimizerOf(run, { optimizer: own }).matrices?.emit(recorder, { ...call, rule });
      return recorder.calls.map(({ name }) => name);
    };
    for (const [run, own, plain] of [
      [muon(), sgd(), 1],
      [sgd(), muon(), 0],
    ] as const) {
      expect(callsOf(run, own, plain)).toEqual(['sgdUpdate']);
      expect(callsOf(run, own, 1 - plain)).toContain('muonUpdate');
    }
  });

  it('is taken from the innermost learning()', () => {
    const x = new Graph().input('x', [2]);
    const inner = learning(dense(2, { name: 'inner' }), { optimizer: sgd() });
    const layers = learning(sequential([inner, dense(2, { name: 'outer' })]), { optimizer: rmsprop() });
    const { parameters } = x.graph.model(layers(x), meanSquaredError({ target: 'y' }));
    const names = parameters.map(({ name, optimizer }) => [name, optimizer?.name]);
    expect(Object.fromEntries(names)).toEqual({
      ...{ 'inner/bias': 'sgd', 'inner/kernel': 'sgd' },
      ...{ 'outer/bias': 'rmsprop', 'outer/kernel': 'rmsprop' },
    });
  });

  it('is refused where nobody can mean it', () => {
    const refused = (run: OptimizerSettings, optimizer: unknown) => () =>
      optimizerOf(run, { optimizer } as LearningOptions);
    expect(refused(adam(), 'sgd')).toThrow('learning() takes the settings of an optimizer, such as sgd(');
    expect(refused(adam(), { ...sgd(), momentun: 1 })).toThrow(
      'not a valid optimizer of a layer: unknown key "momentun"; did you mean momentum?',
    );
    expect(refused(adam(), { name: 'sdg' })).toThrow('not a valid optimizer of a layer');
    expect(refused(adam(), adam({ ema: 0.9 }))).toThrow('the optimizer of a layer has no ema');
    expect(refused(adam({ learningRate: 0 }), sgd())).toThrow('its learning rate must be above 0');
    const { parameters } = createPlan(modelOf({ optimizer: sgd() }));
    expect(() => outerRuleOf(adam(), parameters)).toThrow(
      'local updates average the state of one kind of optimizer, and layers have sgd beside adam',
    );
    expect(outerRuleOf(sgd({ learningRate: 1 }), parameters).averagesState).toBe(false);
    expect(localUpdates().replicas).toBe(4);
  });
});
