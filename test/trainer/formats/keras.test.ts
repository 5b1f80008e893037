import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync, zipSync } from 'fflate';
import { afterAll, describe, expect, it } from 'vitest';
import { Graph } from '../../../shared/graph/graph.js';
import { exp, sqrt } from '../../../shared/graph/layers/arithmetic.js';
import { multiHeadAttention } from '../../../shared/graph/layers/multi-head-attention.js';
import { sequential } from '../../../shared/graph/layers/sequential.js';
import { meanSquaredError } from '../../../shared/graph/losses/mean-squared-error.js';
import type { Model } from '../../../shared/graph/model.js';
import { writeExport } from '../../../trainer/formats/export-files.js';
import { importNetwork } from '../../../trainer/formats/import-network.js';
import { encodeHdf5 } from '../../../trainer/formats/keras/hdf5.js';
import {
  inKerasOrder,
  type KerasLayer,
  snakeCase,
  weightPlaces,
} from '../../../trainer/formats/keras/layer-model.js';
import { storedNetwork } from '../../../trainer/model-text.js';
import { pythonWith } from '../../support/python.js';
import { KERAS_NETWORKS } from './layer-networks.js';
import { randomInputs, randomWeights } from './networks.js';
import { furthest, predicted } from './predicted.js';

/*
 * Keras itself is in no package of npm or Debian. Its files are read by h5py and computed by NumPy, from the formulas of Keras' own
 * layers; and files as Keras 3 writes them are imported and compared with numbers computed by hand.
 */

const ROOT = mkdtempSync(join(tmpdir(), 'unisum-keras-'));
afterAll(() => rmSync(ROOT, { recursive: true }));
const ROWS = 3;
const TOLERANCE = 1e-5;
const PYTHON = pythonWith(['h5py', 'numpy'], 'python3-h5py');

async function exported(name: string, network: Model, weights = randomWeights(network, 5)): Promise<string> {
  const out = join(ROOT, name.replaceAll(' ', '-'));
  await writeExport(storedNetwork(name, network), weights, { format: 'keras', out });
  return join(out, 'model.keras');
}

describe('exports come back, with the same bits', () => {
  const single = Object.entries(KERAS_NETWORKS).filter(([name]) => name !== 'two outputs');
  it.each(single)('%s', async (name, build) => {
    const network = build();
    const weights = randomWeights(network, 5);
    const imported = await importNetwork(await exported(name, network, weights));
    const again = imported.model();
    const inputs = randomInputs(network, ROWS, 3);
    const actual = await predicted(again, imported.weights(again), inputs);
    expect(actual).toEqual(await predicted(network, weights, inputs));
    expect(new Set(actual).size).toBeGreaterThan(1);
  });

  it('an output of several is chosen by its layer, and the others are told', async () => {
    const network = KERAS_NETWORKS['two outputs']?.() as Model;
    const file = await exported('two outputs', network);
    const first = await importNetwork(file);
    expect(first.notes).toEqual(['the outputs reshape are left out']);
    expect((await importNetwork(file, { output: 'reshape' })).output.shape).toEqual([2, 2]);
    await expect(importNetwork(file, { output: 'none' })).rejects.toThrow(
      /its outputs are softmax|softmax, reshape/,
    );
  });
});

it('refuses everything that Keras has no layer for, at once', async () => {
  const graph = new Graph();
  const x = sequential([multiHeadAttention(1, { name: 'looks' })])(graph.input('x', [3, 4]));
  const network = graph.model(sqrt(exp(x)), meanSquaredError({ target: 'y' }));
  const refused = exported('refused', network);
  await expect(refused).rejects.toThrow(/looks.*\(attention\).*\(a square root\)/);
});

/** Reads a .keras file by h5py, and computes it in NumPy, layer by layer. */
const FORWARD = `
import io, json, sys, zipfile
import h5py, numpy as np
archive = zipfile.ZipFile(sys.argv[1])
assert set(archive.namelist()) == {"config.json", "metadata.json", "model.weights.h5"}
assert set(json.loads(archive.read("metadata.json"))) == {"keras_version", "date_saved"}
weights = h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r")
model = json.loads(archive.read("config.json"))
assert (model["class_name"], model["registered_name"]) == ("Functional", "Functional")
config = model["config"]
sigmoid = lambda z: 1 / (1 + np.exp(-z))
def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)
ACTIVATIONS = {"linear": lambda z: z, "relu": lambda z: np.maximum(z, 0), "tanh": np.tanh, "sigmoid": sigmoid, "softmax": softmax}
def variables(path):
    group = weights[path + "/vars"]
    found = [np.array(group[str(i)], dtype=np.float64) for i in range(len(group))]
    assert all(group[str(i)].dtype == np.float32 for i in range(len(group)))
    return found
def recurrent(kind, units, sequences, backwards, w, x):
    kernel, recurrent, bias = w
    h, c, all_ = np.zeros((len(x), units)), np.zeros((len(x), units)), []
    for t in reversed(range(x.shape[1])) if backwards else range(x.shape[1]):
        if kind == "LSTM":
            i, f, g, o = np.split(x[:, t] @ kernel + h @ recurrent + bias, 4, -1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
        elif kind == "GRU":
            xz, xr, xh = np.split(x[:, t] @ kernel + bias[0], 3, -1)
            hz, hr, hh = np.split(h @ recurrent + bias[1], 3, -1)
            z, r = sigmoid(xz + hz), sigmoid(xr + hr)
            h = z * h + (1 - z) * np.tanh(xh + r * hh)
        else:
            h = np.tanh(x[:, t] @ kernel + h @ recurrent + bias)
        all_.append(h)
    # Keras returns the outputs in the order in which it computes them.
    return np.stack(all_, 1) if sequences else h
def call(kind, c, path, xs):
    x = xs[0]
    if kind == "Dense":
        k, *b = variables(path)
        return ACTIVATIONS[c["activation"]](x @ k + (b[0] if b else 0))
    if kind == "Activation": return ACTIVATIONS[c["activation"]](x)
    if kind == "Embedding": return variables(path)[0][x.astype(int)]
    if kind == "Add": return sum(xs)
    if kind == "Multiply": return np.prod(xs, 0)
    if kind == "Concatenate": return np.concatenate(xs, c["axis"])
    if kind == "Reshape": return x.reshape(-1, *c["target_shape"])
    if kind == "Permute": return x.transpose(0, *c["dims"])
    if kind == "Rescaling": return x * c["scale"] + c["offset"]
    if kind == "Dropout": return x
    if kind == "Dot":
        assert c["axes"] == [2, 1] and not c["normalize"]
        return x @ xs[1]
    if kind == "Cropping2D":
        (t, b), (l, r) = c["cropping"]
        return x[:, t:x.shape[1] - b, l:x.shape[2] - r]
    if kind == "UpSampling2D": return x.repeat(c["size"][0], 1).repeat(c["size"][1], 2)
    if kind == "Conv2D":
        assert c["padding"] == "valid" and c["strides"] == [1, 1] and c["dilation_rate"] == [1, 1]
        k, b = variables(path)
        (h, w, ci, co), groups = k.shape, c["groups"]
        rows, columns = x.shape[1] - h + 1, x.shape[2] - w + 1
        out = np.zeros((len(x), rows, columns, co)) + b
        for g in range(groups):
            i, o = slice(g * ci, (g + 1) * ci), slice(g * co // groups, (g + 1) * co // groups)
            for dy in range(h):
                for dx in range(w):
                    out[..., o] += x[:, dy:dy + rows, dx:dx + columns, i] @ k[dy, dx][:, o]
        return out
    if kind in ("LSTM", "GRU", "SimpleRNN"):
        return recurrent(kind, c["units"], c["return_sequences"], c["go_backwards"], variables(path + "/cell"), x)
    if kind == "Bidirectional":
        inner, ic = c["layer"]["class_name"], c["layer"]["config"]
        run = lambda place, back: recurrent(inner, ic["units"], ic["return_sequences"], back, variables(path + "/" + place + "/cell"), x)
        f, b = run("forward_layer", False), run("backward_layer", True)
        b = b[:, ::-1] if ic["return_sequences"] else b
        return {"concat": lambda: np.concatenate([f, b], -1), "sum": lambda: f + b, "mul": lambda: f * b}[c["merge_mode"]]()
    if kind == "LayerNormalization":
        gamma, beta = variables(path)
        return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + c["epsilon"]) * gamma + beta
    if kind == "BatchNormalization":
        gamma, beta, mean, variance = variables(path)
        return (x - mean) / np.sqrt(variance + c["epsilon"]) * gamma + beta
    raise ValueError(kind)
def snake(name):
    import re
    return re.sub("([a-z])([A-Z])", r"\\1_\\2", re.sub("(.)([A-Z][a-z]+)", r"\\1_\\2", name)).lower()
places, used = {}, {}
for layer in config["layers"]:
    kind = snake(layer["class_name"])
    places[layer["name"]] = "layers/" + kind + (f"_{used[kind]}" if kind in used else "")
    used[kind] = used.get(kind, 0) + 1
inputs = json.load(open(sys.argv[2]))
values = {(name, 0): np.array(v) for name, v in inputs.items()}
waiting = [(layer, at) for layer in config["layers"] for at in range(len(layer["inbound_nodes"]))]
while waiting:
    rest = []
    for layer, at in waiting:
        args = layer["inbound_nodes"][at]["args"]
        tensors = args[0] if isinstance(args[0], list) else args
        keys = [tuple(t["config"]["keras_history"][:2]) for t in tensors]
        if all(key in values for key in keys):
            xs = [values[key] for key in keys]
            for t, x in zip(tensors, xs): assert t["config"]["shape"][1:] == list(x.shape[1:]), (layer["name"], t, x.shape)
            values[(layer["name"], at)] = call(layer["class_name"], layer["config"], places[layer["name"]], xs)
        else: rest.append((layer, at))
    assert len(rest) < len(waiting)
    waiting = rest
outputs = config["output_layers"]
outputs = [outputs] if isinstance(outputs[0], str) else outputs
result = np.concatenate([values[(o[0], o[1])].reshape(len(next(iter(inputs.values()))), -1) for o in outputs], -1)
print(json.dumps(result.reshape(-1).tolist()))
`;

describe.skipIf(PYTHON === undefined)(
  'a .keras file, read by h5py and computed by NumPy, gives what predict does',
  () => {
    const names = ['directions', 'two inputs and branches', 'two outputs', 'gated units', 'groups'];
    it.each(names)('%s', async (name) => {
      const network = KERAS_NETWORKS[name]?.() as Model;
      const weights = randomWeights(network, 7);
      const inputs = randomInputs(network, ROWS, 11);
      // Ids without a vector are another matter in Keras.
      if (inputs.ids !== undefined) inputs.ids = inputs.ids.map((id) => Math.max(0, id));
      const file = await exported(`${name} numpy`, network, weights);
      const nested = Object.fromEntries(
        network.inputs.map(({ name: input, shape }) => [
          input,
          rowsOf(inputs[input] as Float32Array, [ROWS, ...shape]),
        ]),
      );
      const feed = join(ROOT, 'inputs.json');
      writeFileSync(feed, JSON.stringify(nested));
      const output = execFileSync(PYTHON as string, ['-c', FORWARD, file, feed], { encoding: 'utf8' });
      const expected = await predicted(network, weights, inputs);
      expect(furthest(JSON.parse(output) as number[], expected)).toBeLessThanOrEqual(TOLERANCE);
    });
  },
);

function rowsOf(values: Float32Array, shape: readonly number[]): unknown {
  const [size = 0, ...inner] = shape;
  if (inner.length === 0) return [...values];
  const step = values.length / size;
  return Array.from({ length: size }, (_, i) => rowsOf(values.subarray(i * step, (i + 1) * step), inner));
}

describe('names of weights', () => {
  it('are those of keras/src/utils/naming.py, counted for each class', () => {
    const names = [
      'Conv2DTranspose',
      'LSTM',
      'MaxPooling2D',
      'GRU',
      'SimpleRNN',
      'DepthwiseConv2D',
      'ReLU',
      'LeakyReLU',
    ];
    expect(names.map(snakeCase)).toEqual([
      ...[
        'conv2d_transpose',
        'lstm',
        'max_pooling2d',
        'gru',
        'simple_rnn',
        'depthwise_conv2d',
        're_lu',
        'leaky_re_lu',
      ],
    ]);
    expect(weightPlaces(['Dense', 'LSTM', 'Dense', 'Dense'])).toEqual([
      'dense',
      'lstm',
      'dense_1',
      'dense_2',
    ]);
  });

  it('follow the order in which Keras lists layers: the furthest from the output first', () => {
    const layer = (name: string, ...from: string[]): KerasLayer => ({
      ...{ className: 'Dense', name, config: {}, weights: [] },
      calls: from.length === 0 ? [] : [from.map((source) => ({ layer: source, call: 0, shape: [1] }))],
    });
    // The short branch is built first, and comes after the long one.
    const layers = [
      layer('x'),
      layer('short', 'x'),
      layer('long1', 'x'),
      layer('long2', 'long1'),
      layer('sum', 'short', 'long2'),
    ];
    const ordered = inKerasOrder(layers, [{ layer: 'sum', call: 0, shape: [1] }]);
    expect(ordered.map(({ name }) => name)).toEqual(['x', 'long1', 'short', 'long2', 'sum']);
  });
});

/** A file as Keras 3 writes a sequential model with a nested one. */
async function handWritten(change: (config: string) => string = (config) => config): Promise<string> {
  const dense = (name: string, units: number, activation: string) => ({
    ...{
      module: 'keras.layers',
      class_name: 'Dense',
      registered_name: null,
      build_config: { input_shape: [null, 2] },
    },
    config: {
      name,
      trainable: true,
      dtype: { module: 'keras', class_name: 'DTypePolicy' },
      units,
      activation,
      use_bias: true,
    },
  });
  const input = {
    module: 'keras.layers',
    class_name: 'InputLayer',
    config: { batch_shape: [null, 2], name: 'input_layer' },
  };
  const nested = { name: 'inner', layers: [input, dense('dense_7', 2, 'relu')] };
  const config = {
    ...{ module: 'keras', class_name: 'Sequential', registered_name: null },
    config: {
      name: 'sequential',
      layers: [
        input,
        dense('dense_3', 2, 'linear'),
        { module: 'keras', class_name: 'Sequential', config: nested },
        dense('dense_5', 1, 'linear'),
      ],
    },
  };
  const numbers = (name: string, shape: number[], ...values: number[]) => ({
    name,
    shape,
    values: Float32Array.from(values),
  });
  const weights = await encodeHdf5([
    numbers('layers/dense/vars/0', [2, 2], 1, 2, 3, 4),
    numbers('layers/dense/vars/1', [2], 10, -20),
    numbers('layers/sequential/layers/dense/vars/0', [2, 2], 1, 1, 0, 1),
    numbers('layers/sequential/layers/dense/vars/1', [2], 0, 0),
    numbers('layers/dense_1/vars/0', [2, 1], 2, 100),
    numbers('layers/dense_1/vars/1', [1], 0.5),
  ]);
  const file = join(ROOT, 'hand.keras');
  const text = new TextEncoder().encode(change(JSON.stringify(config)));
  writeFileSync(
    file,
    zipSync({ 'config.json': text, 'metadata.json': new Uint8Array(), 'model.weights.h5': weights }),
  );
  return file;
}

describe('import', () => {
  it('reads nested sequential models, with numbers computed by hand', async () => {
    const imported = await importNetwork(await handWritten());
    const network = imported.model();
    // [1, 2] W + b = [17, -10]; relu([17, 7]) = [17, 7]; 2 * 17 + 100 * 7 + 0.5
    const result = await predicted(network, imported.weights(network), { inputLayer: Float32Array.of(1, 2) });
    expect([...result]).toEqual([734.5]);
  });

  it('names every layer that cannot be translated', async () => {
    const file = await handWritten((text) =>
      text
        .replace('"class_name":"Dense"', '"class_name":"Lambda"')
        .replace('"activation":"relu"', '"activation":"selu"'),
    );
    // What follows from the first is no problem of its own.
    await expect(importNetwork(file)).rejects.toThrow(
      /layers that cannot be translated: Lambda \(dense_3\): no counterpart/,
    );
  });

  it('refuses damaged files in one line', async () => {
    const file = await handWritten();
    const whole = readFileSync(file);
    const entries = unzipSync(whole);
    const broken: Record<string, Uint8Array> = {
      cut: whole.subarray(0, whole.length / 2),
      empty: zipSync({}),
      json: zipSync({ ...entries, 'config.json': new TextEncoder().encode('{') }),
      hdf5: zipSync({ ...entries, 'model.weights.h5': new Uint8Array(100) }),
      short: zipSync({
        ...entries,
        'model.weights.h5': (entries['model.weights.h5'] as Uint8Array).slice(0, 900),
      }),
    };
    for (const [name, bytes] of Object.entries(broken)) {
      const path = join(ROOT, `${name}.keras`);
      writeFileSync(path, bytes);
      await expect(importNetwork(path), name).rejects.toThrow(/^[^\n]*\.keras[^\n]*save the model[^\n]*$/);
    }
  });
});
