import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Model } from '../../../shared/graph/model.js';
import { elementsOf } from '../../../shared/graph/shape.js';
import { writeExport } from '../../../trainer/formats/export-files.js';
import { importNetwork } from '../../../trainer/formats/import-network.js';
import { storedNetwork } from '../../../trainer/model-text.js';
import { LAYER_NETWORKS } from './layer-networks.js';
import { distinctNetworks, randomInputs, randomWeights } from './networks.js';
import { furthest, predicted } from './predicted.js';
import { type TensorFlowJs, type TfModel, type TfTensor, tensorFlowJs } from './tensorflow-js.js';

const ROOT = mkdtempSync(join(tmpdir(), 'unisum-tfjs-'));
afterAll(() => rmSync(ROOT, { recursive: true }));
const TOLERANCE = 1e-5;
const ROWS = 3;
const library = tensorFlowJs();
const recipes = (await distinctNetworks()).filter(([name]) =>
  ['mnist-mlp', 'iris', 'mnist-cnn', 'residual'].includes(name),
);
const networks: [name: string, network: Model][] = [
  ...recipes,
  ...Object.entries(LAYER_NETWORKS).map(([name, build]): [string, Model] => [name, build()]),
];

/** The folder of a network in a format. */
async function exported(
  network: Model,
  weights: ReturnType<typeof randomWeights>,
  name: string,
): Promise<string> {
  const out = join(ROOT, name.replaceAll(' ', '-'));
  await writeExport(storedNetwork(name, network), weights, { format: 'tfjs', out });
  return out;
}

async function loaded({ loadLayersModel }: TensorFlowJs, folder: string): Promise<TfModel> {
  const { modelTopology, weightsManifest } = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
  const [group] = weightsManifest;
  const bytes = Buffer.concat(group.paths.map((path: string) => readFileSync(join(folder, path))));
  const weightData = new Uint8Array(bytes).buffer as ArrayBuffer;
  return loadLayersModel({
    load: async () => ({ modelTopology, weightSpecs: group.weights, weightData }),
  });
}

/** One after the other, as predict has several outputs. */
function outputs(model: TfModel, inputs: readonly TfTensor[]): Float32Array {
  const results = [model.predict(inputs)].flat();
  const sizes = results.map(({ shape }) => elementsOf(shape.slice(1)));
  const data = results.map((result) => result.dataSync());
  const rows = Array.from({ length: ROWS }, (_, row) =>
    data.flatMap((values, i) => [
      ...values.subarray(row * (sizes[i] as number), (row + 1) * (sizes[i] as number)),
    ]),
  );
  return Float32Array.from(rows.flat());
}

describe.skipIf(library === undefined)('TensorFlow.js predicts what predict does', () => {
  it.each(networks)('%s', async (name, network) => {
    const tf = library as TensorFlowJs;
    const weights = randomWeights(network, 7);
    const inputs = randomInputs(network, ROWS, 11);
    // The padding that our embeddings know is no id of theirs.
    for (const values of Object.values(inputs)) if (name.startsWith('two inputs')) clampIds(values);
    const model = await loaded(tf, await exported(network, weights, name));
    const tensors = network.inputs.map((input) =>
      tf.tensor(inputs[input.name] as Float32Array, [ROWS, ...input.shape]),
    );
    const expected = await predicted(network, weights, inputs);
    expect(furthest(outputs(model, tensors), expected)).toBeLessThanOrEqual(TOLERANCE);
    expect(new Set(expected).size).toBeGreaterThan(1);
  });
});

function clampIds(values: Float32Array): void {
  values.forEach((value, i) => {
    if (value === -1) values[i] = 0;
  });
}

describe('exports come back, with the same bits', () => {
  // The others differ from files of Keras in nothing; see keras.test.ts.
  const single = networks.filter(([name]) => ['mnist-cnn', 'images', 'sequences'].includes(name));
  it.each(single)('%s', async (name, network) => {
    const weights = randomWeights(network, 5);
    const imported = await importNetwork(
      join(await exported(network, weights, `${name}-again`), 'model.json'),
    );
    const again = imported.model();
    const inputs = randomInputs(network, ROWS, 3);
    expect(await predicted(again, imported.weights(again), inputs)).toEqual(
      await predicted(network, weights, inputs),
    );
  });
});

/** What the file handler of TensorFlow.js writes. */
async function saved(model: TfModel, name: string, { io }: TensorFlowJs): Promise<string> {
  const folder = join(ROOT, name);
  mkdirSync(folder);
  await model.save(
    io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
      writeFileSync(join(folder, 'model.json'), JSON.stringify({ modelTopology, weightsManifest }));
      writeFileSync(join(folder, 'weights.bin'), new Uint8Array(weightData));
      return {};
    }),
  );
  return join(folder, 'model.json');
}

/** Weights that are no zeros or ones, so that none of them can be forgotten. */
function scramble(model: TfModel, { tensor }: TensorFlowJs): void {
  let next = 1;
  for (const weight of model.weights) {
    const { shape } = weight.read();
    const isVariance = /variance$/.test(weight.originalName);
    const values = Float32Array.from({ length: elementsOf(shape) }, () => {
      next = (next * 48271) % 2147483647;
      return (isVariance ? 1.2 : 0) + (next / 2147483647 - 0.5) * 0.8;
    });
    weight.write(tensor(values, shape));
  }
}

/** Models as TensorFlow.js builds and saves them, with layers that our exports do not have. */
const FOREIGN: Readonly<Record<string, (tf: TensorFlowJs) => TfModel>> = {
  images: ({ layers: l, sequential }) =>
    sequential({
      layers: [
        l.conv2d?.({ inputShape: [8, 8, 3], filters: 6, kernelSize: 3, activation: 'relu6' }),
        l.zeroPadding2d?.({
          padding: [
            [1, 0],
            [0, 2],
          ],
        }),
        l.separableConv2d?.({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }),
        l.batchNormalization?.({ scale: false }),
        l.depthwiseConv2d?.({ kernelSize: 2, depthMultiplier: 2, useBias: false }),
        l.reLU?.({ maxValue: 2 }),
        l.conv2dTranspose?.({ filters: 3, kernelSize: [1, 2], strides: 2, biasInitializer: 'ones' }),
        l.upSampling2d?.({ size: [2, 3] }),
        l.cropping2D?.({
          cropping: [
            [1, 0],
            [0, 1],
          ],
        }),
        l.averagePooling2d?.({ poolSize: 2, padding: 'same' }),
        l.globalAveragePooling2d?.({}),
        l.softmax?.({}),
      ],
    }),
  sequences: ({ layers: l, input, model }) => {
    const x = input({ shape: [6, 4], name: 'my_series' });
    const recurrentActivation = 'sigmoid';
    const apply = (value: unknown, ...all: (ReturnType<NonNullable<(typeof l)[string]>> | undefined)[]) =>
      all.reduce((tensor, layer) => layer?.apply(tensor), value);
    const layer = l.lstm?.({ units: 3, returnSequences: true, recurrentActivation });
    const both = apply(
      x,
      l.bidirectional?.({ layer, mergeMode: 'ave' }),
      l.conv1d?.({ filters: 4, kernelSize: 2 }),
    );
    const pooled = apply(
      both,
      l.maxPooling1d?.({ poolSize: 2 }),
      l.timeDistributed?.({ layer: l.dense?.({ units: 4 }) }),
    );
    const [a, b] = [apply(pooled, l.globalMaxPooling1d?.({})), apply(pooled, l.simpleRNN?.({ units: 4 }))];
    const joined = ['average', 'maximum', 'minimum'].map((name) => l[name]?.({}).apply([a, b]));
    const outputs = apply(
      apply(joined, l.concatenate?.({})),
      l.layerNormalization?.({}),
      l.dense?.({ units: 2, activation: 'swish' }),
    );
    return model({ inputs: x, outputs });
  },
  nested: ({ layers: l, input, model, sequential }) => {
    const x = input({ shape: [4], name: 'features' });
    const inner = sequential({
      layers: [l.dense?.({ inputShape: [4], units: 4, activation: 'tanh' }), l.leakyReLU?.({})],
    });
    const twice = inner as unknown as { apply(value: unknown): unknown };
    return model({
      inputs: x,
      outputs: l.add?.({}).apply([twice.apply(x), twice.apply(l.dense?.({ units: 4 }).apply(x))]),
    });
  },
};

describe.skipIf(library === undefined)('models of TensorFlow.js are imported', () => {
  it.each(Object.keys(FOREIGN))('%s', async (name) => {
    const tf = library as TensorFlowJs;
    const model = (FOREIGN[name] as (tf: TensorFlowJs) => TfModel)(tf);
    scramble(model, tf);
    const imported = await importNetwork(await saved(model, `foreign-${name}`, tf));
    const network = imported.model();
    const inputs = randomInputs(network, ROWS, 13);
    const tensors = network.inputs.map((input) =>
      tf.tensor(inputs[input.name] as Float32Array, [ROWS, ...input.shape]),
    );
    const actual = await predicted(network, imported.weights(network), inputs);
    expect(furthest(actual, outputs(model, tensors))).toBeLessThanOrEqual(TOLERANCE);
    expect(new Set(actual).size).toBeGreaterThan(1);
  });
});
