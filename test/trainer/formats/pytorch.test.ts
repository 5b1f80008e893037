import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saveSafetensors } from '../../../shared/files/safetensors.js';
import { Graph } from '../../../shared/graph/graph.js';
import { dense } from '../../../shared/graph/layers/dense.js';
import { dropout } from '../../../shared/graph/layers/dropout.js';
import { positionalEmbedding, reversibleEmbedding } from '../../../shared/graph/layers/embedding.js';
import { layerNormalization } from '../../../shared/graph/layers/layer-normalization.js';
import { sequential } from '../../../shared/graph/layers/sequential.js';
import { transformerBlock } from '../../../shared/graph/layers/transformer.js';
import { meanSquaredError } from '../../../shared/graph/losses/mean-squared-error.js';
import { sparseCategoricalCrossentropy } from '../../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../../shared/graph/model.js';
import { torchExport } from '../../../trainer/formats/pytorch/export.js';
import { TrainedModel } from '../../../trainer/trained-model.js';
import { pythonWith } from '../../support/python.js';
import { distinctNetworks, randomInputs, randomWeights } from './networks.js';

/* PyTorch, with the generated program and file, computes what predict computes. One Python runs all networks. */

const PYTHON = pythonWith(['torch'], 'python3-torch');
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-torch-'));
afterAll(() => rmSync(ROOT, { recursive: true }));
const ROWS = 2;
const TOLERANCE = 1e-5;
const networks: [name: string, network: Model][] = [...(await distinctNetworks()), ['tied gpt', tiedGpt()]];

/** Reads inputs as raw float32, and writes outputs so, for every folder. */
const RUN_ALL = `
import importlib.util, json, os, sys
import torch
torch.set_num_threads(1)
for folder in json.loads(sys.argv[1]):
    spec = importlib.util.spec_from_file_location("loader", os.path.join(folder, "load_in_torch.py"))
    loader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loader)
    network = loader.load(folder)
    inputs = []
    for i, shape in enumerate(json.load(open(os.path.join(folder, "shapes.json")))):
        data = bytearray(open(os.path.join(folder, f"input{i}"), "rb").read())
        inputs.append(torch.frombuffer(data, dtype=torch.float32).reshape(-1, *shape))
    with torch.no_grad():
        output = network(*inputs).contiguous()
        one = network(*[x[:1] for x in inputs])
    assert torch.allclose(one, output[:1], atol=1e-5), "a batch of one differs"
    open(os.path.join(folder, "output"), "wb").write(bytes(output.numpy().tobytes()))
`;

function tiedGpt(): Model {
  const graph = new Graph();
  const table = reversibleEmbedding(11, 8, { name: 'tokens' });
  const x = dropout(0.1)(positionalEmbedding()(table(graph.input('x', [6]))));
  const block = transformerBlock(2, 12, { causal: true, dropout: 0.1 });
  const logits = table(layerNormalization()(transformerBlock(2, 12, { causal: true })(block(x))), {
    reverse: true,
  });
  return graph.model(logits, sparseCategoricalCrossentropy({ target: 'y', fromLogits: true }));
}

interface Case {
  readonly folder: string;
  readonly expected: Float32Array;
}

describe.skipIf(PYTHON === undefined)('PyTorch predicts what predict does', () => {
  const cases = new Map<string, Case>();
  beforeAll(async () => {
    for (const [i, [name, network]] of networks.entries()) {
      const folder = join(ROOT, String(i));
      mkdirSync(folder);
      const weights = randomWeights(network, 7);
      const inputs = randomInputs(network, ROWS, 11);
      const model = await TrainedModel.load({ network, leafSize: 4, threads: 1, backend: 'auto' }, weights);
      const expected = await model.predictor.predict(inputs);
      await model.stop();
      const { state, program } = torchExport(network, weights, '1');
      await saveSafetensors(join(folder, 'model.safetensors'), state, { format: 'pt' });
      writeFileSync(join(folder, 'load_in_torch.py'), program);
      writeFileSync(join(folder, 'shapes.json'), JSON.stringify(network.inputs.map(({ shape }) => shape)));
      network.inputs.forEach((input, at) => {
        writeFileSync(
          join(folder, `input${at}`),
          new Uint8Array((inputs[input.name] as Float32Array).buffer),
        );
      });
      cases.set(name, { folder, expected });
    }
    const folders = JSON.stringify([...cases.values()].map(({ folder }) => folder));
    execFileSync(PYTHON as string, ['-c', RUN_ALL, folders], { stdio: ['ignore', 'inherit', 'inherit'] });
  }, 120_000);

  it.each(networks)('%s', (name) => {
    const { folder, expected } = cases.get(name) as Case;
    const bytes = readFileSync(join(folder, 'output'));
    const actual = new Float32Array(new Uint8Array(bytes).buffer);
    expect(actual).toHaveLength(expected.length);
    const furthest = expected.reduce(
      (most, value, i) =>
        Math.max(most, Math.abs((actual[i] as number) - value) / Math.max(1, Math.abs(value))),
      0,
    );
    expect(furthest).toBeLessThanOrEqual(TOLERANCE);
    // An output that does not depend on its input would agree by chance.
    expect(new Set(expected).size).toBeGreaterThan(1);
  });
});

it('a GPT-2 has the names and layouts of Hugging Face', () => {
  const network = tiedGpt();
  const weights = randomWeights(network, 3);
  const { state, gpt2 } = torchExport(network, weights, '1');
  const block = (i: number): [string, number[]][] =>
    Object.entries({
      'ln_1.weight': [8],
      'ln_1.bias': [8],
      'attn.c_attn.weight': [8, 24],
      'attn.c_attn.bias': [24],
      'attn.c_proj.weight': [8, 8],
      'attn.c_proj.bias': [8],
      'ln_2.weight': [8],
      'ln_2.bias': [8],
      'mlp.c_fc.weight': [8, 12],
      'mlp.c_fc.bias': [12],
      'mlp.c_proj.weight': [12, 8],
      'mlp.c_proj.bias': [8],
    }).map(([name, shape]) => [`transformer.h.${i}.${name}`, shape]);
  const names = Object.fromEntries([
    ...Object.entries({ 'transformer.wte.weight': [11, 8], 'transformer.wpe.weight': [6, 8] }),
    ...[block(0), block(1)].flat(),
    ...Object.entries({ 'transformer.ln_f.weight': [8], 'transformer.ln_f.bias': [8] }),
  ]);
  expect(Object.fromEntries(state.map(({ name, shape }) => [name, shape]))).toEqual(names);
  expect(gpt2).toMatchObject({
    hasHeadBias: false,
    config: { n_layer: 2, n_head: 2, n_inner: 12, n_embd: 8, n_positions: 6, vocab_size: 11 },
  });
});

it('layers with names that PyTorch has taken get others', () => {
  const graph = new Graph();
  const x = sequential([dense(3, { name: 'train' }), dense(2, { name: 'a-b/weight' })])(
    graph.input('if', [2]),
  );
  const network = graph.model(x, meanSquaredError({ target: 'y' }));
  const { state, program } = torchExport(network, randomWeights(network, 1), '1');
  expect(state.map(({ name }) => name)).toEqual([
    'train_.weight',
    'train_.bias',
    'a_b.weight_.weight',
    'a_b.weight_.bias',
  ]);
  expect(program).toContain('def forward(self, if_):');
});
