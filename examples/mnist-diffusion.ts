import { exponential } from '../shared/arithmetic/exponential.js';
import { naturalLogarithm } from '../shared/arithmetic/logarithm.js';
import { type Dataset, packDataset } from '../shared/data/dataset.js';
import { drawsOf } from '../shared/data/draws.js';
import { fieldValues } from '../shared/data/field-values.js';
import { firstSamples } from '../shared/data/first-samples.js';
import { loadMnist } from '../shared/data/images/mnist.js';
import { packSamples } from '../shared/data/samples.js';
import type { Predictor } from '../shared/engine/passes/prediction.js';
import { sha256Hex } from '../shared/files/sha256.js';
import { Graph, type Tensor } from '../shared/graph/graph.js';
import {
  exp,
  mean,
  minus,
  over,
  plus,
  repeat,
  sqrt,
  square,
  times,
} from '../shared/graph/layers/arithmetic.js';
import { gaussianNoise } from '../shared/graph/layers/augmentation.js';
import { defineLoss } from '../shared/graph/layers/composed-loss.js';
import { dense } from '../shared/graph/layers/dense.js';
import { concatenate } from '../shared/graph/layers/merge.js';
import { flatten, reshape } from '../shared/graph/layers/reshape.js';
import { adam } from '../shared/optim/adam.js';
import { cosineDecay } from '../shared/optim/schedule.js';
import type { Recipe } from '../trainer/recipe.js';

const PIXELS = 28 * 28;
const UNITS = 384;
const TEST_SAMPLES = 2000;
/** Mean and deviation of ln sigma in training, as in the article. */
const [LEVEL, SPREAD] = [-1.2, 1.2];
/** Standard deviation of the pixels, which are from -1 to 1. */
const DATA = 0.6;
/** The levels that digits are drawn with: from noise alone to almost none. */
const [LEAST, MOST] = [0.02, 40];

/**
 * A diffusion model (Karras et al.: "Elucidating the design space of diffusion-based generative models", 2022): a network learns
 * to remove noise of any level sigma from images, and `drawDigits` removes it step by step from noise alone.
 *
 *     D(x, sigma) = skip x + out F(in x, ln sigma / 4)      loss = (D - clean)^2 / out^2
 *     skip = s^2 / (sigma^2 + s^2)      out = sigma s / sqrt(sigma^2 + s^2)      in = 1 / sqrt(sigma^2 + s^2)      s = 0.6
 *
 * The metric drawnInk is the mean brightness of 64 drawn digits; that of MNIST is 0.13.
 *
 * In training the graph draws the level and the noise. Elsewhere it takes both as they come: `level`, ln sigma, and `noisy`.
 */
export const recipe: Recipe = {
  summary:
    'handwritten digits out of noise with a diffusion model: dense layers of 384 units, Adam, average of weights',
  model() {
    const graph = new Graph();
    const wide = (x: Tensor): Tensor => reshape([PIXELS])(repeat(x, PIXELS, 0));
    const level = gaussianNoise(SPREAD)(graph.input('level', [1]));
    const sigma = exp(level);
    const image = flatten()(graph.input('noisy', [28, 28]));
    const noisy = plus(image, times(gaussianNoise(1)(times(image, 0)), wide(sigma)));
    const total = sqrt(plus(square(sigma), DATA * DATA));
    const condition = dense(UNITS, { activation: 'silu' })(times(level, 0.25));
    const layer = (x: Tensor): Tensor => dense(UNITS, { activation: 'silu' })(concatenate()([x, condition]));
    let hidden = layer(over(noisy, wide(total)));
    for (let i = 0; i < 3; i++) hidden = plus(hidden, layer(hidden));
    const out = wide(over(times(sigma, DATA), total));
    const found = times(dense(PIXELS, { kernelInitializer: 'zeros' })(hidden), out);
    const clean = plus(over(times(noisy, DATA * DATA), wide(square(total))), found);
    const loss = defineLoss((_, field) => {
      const target = reshape([PIXELS])(field('clean', [28, 28]));
      return mean(square(over(minus(clean, target), out)));
    });
    return graph.model(reshape([28, 28])(clean), loss);
  },
  async data(directory) {
    const { train, test } = await loadMnist(directory);
    const held = firstSamples(test, Math.min(TEST_SAMPLES, test.manifest.samples), sha256Hex);
    return { train: cleanDigits(train), test: noisyDigits(held) };
  },
  optimizer: adam({ learningRate: 0.001, ema: 0.999 }),
  schedule: cosineDecay({ warmup: 100, floor: 0.05 }),
  batch: 128,
  leafSize: 16,
  epochs: 10,
  async metrics(predictor) {
    const drawn = await drawDigits((inputs) => predictor.predict(inputs), { count: 64, steps: 18, seed: 1 });
    return { drawnInk: drawn.reduce((total, pixel) => total + (pixel + 1) / 2, 0) / drawn.length };
  },
};

/**
 * Draws digits: noise is removed in steps of Euler's method.
 * @param predict the outputs of the trained network
 * @returns count * 784 pixels from -1 to 1
 */
export async function drawDigits(
  predict: Predictor['predict'],
  { count, steps, seed }: { readonly count: number; readonly steps: number; readonly seed: number },
): Promise<Float32Array> {
  const root = (x: number): number => exponential(naturalLogarithm(x) / 7);
  const sigmas = Array.from({ length: steps }, (_, i) =>
    exponential(7 * naturalLogarithm(root(MOST) + (i / (steps - 1)) * (root(LEAST) - root(MOST)))),
  );
  const draw = normalDraws(seed);
  let x = Float32Array.from({ length: count * PIXELS }, () => MOST * draw());
  for (const [i, sigma] of sigmas.entries()) {
    const next = sigmas[i + 1] ?? 0;
    const level = new Float32Array(count).fill(naturalLogarithm(sigma));
    const clean = await predict({ noisy: x, level });
    x = x.map((value, at) => value + ((next - sigma) * (value - (clean[at] as number))) / sigma);
  }
  return x;
}

/** Images from -1 to 1, twice: the graph adds noise to one of them. Fields: noisy, clean, level. */
function cleanDigits(digits: Dataset): Dataset {
  const { samples, name } = digits.manifest;
  const bytes = Uint8Array.from(fieldValues(digits, 'image'), (pixel) => Math.round(pixel * 255));
  const image = { dtype: 'u8', shape: [28, 28], bytes, scale: Math.fround(2 / 255), shift: -1 } as const;
  const levels = new Uint8Array(new Float32Array(samples).fill(LEVEL).buffer);
  const level = { dtype: 'f32', shape: [1], bytes: levels, scale: 1, shift: 0 } as const;
  return packDataset(`clean-${name}`, samples, { noisy: image, clean: image, level }, sha256Hex);
}

/** The same with noise of levels as in training, drawn once. */
function noisyDigits(digits: Dataset): Dataset {
  const { samples, name } = digits.manifest;
  const clean = fieldValues(digits, 'image').map((pixel) => 2 * pixel - 1);
  const draw = normalDraws(1);
  const levels = Float32Array.from({ length: samples }, () => LEVEL + SPREAD * draw());
  const sigmas = levels.map(exponential);
  const noisy = clean.map((pixel, i) => pixel + (sigmas[Math.floor(i / PIXELS)] as number) * draw());
  const rows = (values: Float32Array, width: number) =>
    Array.from({ length: samples }, (_, i) => values.subarray(i * width, (i + 1) * width));
  return packSamples(`noisy-${name}`, {
    noisy: { shape: [28, 28], values: rows(noisy, PIXELS) },
    clean: { shape: [28, 28], values: rows(clean, PIXELS) },
    level: { shape: [1], values: rows(levels, 1) },
  });
}

/** Numbers of nearly a normal distribution: sums of twelve uniform ones, less 6. */
function normalDraws(seed: number): () => number {
  const draw = drawsOf(seed);
  return () => Array.from({ length: 12 }, () => draw(2 ** 20) / 2 ** 20).reduce((sum, u) => sum + u, -6);
}
