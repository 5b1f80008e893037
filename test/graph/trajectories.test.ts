import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Graph, type Layer } from '../../shared/graph/graph.js';
import { conv2d } from '../../shared/graph/layers/conv2d.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { embedding, positionalEmbedding } from '../../shared/graph/layers/embedding.js';
import { layerNormalization } from '../../shared/graph/layers/layer-normalization.js';
import { maxPooling2d } from '../../shared/graph/layers/pooling.js';
import { lstm } from '../../shared/graph/layers/recurrent.js';
import { flatten } from '../../shared/graph/layers/reshape.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { transformerBlock } from '../../shared/graph/layers/transformer.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Shape } from '../../shared/graph/shape.js';
import { elementsOf } from '../../shared/graph/shape.js';
import { adam, adamw } from '../../shared/optim/adam.js';
import { rmsprop } from '../../shared/optim/rmsprop.js';
import { createSchedule, type ScheduleSettings } from '../../shared/optim/schedule.js';
import { createOptimizer, type OptimizerSettings } from '../../shared/optim/settings.js';
import { sgd } from '../../shared/optim/sgd.js';
import { ComputeSpace } from '../support/compute-space.js';
import { Congruence } from '../support/congruence.js';
import { Trainer } from '../support/trainer.js';

/** The results of scripts/dev/golden/trajectories.py. */
interface Trajectories {
  readonly optimizers: Record<string, { settings: OptimizerSettings; after: number[][] }>;
  readonly schedules: Record<string, { settings: ScheduleSettings; rates: number[] }>;
  readonly losses: Record<string, number[]>;
}
const GOLDEN = JSON.parse(
  readFileSync(new URL('../golden/trajectories.json', import.meta.url), 'utf8'),
) as Trajectories;

const STEPS = 8;
const SHAPES = [
  [5, 8],
  [8, 5],
] as const;

/** The weights after some steps with gradients of half the weights plus random numbers. */
async function trained(settings: OptimizerSettings, [rows, cols]: readonly [number, number]) {
  const { memory, run } = await bench();
  const optimizer = createOptimizer(settings);
  const n = rows * cols;
  const numbers = new Congruence(7);
  const [weights, gradient, scalars] = [n, n, 24].map((floats) => memory.allocate(floats * 4)) as [
    number,
    number,
    number,
  ];
  const buffers = Array.from({ length: optimizer.buffers }, () => memory.allocate(n * 4));
  const scratch = memory.allocate((optimizer.matrices?.scratchFloats(rows, cols) ?? 1) * 4);
  memory.f32(weights, n).set(numbers.tensor(n));
  let state = optimizer.init();
  for (let step = 0; step < STEPS; step++) {
    const noise = numbers.tensor(n);
    memory.f32(gradient, n).set(memory.f32(weights, n).map((w, i) => 0.5 * w + (noise[i] as number)));
    const next = optimizer.update(state, settings.learningRate);
    state = next.state;
    memory.f32(scalars, next.scalars.length).set(next.scalars);
    const vectors = { weights, gradient, buffers, scalars };
    run((to) => {
      if (optimizer.matrices === undefined) optimizer.emit(to, { ...vectors, n });
      else optimizer.matrices.emit(to, { ...vectors, rows, cols, scratch });
    });
  }
  return [...memory.f32(weights, n)];
}

async function bench() {
  const space = await ComputeSpace.open();
  return { memory: space.memory, run: space.run.bind(space) };
}

describe('optimizers compared with PyTorch', () => {
  it.each(Object.entries(GOLDEN.optimizers))('%s', async (_, { settings, after }) => {
    for (const [i, shape] of SHAPES.entries()) {
      const weights = await trained(settings, shape);
      weights.forEach((w, at) => {
        expect(Math.abs(w - (after[i]?.[at] as number)), `element ${at}`).toBeLessThan(1e-5);
      });
    }
  });
});

describe('schedules compared with PyTorch', () => {
  it.each(Object.entries(GOLDEN.schedules))('%s', (_, { settings, rates }) => {
    const rate = createSchedule(settings, rates.length);
    rates.forEach((expected, step) => {
      expect(Math.abs(rate(step) - expected), `step ${step}`).toBeLessThan(2e-9);
    });
  });
});

const SAMPLES = 24;

interface NetworkCase {
  readonly x: Shape;
  readonly y: Shape;
  readonly classes: number;
  readonly layers: readonly Layer[];
  readonly optimizer: OptimizerSettings;
}

const block = (name: string): Layer => {
  const apply = transformerBlock(4, 64, { causal: true, name });
  return (x) => apply(x);
};

/** The networks of trajectories.py. */
const NETWORKS: Record<string, NetworkCase> = {
  mlp: {
    ...{ x: [16], y: [], classes: 5 },
    layers: [dense(32, { activation: 'relu' }), dense(16, { activation: 'relu' }), dense(5)],
    optimizer: sgd({ learningRate: 0.05, momentum: 0.9, weightDecay: 0.001 }),
  },
  cnn: {
    ...{ x: [8, 8, 1], y: [], classes: 5 },
    layers: [conv2d(6, 3, { activation: 'relu' }), maxPooling2d({ poolSize: 2 }), flatten(), dense(5)],
    optimizer: adam({ learningRate: 0.005 }),
  },
  lstm: {
    ...{ x: [7, 6], y: [], classes: 4 },
    layers: [lstm(16), dense(4)],
    optimizer: rmsprop({ learningRate: 0.002, epsilon: 1e-2 }),
  },
  gpt: {
    ...{ x: [8], y: [8], classes: 11 },
    layers: [
      ...[embedding(11, 16), positionalEmbedding(), block('block1'), block('block2')],
      ...[layerNormalization(), dense(11)],
    ],
    optimizer: adamw({ learningRate: 0.003, weightDecay: 0.1, epsilon: 1e-3 }),
  },
};

async function open(name: string): Promise<Trainer> {
  const { x, y, classes, layers, optimizer } = NETWORKS[name] as NetworkCase;
  const numbers = new Congruence(1);
  const inputs = SAMPLES * elementsOf(x);
  const values = name === 'gpt' ? numbers.classes(inputs, classes) : numbers.tensor(inputs);
  const samples = {
    x: { dtype: 'f32', shape: x, values },
    y: { dtype: 'i32', shape: y, values: numbers.classes(SAMPLES * elementsOf(y), classes) },
  } as const;
  const input = new Graph().input('x', x);
  const output = sequential(layers)(input);
  const loss = sparseCategoricalCrossentropy({ target: 'y', fromLogits: true });
  const trainer = await Trainer.open({ model: input.graph.model(output, loss), samples, optimizer });
  for (const { name: parameter, size } of trainer.plan.parameters) {
    const middle = parameter.endsWith('gamma') ? 1 : 0;
    trainer.parameter(parameter).set(numbers.tensor(size, 0.25, middle));
  }
  return trainer;
}

describe('100 steps of training', () => {
  it.each(Object.entries(GOLDEN.losses))('follow the losses of PyTorch: %s', async (name, losses) => {
    expect(losses).toHaveLength(100);
    const trainer = await open(name);
    for (const [step, expected] of losses.entries()) {
      expect(Math.abs(trainer.step() / expected - 1), `step ${step}`).toBeLessThan(1e-4);
    }
  });
});
