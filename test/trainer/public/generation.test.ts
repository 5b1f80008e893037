import { afterAll, describe, expect, it } from 'vitest';
import { createPlan } from '../../../shared/compiler/plan.js';
import type { Predictor } from '../../../shared/engine/passes/prediction.js';
import { Graph, type Layer } from '../../../shared/graph/graph.js';
import { dense } from '../../../shared/graph/layers/dense.js';
import { embedding, positionalEmbedding } from '../../../shared/graph/layers/embedding.js';
import { layerNormalization } from '../../../shared/graph/layers/layer-normalization.js';
import { multiHeadAttention } from '../../../shared/graph/layers/multi-head-attention.js';
import { rmsNormalization } from '../../../shared/graph/layers/normalization.js';
import { gru, lstm, simpleRnn } from '../../../shared/graph/layers/recurrent.js';
import { sequential } from '../../../shared/graph/layers/sequential.js';
import { swiGlu, transformerBlock } from '../../../shared/graph/layers/transformer.js';
import { sparseCategoricalCrossentropy } from '../../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../../shared/graph/model.js';
import { generationRequest } from '../../../trainer/generation/generate-options.js';
import { TextGenerator } from '../../../trainer/generation/generator.js';
import { drawSymbol } from '../../../trainer/generation/sampling.js';
import { TrainedModel } from '../../../trainer/trained-model.js';
import { spread } from '../../support/numbers.js';

/** Two blocks of keys, the second shorter than the first. */
const CONTEXT = 24;
const ALPHABET = Array.from('abcdefghijk');

function languageModel(layers: readonly Layer[]): Model {
  const graph = new Graph();
  const logits = sequential([embedding(ALPHABET.length, 12), ...layers, dense(ALPHABET.length)])(
    graph.input('x', [CONTEXT]),
  );
  return graph.model(logits, sparseCategoricalCrossentropy({ target: 'y', fromLogits: true }));
}

const MODELS = {
  attention: () =>
    languageModel([
      positionalEmbedding(),
      transformerBlock(3, 20, { causal: true, dropout: 0.1 }),
      transformerBlock(2, 20, { causal: true, activation: 'silu' }),
      layerNormalization(),
    ]),
  rotary: () =>
    languageModel([
      rmsNormalization(),
      multiHeadAttention(3, { causal: true, rotary: true }),
      sequential([rmsNormalization(), swiGlu(10)]),
    ]),
  recurrent: () =>
    languageModel([
      lstm(9, { returnSequences: true }),
      gru(8, { returnSequences: true }),
      simpleRnn(7, { returnSequences: true }),
    ]),
  /** A position sees others otherwise than by a causal op. */
  other: () => languageModel([positionalEmbedding(), transformerBlock(2, 8)]),
} as const;

const loaded: TrainedModel[] = [];
afterAll(() => Promise.all(loaded.map((model) => model.stop())));

async function open(network: Model): Promise<TrainedModel> {
  const parameters = createPlan(network).parameters.map(({ name, shape, size }, i) => ({
    ...{ name, shape },
    values: spread(i + 5, size),
  }));
  const model = await TrainedModel.load({ network, leafSize: 1, threads: 1, backend: 'auto' }, parameters);
  loaded.push(model);
  return model;
}

/** The text, and the bits of the logits behind each symbol. */
async function write(network: Model, model: TrainedModel, request: ReturnType<typeof generationRequest>) {
  const logits: number[][] = [];
  const position = { last: 0 };
  const recorded: Pick<TrainedModel, 'predictorOf'> = {
    predictorOf(part, rowsMax) {
      const predictor = model.predictorOf(part, rowsMax);
      const predict: Predictor['predict'] = async (inputs) => {
        const outputs = await predictor.predict(inputs);
        const at = inputs['step:token'] === undefined ? position.last : 0;
        const own = outputs.slice(at * ALPHABET.length, (at + 1) * ALPHABET.length);
        logits.push([...new Uint32Array(own.buffer)]);
        return outputs;
      };
      return { predict } as Predictor;
    },
  };
  const preprocessing = { kind: 'text', version: 1, context: CONTEXT, alphabet: ALPHABET } as const;
  const generator = new TextGenerator(network, { preprocessing }, recorded);
  let text = '';
  let window = request.prompt.length;
  const next = (): void => {
    if (window > CONTEXT) window = CONTEXT / 2;
    position.last = window - 1;
    window += 1;
  };
  next();
  for await (const symbol of generator.write(request)) {
    text += symbol;
    next();
  }
  return { text, logits, unsupported: generator.unsupported };
}

describe('a text that is written', () => {
  const settings = { length: 50, temperature: 0.8, topK: 9, topP: 0.95, seed: 3 };

  it.each(['attention', 'rotary', 'recurrent'] as const)(
    'has the same bits with and without a cache: %s',
    async (name) => {
      const network = MODELS[name]();
      const model = await open(network);
      const cached = await write(network, model, generationRequest('bad', settings));
      const whole = await write(network, model, generationRequest('bad', { ...settings, cache: false }));
      expect(cached.unsupported).toBeUndefined();
      expect(cached.text).toBe(whole.text);
      expect(new Set(cached.text).size).toBeGreaterThan(3);
      // The cache also computes the positions of the prompt, and of a window that starts again.
      const steps = new Set(cached.logits.map(String));
      for (const logits of whole.logits) expect(steps).toContain(String(logits));
      expect(whole.logits).toHaveLength(50);
    },
  );

  it('says which op has no form for one position, and is written without a cache', async () => {
    const network = MODELS.other();
    const { unsupported, text, logits } = await write(
      network,
      await open(network),
      generationRequest('a', settings),
    );
    expect(unsupported).toContain('that is not causal');
    expect([text.length, logits.length]).toEqual([50, 50]);
  });

  it('refuses what it cannot continue', async () => {
    const network = MODELS.recurrent();
    const model = await open(network);
    await expect(write(network, model, generationRequest('say', settings))).rejects.toThrow(
      'the prompt has characters that the model has not learned: "s", "y"',
    );
    expect(() => generationRequest('a', { topP: 0 })).toThrow(
      'generate: topP is above 0 and at most 1, not 0',
    );
    const preprocessing = { kind: 'fields', version: 1 } as never;
    expect(() => new TextGenerator(network, { preprocessing }, model)).toThrow('the model writes no texts');
  });
});

describe('drawing a symbol', () => {
  const logits = Float32Array.of(0, 2, 1, 2);
  const draws = (options: object): number[] =>
    Array.from({ length: 4000 }, (_, i) => drawSymbol(logits, generationRequest('a', options), i));

  it('follows the probabilities, and the limits on them', () => {
    const shares = [0, 1, 2, 3].map(
      (symbol) => draws({ seed: 1 }).filter((drawn) => drawn === symbol).length / 4000,
    );
    const weights = [...logits].map(Math.exp);
    const total = weights.reduce((a, b) => a + b, 0);
    for (const [i, share] of shares.entries()) expect(share).toBeCloseTo((weights[i] ?? 0) / total, 1);
    expect(new Set(draws({ temperature: 0 }))).toEqual(new Set([1]));
    expect(new Set(draws({ topK: 2 }))).toEqual(new Set([1, 3]));
    // 1 and 3 have 0.78 of the probability, 2 has 0.14.
    expect(new Set(draws({ topP: 0.7 }))).toEqual(new Set([1, 3]));
    expect(new Set(draws({ topP: 0.8 }))).toEqual(new Set([1, 2, 3]));
    expect(draws({ seed: 1 })).not.toEqual(draws({ seed: 2 }));
  });
});
