import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainResult } from '../../trainer/result.js';
import { type Ended, start } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';

/*
 * A recipe with batch statistics over groups of 16 samples: four leaves of 4. Batches of 40 end in a group of 8; epochs of
 * 500 samples end in a batch of 20, and so in a group of 4.
 */
const RECIPE = `
import { Graph } from 'unisum/graph';
import { activation } from 'unisum/layers/activation';
import { batchNormalization } from 'unisum/layers/batch-normalization';
import { conv2d } from 'unisum/layers/conv2d';
import { dense } from 'unisum/layers/dense';
import { maxPooling2d } from 'unisum/layers/pooling';
import { flatten, reshape } from 'unisum/layers/reshape';
import { sequential } from 'unisum/layers/sequential';
import { sparseCategoricalCrossentropy } from 'unisum/losses/sparse-categorical-crossentropy';
import { adam } from 'unisum/optim/adam';
import { loadMnist } from 'unisum/data/images/mnist';

const normalized = (layer) => sequential([layer, batchNormalization({ virtualBatchSize: 16 }), activation('relu')]);

export const recipe = {
  summary: 'digits, normalised in groups',
  model() {
    const image = new Graph().input('image', [28, 28]);
    const network = sequential([
      reshape([28, 28, 1]),
      normalized(conv2d(8, 3, { strides: 2, padding: 'same', useBias: false })),
      maxPooling2d(),
      flatten(),
      normalized(dense(24, { useBias: false })),
      dense(10, { activation: 'softmax' }),
    ]);
    return image.graph.model(network(image), sparseCategoricalCrossentropy({ target: 'label' }));
  },
  data: loadMnist,
  optimizer: adam({ learningRate: 0.01 }),
  batch: 40,
  leafSize: 4,
  epochs: 3,
};
`;
const FOLDER = mkdtempSync(join(tmpdir(), 'unisum-groups-'));

function resultOf({ status, stdout, stderr }: Ended): TrainResult {
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as TrainResult;
}

const training = (...options: (string | number)[]) =>
  start(['train', './normalized.js', '--data', 'data', '--json', ...options], FOLDER);

let reference: TrainResult;
beforeAll(async () => {
  writeFiles(FOLDER, { 'package.json': '{ "type": "module" }', 'normalized.js': RECIPE });
  writeFiles(join(FOLDER, 'data'), smallData());
  mkdirSync(join(FOLDER, 'node_modules'));
  symlinkSync(join(import.meta.dirname, '../..'), join(FOLDER, 'node_modules', 'unisum'));
  reference = resultOf(await training('--workers', 1).ended);
});

afterAll(() => rmSync(FOLDER, { recursive: true }));

describe('a network with batch statistics', () => {
  it.each([2, 3, 5])('has the same weights with %i local workers', async (workers) => {
    const result = resultOf(await training('--workers', workers).ended);
    expect(result.weightsSha256).toBe(reference.weightsSha256);
    expect(result.metrics).toEqual(reference.metrics);
  });

  it('has the same weights with two threads, and with one local and two remote workers on other kernel builds', async () => {
    const threads = resultOf(await training('--workers', 1, '--threads', 2, '--backend', 'wasm').ended);
    expect(threads.weightsSha256).toBe(reference.weightsSha256);
    const coordinator = training(
      '--workers',
      1,
      '--min-workers',
      3,
      '--placement',
      'all',
      '--listen',
      '127.0.0.1:0',
    );
    const url = await coordinator.joinUrl();
    const remote = ['wasm', 'wasm-exact'].map((backend) =>
      start(['worker', url, '--name', backend, '--backend', backend]),
    );
    const result = resultOf(await coordinator.ended);
    expect(result.weightsSha256).toBe(reference.weightsSha256);
    for (const worker of remote) expect((await worker.ended).status).toBe(0);
    // No worker gets less than a group, except at the end of a batch.
    for (const { name, samples } of result.workers) expect(samples % 4, name).toBe(0);
    expect(result.workers.length).toBe(3);
  });

  it('has other weights with other groups, and refuses leaves that do not divide the groups', async () => {
    const other = resultOf(await training('--workers', 1, '--leaf', 8).ended);
    expect(other.weightsSha256).not.toBe(reference.weightsSha256);
    const { status, stderr } = await training('--leaf', 5).ended;
    expect(status).toBe(1);
    expect(stderr).toContain(
      'normalises groups of 16 samples, which leaves of 5 do not divide; choose another',
    );
  });
});
