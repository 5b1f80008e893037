import { expect, it } from 'vitest';
import { packSamples } from '../../shared/data/samples.js';
import { UserError } from '../../shared/errors.js';
import { Graph } from '../../shared/graph/graph.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { reshape } from '../../shared/graph/layers/reshape.js';
import { ctc } from '../../shared/graph/losses/ctc.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import { EXAMPLES_MAX } from '../../shared/protocol/example-news.js';
import { parseForWatcher } from '../../shared/protocol/watch-messages.js';
import { exampleAnswers } from '../../trainer/example-answers.js';

const CLASSES = ['dark', 'bright\u001b[31m'];
/** Images of one grey: from -1 to 1, and bright from 0 on. */
const SAMPLES = 200;
const greys = Array.from({ length: SAMPLES }, (_, i) => (2 * i) / (SAMPLES - 1) - 1);

function data(shape: readonly number[]) {
  const size = shape.reduce((product, side) => product * side, 1);
  return packSamples('greys', {
    image: { shape, values: greys.map((grey) => new Array(size).fill(grey)) },
    label: { dtype: 'i32', shape: [], values: greys.map((grey) => [Number(grey > 0)]) },
  });
}

function model(shape: readonly number[]) {
  const graph = new Graph();
  const size = shape.reduce((product, side) => product * side, 1);
  const output = dense(2, { activation: 'softmax' })(reshape([size])(graph.input('image', shape)));
  return graph.model(output, sparseCategoricalCrossentropy({ target: 'label' }));
}

/** Answers "bright" from this grey on, with the probability of 0.75. */
const from = (bound: number, size: number) => () => ({
  predict: async ({ image = new Float32Array(0) }: Readonly<Record<string, Float32Array>>) =>
    Float32Array.from({ length: (2 * image.length) / size }, (_, i) => {
      const isBright = (image[Math.floor(i / 2) * size] as number) > bound;
      return isBright === (i % 2 === 1) ? 0.75 : 0.25;
    }),
});

const fail = (text: string): never => expect.unreachable(text);

it.each([[[2, 3]], [[2, 3, 1]]])(
  'shows images of shape %j over the whole test data, with the answers to them, and mistakes',
  async (shape) => {
    const news = await exampleAnswers(model(shape), data(shape), CLASSES, from(0.25, 6), fail)?.(40);
    expect(news).toBeDefined();
    expect(parseForWatcher(news)).toEqual(news);
    if (news === undefined) return;
    expect(news).toMatchObject({ step: 40, height: 2, width: 3, channels: 1, tried: 128 });
    expect(news.fixed).toHaveLength(16);
    const brightness = news.fixed.map(({ pixels }) => Buffer.from(pixels, 'base64url'));
    for (const bytes of brightness) expect(new Set(bytes).size).toBe(1);
    expect(brightness[0]?.[0]).toBe(0);
    expect(brightness.map(([grey]) => grey)).toEqual(
      brightness.map(([grey]) => grey).sort((a, b) => a! - b!),
    );
    // An eighth of the greys is between the right bound and the model's.
    expect(news.right).toBe(112);
    expect(news.mistakes).toHaveLength(EXAMPLES_MAX - 16);
    for (const { label, answer, probability } of news.mistakes)
      expect([label, answer, probability]).toEqual(['bright [31m', 'dark', 0.75]);
  },
);

it('shows none where a model does not put one small image into a class', () => {
  const graph = new Graph();
  const image = graph.input('image', [4]);
  const regression = graph.model(dense(1)(image), meanSquaredError({ target: 'label' }));
  expect(exampleAnswers(regression, data([4]), undefined, from(0, 4), fail)).toBeUndefined();
  expect(exampleAnswers(model([4]), data([4]), undefined, from(0, 4), fail)).toBeUndefined();
  expect(exampleAnswers(model([2, 2, 2]), data([2, 2, 2]), undefined, from(0, 8), fail)).toBeUndefined();
  // Two of these would be more than a message may have.
  const large = model([300, 300, 1]);
  expect(exampleAnswers(large, data([1]), undefined, from(0, 1), fail)).toBeUndefined();
});

it('is given up, which is told once, where there is no memory for it', async () => {
  const told: string[] = [];
  const noRoom = (): never => {
    throw new UserError('no memory is left');
  };
  const answer = exampleAnswers(model([2, 3]), data([2, 3]), CLASSES, noRoom, (text) => told.push(text));
  expect([await answer?.(40), await answer?.(48)]).toEqual([undefined, undefined]);
  expect(told).toEqual(['the page shows no test images: no memory is left']);
});

it('shows recordings as spectrograms from left to right, with the transcripts of the model', async () => {
  const graph = new Graph();
  const logits = dense(3, { name: 'logits' })(graph.input('spectrogram', [4, 2]));
  const speech = graph.model(logits, ctc({ target: 'digits', length: 2 }));
  const recordings = packSamples('strings', {
    spectrogram: { shape: [4, 2], values: [[0, 1, 2, 3, 4, 5, 6, 7]] },
    digits: { dtype: 'i32', shape: [2], values: [[2, 0]] },
  });
  // Blank, class 2, class 2, class 1: equal neighbours are merged.
  const said = [0, 2, 2, 1].flatMap((best) => [0, 1, 2].map((k) => Number(k === best)));
  const predictor = () => ({ predict: async () => Float32Array.from(said) });
  const news = await exampleAnswers(speech, recordings, undefined, predictor, fail)?.(40);
  expect(parseForWatcher(news)).toEqual(news);
  expect(news).toMatchObject({ subject: 'recordings', width: 4, height: 2, tried: 1, right: 0 });
  const [row] = news?.fixed ?? [];
  expect(row).toMatchObject({ label: '1', answer: '1 0', probability: Number.NaN });
  // The upper row has the second band of the four frames, the lower row the first.
  const grey = (value: number): number => Math.round((value * 255) / 7);
  expect([...Buffer.from(row?.pixels ?? '', 'base64url')]).toEqual([1, 3, 5, 7, 0, 2, 4, 6].map(grey));
});
