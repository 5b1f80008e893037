import { describe, expect, it, onTestFinished } from 'vitest';
import { SeededRandom } from '../../../shared/actor/seeded-random.js';
import { createPlan } from '../../../shared/compiler/plan.js';
import { packDataset } from '../../../shared/data/dataset.js';
import { DataStore } from '../../../shared/engine/data-store.js';
import { Device } from '../../../shared/engine/device.js';
import { nodePlatform } from '../../../shared/engine/node-platform.js';
import { Predictor } from '../../../shared/engine/passes/prediction.js';
import { UserError } from '../../../shared/errors.js';
import { sha256Hex } from '../../../shared/files/sha256.js';
import { Graph } from '../../../shared/graph/graph.js';
import { dense } from '../../../shared/graph/layers/dense.js';
import { lstm } from '../../../shared/graph/layers/recurrent.js';
import { transformerBlock } from '../../../shared/graph/layers/transformer.js';
import { sparseCategoricalCrossentropy } from '../../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../../shared/graph/model.js';
import { Trainer } from '../../support/trainer.js';

const SEED = 5;
/** More than one block for each of three threads. */
const ROWS = 800;
const INPUTS = { read: [4, 6], heard: [3, 6] } as const;
const READ = values(ROWS * 24, 1);
const HEARD = values(ROWS * 18, 2);

/** A model with two inputs that ends in a softmax. */
function model(): Model {
  const graph = new Graph();
  const memory = graph.input('heard', INPUTS.heard);
  const seen = transformerBlock(2, 8)(graph.input('read', INPUTS.read), { memory });
  const output = dense(3, { activation: 'softmax' })(lstm(5)(seen));
  return graph.model(output, sparseCategoricalCrossentropy({ target: 'label' }));
}

function values(count: number, seed: number): Float32Array {
  const random = new SeededRandom(seed);
  return Float32Array.from({ length: count }, () => random.next() / 2 ** 31 - 1);
}

async function predictor(threads: number): Promise<Predictor> {
  const device = await Device.start(threads, 'wasm', nodePlatform());
  onTestFinished(() => device.stop());
  const { memory, threadPool } = device;
  const plan = createPlan(model());
  const bytes = plan.parameterFloats * 4;
  const weights = memory.allocate(bytes);
  const scratch = memory.allocate(bytes);
  device.runOnce((commandBuffer) => plan.emitInitialisation(commandBuffer, { weights, scratch, seed: SEED }));
  const column = { dtype: 'u8', shape: [], bytes: new Uint8Array(1), scale: 1, shift: 0 } as const;
  const { manifest } = packDataset('other', 1, { other: column }, sha256Hex);
  const data = new DataStore(memory, manifest, SEED);
  return new Predictor(threadPool, { memory, plan, leafSize: 1, weights, data });
}

/** The outputs of all rows at once, on one thread. */
async function expected(): Promise<Float32Array> {
  const samples = {
    read: { dtype: 'f32', shape: INPUTS.read, values: READ },
    heard: { dtype: 'f32', shape: INPUTS.heard, values: HEARD },
    label: { dtype: 'u8', shape: [], values: new Array(ROWS).fill(0) },
  } as const;
  const trainer = await Trainer.open({ model: model(), samples });
  trainer.initialise(SEED);
  return trainer.predict();
}

const inputs = (from: number, to: number) => ({
  read: READ.subarray(from * 24, to * 24),
  heard: HEARD.subarray(from * 18, to * 18),
});

describe('predictions', () => {
  it.each([1, 2, 3])(
    'have the same bits on %i threads, whatever rows are predicted together',
    async (threads) => {
      const all = await expected();
      const subject = await predictor(threads);
      expect(await subject.predict(inputs(0, ROWS))).toEqual(all);
      const pieces = [0, 0, 1, 3, 260, 777, ROWS];
      const parts = pieces.slice(1).map((to, i) => subject.predict(inputs(pieces[i] as number, to)));
      const joined = (await Promise.all(parts)).flatMap((part) => [...part]);
      expect(Float32Array.from(joined)).toEqual(all);
    },
  );

  it('of a softmax are probabilities', async () => {
    const [a = 0, b = 0, c = 0] = await (await predictor(1)).predict(inputs(0, 1));
    expect(a + b + c).toBeCloseTo(1, 6);
  });

  it.each([
    ['is missing', { read: READ }, /^the model's input heard is missing/],
    [
      'is unknown',
      { ...inputs(0, 1), seen: READ },
      /^the model has no input seen; its inputs are heard, read$/,
    ],
    [
      'ends within a row',
      { ...inputs(0, 1), read: READ.subarray(0, 25) },
      /read takes \d+ numbers a row; 25 numbers are not a whole number of rows/,
    ],
    [
      'has another number of rows',
      { ...inputs(0, 1), read: READ.subarray(0, 48) },
      /same number of rows, not .*read 2/,
    ],
  ])('are refused for an input that %s, and go on', async (_what, wrong, message) => {
    const subject = await predictor(1);
    const refused = subject.predict(wrong);
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(message);
    expect(await subject.predict(inputs(0, 1))).toHaveLength(3);
  });
});
