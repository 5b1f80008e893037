import type { Dataset } from '../../../shared/data/dataset.js';
import { packDataset } from '../../../shared/data/dataset.js';
import { sha256Hex } from '../../../shared/files/sha256.js';
import { Graph } from '../../../shared/graph/graph.js';
import type { InitializerName } from '../../../shared/graph/initializers.js';
import { dense } from '../../../shared/graph/layers/dense.js';
import { sequential } from '../../../shared/graph/layers/sequential.js';
import { categoricalCrossentropy } from '../../../shared/graph/losses/categorical-crossentropy.js';
import { meanSquaredError } from '../../../shared/graph/losses/mean-squared-error.js';
import type { Model } from '../../../shared/graph/model.js';

/** A network small enough to print every number. */
export interface SmallNet {
  readonly name: string;
  readonly summary: string;
  readonly learningRate: number;
  model(): Model;
  /** Fields x and t. */
  data(): Dataset;
}

/** Every network that `explain` knows. */
export const SMALL_NETS: readonly SmallNet[] = [
  {
    name: 'xor',
    summary: 'exclusive or, 2-3-1: sigmoid, mean squared error',
    learningRate: 0.5,
    model: () => chain(1, 'sigmoid'),
    data: () =>
      pack('xor', [
        [[0, 1], [1]],
        [[1, 1], [0]],
        [[1, 0], [1]],
        [[0, 0], [0]],
      ]),
  },
  {
    name: 'classes',
    summary: 'three classes of points, 2-4-3: tanh, softmax, cross-entropy',
    learningRate: 0.1,
    model: () => chain(3, 'softmax'),
    data: () =>
      pack('classes', [
        [
          [0.9, 0.2],
          [1, 0, 0],
        ],
        [
          [-0.7, 0.6],
          [0, 1, 0],
        ],
        [
          [0.1, -0.8],
          [0, 0, 1],
        ],
      ]),
  },
  {
    name: 'relu',
    summary: 'a curve, 2-4-2-1: relu twice, mean squared error',
    learningRate: 0.1,
    model() {
      const graph = new Graph();
      const layers = [
        dense(4, { activation: 'relu', kernelInitializer: 'heUniform' }),
        dense(2, { activation: 'relu', kernelInitializer: 'heUniform' }),
        dense(1),
      ];
      return graph.model(sequential(layers)(graph.input('x', [2])), meanSquaredError({ target: 't' }));
    },
    data: () =>
      pack('relu', [
        [[1, 0.5], [0.75]],
        [[-0.5, 1], [0.25]],
      ]),
  },
  deepNet(
    'vanishing',
    'eight layers of sigmoid: the error term vanishes on its way back',
    'sigmoid',
    'glorotUniform',
  ),
  deepNet(
    'exploding',
    'eight layers of relu, all weights 1: the error term grows without bound',
    'relu',
    'ones',
  ),
  deepNet(
    'cured',
    'eight layers of relu, He initialisation: the error term keeps its size',
    'relu',
    'heNormal',
  ),
];

/** Neurons per layer of a deep network: enough to even out random weights, few enough to draw. */
const DEEP_WIDTH = 6;
const DEEP_LAYERS = 8;

function deepNet(
  name: string,
  summary: string,
  activation: 'sigmoid' | 'relu',
  kernelInitializer: InitializerName,
): SmallNet {
  return {
    name,
    summary,
    learningRate: 0.1,
    model() {
      const graph = new Graph();
      const hidden = Array.from({ length: DEEP_LAYERS }, () =>
        dense(DEEP_WIDTH, { activation, kernelInitializer }),
      );
      const y = sequential([...hidden, dense(1)])(graph.input('x', [2]));
      return graph.model(y, meanSquaredError({ target: 't' }));
    },
    data: () => pack(name, [[[1, 0.5], [1]]]),
  };
}

function chain(outputs: number, last: 'sigmoid' | 'softmax'): Model {
  const graph = new Graph();
  const hidden = last === 'sigmoid' ? dense(3, { activation: 'sigmoid' }) : dense(4, { activation: 'tanh' });
  const y = sequential([hidden, dense(outputs, { activation: last })])(graph.input('x', [2]));
  const loss = last === 'sigmoid' ? meanSquaredError : categoricalCrossentropy;
  return graph.model(y, loss({ target: 't' }));
}

function pack(name: string, samples: readonly (readonly [readonly number[], readonly number[]])[]): Dataset {
  const column = (part: 0 | 1) => ({
    dtype: 'f32' as const,
    shape: [samples[0]?.[part].length ?? 0],
    bytes: new Uint8Array(Float32Array.from(samples.flatMap((sample) => sample[part])).buffer),
    scale: 1,
    shift: 0,
  });
  return packDataset(name, samples.length, { x: column(0), t: column(1) }, sha256Hex);
}
