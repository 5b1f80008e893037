import { CANVAS, CELL_NUMBERS, canvasDataset } from '../shared/data/images/digit-canvases.js';
import { loadMnist } from '../shared/data/images/mnist.js';
import { Graph } from '../shared/graph/graph.js';
import { conv2d } from '../shared/graph/layers/conv2d.js';
import { reshape } from '../shared/graph/layers/reshape.js';
import { sequential } from '../shared/graph/layers/sequential.js';
import { detection } from '../shared/graph/losses/detection.js';
import { adam } from '../shared/optim/adam.js';
import { cosineDecay } from '../shared/optim/schedule.js';
import type { Recipe } from '../trainer/recipe.js';
import { measureDetections } from './support/single-shot.js';

const TRAIN_CANVASES = 20_000;
const TEST_CANVASES = 1000;

/**
 * Single-shot detection of digits: strided convolutions reduce a canvas of 64 x 64 pixels to 8 x 8 cells. Each cell
 * predicts whether the centre of a digit lies in it, its box and its class. Training canvases are made of MNIST's 60,000
 * training digits, test canvases of its 10,000 test digits.
 */
export const recipe: Recipe = {
  summary: 'detection of 1 to 3 handwritten digits on a canvas with a single-shot convolutional network',
  model() {
    const graph = new Graph();
    const network = sequential([
      reshape([CANVAS, CANVAS, 1]),
      conv2d(16, 3, { strides: 2, padding: 'same', activation: 'relu' }),
      conv2d(32, 3, { strides: 2, padding: 'same', activation: 'relu' }),
      conv2d(64, 3, { strides: 2, padding: 'same', activation: 'relu' }),
      conv2d(96, 3, { padding: 'same', activation: 'relu' }),
      conv2d(96, 3, { padding: 'same', activation: 'relu' }),
      conv2d(CELL_NUMBERS, 1),
    ]);
    const cells = network(graph.input('image', [CANVAS, CANVAS]));
    return graph.model(cells, detection({ target: 'cells', delta: 0.1, boxWeight: 50 }));
  },
  async data(directory) {
    const { train, test } = await loadMnist(directory);
    return {
      train: canvasDataset('digit-canvases', train, TRAIN_CANVASES, 1),
      test: canvasDataset('digit-canvases-held-out', test, TEST_CANVASES, 2),
    };
  },
  metrics: measureDetections,
  optimizer: adam({ learningRate: 0.002 }),
  schedule: cosineDecay({ warmup: 100, floor: 0.02 }),
  batch: 64,
  leafSize: 8,
  epochs: 5,
  goal: { metric: 'meanAveragePrecision', atLeast: 0.85 },
};
