import type { Dataset } from '../shared/data/dataset.js';
import { packDataset } from '../shared/data/dataset.js';
import { drawsOf } from '../shared/data/draws.js';
import { fieldValues } from '../shared/data/field-values.js';
import { loadMnist } from '../shared/data/images/mnist.js';
import { sha256Hex } from '../shared/files/sha256.js';
import { Graph } from '../shared/graph/graph.js';
import {
  affine,
  exp,
  maximum,
  minus,
  plus,
  sqrt,
  square,
  sum,
  times,
} from '../shared/graph/layers/arithmetic.js';
import { defineLoss } from '../shared/graph/layers/composed-loss.js';
import { dense } from '../shared/graph/layers/dense.js';
import { flatten } from '../shared/graph/layers/reshape.js';
import { sequential } from '../shared/graph/layers/sequential.js';
import { auc } from '../shared/metrics/area-under-curve.js';
import { accuracy } from '../shared/metrics/class-metrics.js';
import { adam } from '../shared/optim/adam.js';
import type { Recipe } from '../trainer/recipe.js';

const PIXELS = 28 * 28;
const PAIRS = 20_000;
const TEST_PAIRS = 5000;
/** Distance that different digits are to keep. */
const MARGIN = 1;

/**
 * A siamese network (Bromley et al. 1993): two images go through the same layers, which learn a distance. The contrastive loss
 * (Hadsell, Chopra, LeCun 2006) pulls equal digits together and pushes others apart:
 *
 *     loss = same d^2 + (1 - same) max(margin - d, 0)^2      d = |f(left) - f(right)|
 *
 * The output is e^(-d^2): nearly 1 for equal digits.
 */
export const recipe: Recipe = {
  summary: 'whether two handwritten digits are equal, with a siamese network: 784-128-32, contrastive loss',
  model() {
    const graph = new Graph();
    const embed = sequential([flatten(), dense(128, { activation: 'relu' }), dense(32)]);
    const [left, right] = ['left', 'right'].map((side) => embed(graph.input(side, [28, 28])));
    const squared = sum(square(minus(left!, right!)));
    const loss = defineLoss((_, field) => {
      const same = field('same');
      const short = maximum(affine(sqrt(plus(squared, 1e-6)), -1, MARGIN), 0);
      return plus(times(same, squared), times(affine(same, -1, 1), square(short)));
    });
    return graph.model(exp(times(squared, -1)), loss);
  },
  async data(directory) {
    const { train, test } = await loadMnist(directory);
    return { train: pairsOf(train, PAIRS, 1), test: pairsOf(test, TEST_PAIRS, 2) };
  },
  evaluationMetrics: [accuracy({ target: 'same' }), auc({ target: 'same' })],
  optimizer: adam({ learningRate: 0.001 }),
  batch: 128,
  leafSize: 16,
  epochs: 10,
  goal: { metric: 'testAuc', atLeast: 0.95 },
};

/** Pairs of images, half of them of equal digits. Fields: left, right (u8 [28, 28]), same (u8 []). */
function pairsOf(digits: Dataset, pairsMax: number, seed: number): Dataset {
  const pairs = Math.min(pairsMax, digits.manifest.samples * 10);
  const labels = fieldValues(digits, 'label');
  const images = fieldValues(digits, 'image').map((pixel) => Math.round(pixel * 255));
  const draw = drawsOf(seed);
  const [left, right] = [new Uint8Array(pairs * PIXELS), new Uint8Array(pairs * PIXELS)];
  const same = Uint8Array.from({ length: pairs }, (_, pair) => pair % 2);
  for (let pair = 0; pair < pairs; pair++) {
    const one = draw(labels.length);
    let other = draw(labels.length);
    while (Number(labels[other] === labels[one]) !== same[pair]) other = draw(labels.length);
    left.set(images.subarray(one * PIXELS, (one + 1) * PIXELS), pair * PIXELS);
    right.set(images.subarray(other * PIXELS, (other + 1) * PIXELS), pair * PIXELS);
  }
  const image = (bytes: Uint8Array) =>
    ({ dtype: 'u8', shape: [28, 28], bytes, scale: Math.fround(1 / 255), shift: 0 }) as const;
  const columns = { left: image(left), right: image(right) };
  const label = { dtype: 'u8', shape: [], bytes: same, scale: 1, shift: 0 } as const;
  return packDataset(`pairs-${digits.manifest.name}`, pairs, { ...columns, same: label }, sha256Hex);
}
