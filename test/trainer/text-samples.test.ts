import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createPlan } from '../../shared/compiler/plan.js';
import { loadText } from '../../shared/data/texts/text.js';
import { Device } from '../../shared/engine/device.js';
import { nodePlatform } from '../../shared/engine/node-platform.js';
import { Predictor } from '../../shared/engine/passes/prediction.js';
import { Graph } from '../../shared/graph/graph.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { embedding } from '../../shared/graph/layers/embedding.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../shared/graph/model.js';
import { TEXT_CHARACTERS_MAX } from '../../shared/protocol/example-news.js';
import { parseForWatcher } from '../../shared/protocol/watch-messages.js';
import { textSamples } from '../../trainer/text-samples.js';
import { allocateRun } from '../../trainer/training-memory.js';
import { temporaryFolder } from '../support/process.js';

const fail = (text: string): never => expect.unreachable(text);

it('goes on from the beginning of the evaluated text, only where somebody sees it, always with the same draws', async () => {
  const file = join(temporaryFolder(), 'text.txt');
  writeFileSync(file, 'a sailor went to sea sea sea, to see what he could see. '.repeat(20));
  const data = await loadText(file, 16, 0.5);
  const { alphabet, test } = data;
  const graph = new Graph();
  const logits = dense(alphabet.length, { name: 'logits' })(
    embedding(alphabet.length, 4)(graph.input('x', [16])),
  );
  const model = graph.model(logits, sparseCategoricalCrossentropy({ target: 'y', fromLogits: true }));
  const device = await Device.start(1, 'wasm', nodePlatform());
  onTestFinished(() => device.stop());
  const memory = allocateRun(device, { plan: createPlan(model), data: test, leafSize: 4, seed: 0 });
  const predictorOf = (network: Model, rows?: number): Predictor =>
    new Predictor(device.threadPool, { ...memory, plan: createPlan(network) }, rows);
  const write = textSamples(model, test, data, predictorOf, fail);
  expect(await write?.(3, false)).toBeUndefined();
  const news = await write?.(3, true);
  expect(parseForWatcher(news)).toEqual(news);
  expect(news?.step).toBe(3);
  expect(news?.prompt).toHaveLength(16);
  expect(news?.text).toHaveLength(TEXT_CHARACTERS_MAX - 24);
  expect(Array.from(news?.text ?? '').every((symbol) => alphabet.includes(symbol))).toBe(true);
  expect(await write?.(3, true)).toEqual(news);
  memory.memory.f32(memory.weights, memory.plan.parameterFloats).fill(0.5);
  expect((await write?.(4, true))?.text).not.toBe(news?.text);
});

it('writes nothing with a model of anything else', () => {
  const graph = new Graph();
  const output = dense(2)(graph.input('x', [3]));
  const model = graph.model(output, sparseCategoricalCrossentropy({ target: 'y', fromLogits: true }));
  expect(textSamples(model, undefined as never, {}, undefined as never, fail)).toBeUndefined();
});
