import { describe, expect, it } from 'vitest';
import { UserError } from '../../shared/errors.js';
import { Graph, type Layer } from '../../shared/graph/graph.js';
import {
  gaussianNoise,
  randomCrop,
  randomFlip,
  randomTranslation,
  specAugment,
} from '../../shared/graph/layers/augmentation.js';
import { flatten } from '../../shared/graph/layers/reshape.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import type { Model } from '../../shared/graph/model.js';
import { elementsOf, type Shape } from '../../shared/graph/shape.js';
import { Trainer } from '../support/trainer.js';

const SAMPLES = 30;

/** A model that only augments its input; `count` is the number of its output elements. */
function modelOf(layer: Layer, shape: Shape): { model: Model; count: number } {
  const x = new Graph().input('x', shape);
  const output = sequential([layer, flatten()])(x);
  return { model: x.graph.model(output, meanSquaredError({ target: 'y' })), count: output.shape[0] ?? 0 };
}

/** The outputs in training and prediction for samples 1, 2, 3, ...: the value of an element is its index. */
async function outputsOf(
  layer: Layer,
  shape: Shape,
): Promise<{ trained: number[][]; predicted: number[][] }> {
  const { model, count } = modelOf(layer, shape);
  const elements = elementsOf(shape);
  const x = Float32Array.from({ length: SAMPLES * elements }, (_, i) => 1 + (i % elements));
  const y = { dtype: 'f32', shape: [count], values: new Float32Array(SAMPLES * count) } as const;
  const trainer = await Trainer.open({ model, samples: { x: { dtype: 'f32', shape, values: x }, y } });
  const rowsOf = (values: Float32Array): number[][] =>
    Array.from({ length: SAMPLES }, (_, r) => [...values.slice(r * count, (r + 1) * count)]);
  return { trained: rowsOf(trainer.trainingOutput(count)), predicted: rowsOf(trainer.predict()) };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('augmentation', () => {
  it('shifts images within bounds, and draws every possible shift', async () => {
    const { trained, predicted } = await outputsOf(
      randomTranslation(0, 0.4, { fillMode: 'constant' }),
      [1, 5, 1],
    );
    expect(predicted.every((row) => row.join() === '1,2,3,4,5')).toBe(true);
    expect(new Set(trained.map((row) => row.join()))).toEqual(
      new Set(['1,2,3,4,5', '0,1,2,3,4', '0,0,1,2,3', '2,3,4,5,0', '3,4,5,0,0']),
    );
    const mirrored = await outputsOf(randomTranslation(0.5, 0), [4, 1, 1]);
    expect(new Set(mirrored.trained.map((row) => row.join()))).toEqual(
      new Set(['1,2,3,4', '1,1,2,3', '2,1,1,2', '2,3,4,4', '3,4,4,3']),
    );
  });

  it('flips about half of the images', async () => {
    const { trained, predicted } = await outputsOf(randomFlip('horizontal'), [2, 2, 1]);
    expect(predicted.every((row) => row.join() === '1,2,3,4')).toBe(true);
    const flipped = trained.filter((row) => row.join() === '2,1,4,3').length;
    expect(trained.filter((row) => row.join() === '1,2,3,4')).toHaveLength(SAMPLES - flipped);
    expect(Math.abs(flipped - SAMPLES / 2)).toBeLessThan(12);
    const both = await outputsOf(randomFlip(), [2, 2, 1]);
    expect(new Set(both.trained.map((row) => row.join()))).toEqual(
      new Set(['1,2,3,4', '2,1,4,3', '3,4,1,2', '4,3,2,1']),
    );
  });

  it('crops at random in training, and the middle in prediction', async () => {
    const { trained, predicted } = await outputsOf(randomCrop(1, 2), [1, 5, 1]);
    expect(new Set(trained.map((row) => row.join()))).toEqual(new Set(['1,2', '2,3', '3,4', '4,5']));
    expect(predicted.every((row) => row.join() === '2,3')).toBe(true);
  });

  it('adds noise of the given deviation', async () => {
    const { trained, predicted } = await outputsOf(gaussianNoise(0.5), [20]);
    expect(predicted.every((row) => row.join() === range(1, 21).join())).toBe(true);
    const noise = trained.flatMap((row) => row.map((value, i) => (value - i - 1) / 0.5));
    const [mean, square] = [1, 2].map(
      (power) => noise.reduce((sum, n) => sum + n ** power, 0) / noise.length,
    );
    // Four standard errors of 600 draws.
    expect(Math.abs(mean as number)).toBeLessThan(4 / Math.sqrt(noise.length));
    expect(Math.abs((square as number) - 1)).toBeLessThan(4 * Math.sqrt(2 / noise.length));
  });

  it('sets bands of a spectrogram to 0', async () => {
    const { trained, predicted } = await outputsOf(
      specAugment({ timeMasks: 1, timeWidth: 2, frequencyMasks: 0 }),
      [6, 2],
    );
    expect(predicted.every((row) => row.join() === range(1, 13).join())).toBe(true);
    const silent = trained.map((row) => range(0, 6).filter((t) => row[2 * t] === 0 && row[2 * t + 1] === 0));
    expect(new Set(silent.map((times) => times.length))).toEqual(new Set([0, 1, 2]));
    for (const times of silent) expect(times).toEqual(range(times[0] ?? 0, (times[0] ?? 0) + times.length));
    expect(
      trained.every((row, r) => row.filter((value) => value === 0).length === 2 * (silent[r]?.length ?? 0)),
    ).toBe(true);
  });

  it('refuses invalid arguments', () => {
    const [image, line] = [new Graph().input('x', [4, 4, 1]), new Graph().input('x', [4])];
    expect(() => randomTranslation(1.5, 0)(image)).toThrow(UserError);
    expect(() => randomTranslation(0, 0)(line)).toThrow(/is not an image/);
    expect(() => randomFlip()(line)).toThrow(/is not an image/);
    expect(() => randomCrop(5, 2)(image)).toThrow(
      /a 5 x 2 window does not fit into an image of shape \[4, 4, 1\]/,
    );
    expect(() => gaussianNoise(-1)(image)).toThrow(UserError);
    expect(() => specAugment()(line)).toThrow(/is not a spectrogram/);
    expect(() => specAugment({ timeMasks: 17 })(image)).toThrow(UserError);
    expect(() => specAugment({ timeWidth: 5 })(image)).toThrow(/make them narrower/);
  });
});
