import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSafetensors } from '../../shared/files/safetensors.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import { parseModel } from '../../shared/graph/resolve.js';
import type { TrainResult } from '../../trainer/result.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { runHere } from '../support/program-here.js';

/* What one does with a trained model: evaluate it, predict with it, export it, and train it further. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-model-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = join(ROOT, 'r');
const OUT = join(ROOT, 'out');
const WORDS = ['--batch', 64, '--leaf', 8, '--workers', 1, '--data', DATA, '--json'];
afterAll(() => rmSync(ROOT, { recursive: true }));

async function json<T>(...args: (string | number)[]): Promise<T> {
  const { status, stdout, stderr } = await runHere(...args);
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as T;
}

let trained: TrainResult;
beforeAll(async () => {
  trained = await json<TrainResult>('train', ...WORDS, '--steps', 30, '--run-dir', RUN);
});

describe('a trained model', () => {
  it('has the metrics of the end of its run, from its directory or its file of weights', async () => {
    const { metrics, weightsSha256 } = trained;
    expect(await json('eval', RUN, '--json')).toMatchObject({ metrics, weightsSha256 });
    const file = join(RUN, 'weights.safetensors');
    for (const words of [[], ['--recipe', 'mnist-mlp']]) {
      const measured = await json('eval', file, ...words, '--data', DATA, '--json');
      expect(measured).toMatchObject({ weightsSha256, metrics: { testLoss: metrics.testLoss } });
    }
  });

  it('is evaluated class by class', async () => {
    type Measured = {
      confusion: number[][];
      classes: { name: string; recall: number | null }[];
      metrics: object;
    };
    const { confusion, classes, metrics } = await json<Measured>('eval', RUN, '--top-k', 3, '--json');
    const counts = confusion.flat();
    expect(counts).toHaveLength(100);
    expect(counts.reduce((sum, count) => sum + count)).toBe(40);
    const right = confusion.reduce((sum, row, i) => sum + row[i]!, 0);
    expect(right / 40).toBeCloseTo(trained.metrics.testAccuracy!, 6);
    expect(classes[7]).toMatchObject({ name: '7' });
    const top = { ...metrics } as Record<string, number>;
    expect(top.testTop3Accuracy).toBeGreaterThanOrEqual(trained.metrics.testAccuracy!);
    const { stderr } = await runHere('eval', RUN);
    expect(stderr).toMatch(
      /^40 samples: testLoss .*, testTop5Accuracy \d\.\d{4}\ntrue \\ predicted {2}0 {2}1 .* recall\n0 /,
    );
    const refused = await runHere('eval', RUN, '--top-k', 11);
    expect(refused).toMatchObject({ status: 2 });
    expect(refused.stderr).toBe('unisum: --top-k takes a whole number from 1 to 10, not "11"\n');
  });

  it('predicts test data, and rows in a file', async () => {
    type Outputs = { outputs: number[] };
    const { stdout } = await runHere('predict', RUN, '--test', 2, '--json');
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Outputs);
    expect(rows.map(({ outputs }) => outputs.length)).toEqual([10, 10]);
    expect(rows[0]?.outputs.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
    const black = join(ROOT, 'input.json');
    writeFileSync(
      black,
      JSON.stringify({ image: [Array.from({ length: 28 }, () => new Array(28).fill(0))] }),
    );
    const { outputs } = await json<Outputs>('predict', RUN, '--input', black, '--json');
    expect(outputs).toHaveLength(10);
    const { stdout: csv } = await runHere('predict', RUN, black);
    expect(csv).toMatch(/^row,class,probability\n1,\d,0\.\d+\n$/);
  });

  it('is exported as weights and network in standard formats', async () => {
    const { files } = await json<{ files: string[] }>('export', RUN, '--out', OUT, '--json');
    expect(files).toEqual([join(OUT, 'model.safetensors'), join(OUT, 'model.json')]);
    const { tensors } = await loadSafetensors(files[0] as string);
    expect(weightsSha256(tensors)).toBe(trained.weightsSha256);
    const model = parseModel(JSON.parse(readFileSync(files[1] as string, 'utf8')).network);
    expect(readFileSync(files[1] as string)).toEqual(readFileSync(join(RUN, 'model.json')));
    expect(model.parameters.map(({ name }) => name).sort()).toEqual(tensors.map(({ name }) => name).sort());
  });

  it('is exported in formats of other tools', async () => {
    for (const [format, name, begin] of [
      ['onnx', 'model.onnx', '\x08\x08\x12\x06unisum'],
      ['npz', 'model.npz', 'PK'],
    ] as const) {
      const { files } = await json<{ files: string[] }>(
        ...['export', RUN, '--format', format, '--out', join(ROOT, format), '--json'],
      );
      expect(files).toEqual([join(ROOT, format, name)]);
      expect(readFileSync(files[0] as string, 'latin1').startsWith(begin)).toBe(true);
    }
    expect(await runHere('export', RUN, '--format', 'onx', '--out', OUT)).toMatchObject({ status: 2 });
  });

  it('starts another run, which can be verified', async () => {
    const next = join(ROOT, 'next');
    await json('train', ...WORDS, '--steps', 10, '--weights', RUN, '--run-dir', next);
    const first = readFileSync(join(next, 'metrics.jsonl'), 'utf8')
      .split('\n')
      .find((line) => line.includes('"event":"checkpoint","step":0,'));
    expect(first).toContain(trained.weightsSha256);
    expect(await json('verify', next, '--json')).toMatchObject({ ok: true });
  });

  it('is refused in one line when it is of another network', async () => {
    const file = join(RUN, 'weights.safetensors');
    const { status, stderr } = await runHere('eval', file, '--recipe', 'mnist-cnn', '--data', DATA);
    expect(stderr).toMatch(
      /^network and [^\n]* as they are now\nunisum: the weights are of another network: [^\n]*\n$/,
    );
    expect(status).toBe(1);
    const nowhere = join(ROOT, 'nowhere');
    const { stderr: none } = await runHere('eval', nowhere);
    expect(none).toBe(
      `unisum: ${nowhere} does not exist; name a run directory, an export or a file of weights\n`,
    );
    const alone = join(ROOT, 'a', 'b', 'alone.safetensors');
    mkdirSync(dirname(alone), { recursive: true });
    copyFileSync(file, alone);
    expect((await runHere('eval', alone)).stderr).toMatch(
      /^unisum: \S+ has no model.json beside it, [^\n]*--recipe NAME\n$/,
    );
  });

  it.each([
    // An ONNX file of unisum says how pictures become inputs.
    ['onnx', 'model.onnx', 'is neither PNG nor JPEG'],
    [
      'tfjs',
      'model.json',
      'does not store how such a file becomes its inputs; give their values as JSON: {"',
    ],
  ])('is to be imported where it was exported as %s', async (format, name, refusal) => {
    const out = join(ROOT, format);
    expect((await runHere('export', RUN, '--format', format, '--out', out)).status).toBe(0);
    const file = join(out, name);
    for (const path of [out, file]) {
      const { status, stderr } = await runHere('eval', path);
      expect(stderr).toMatch(/^unisum: [^\n]+\n$/);
      expect(stderr).toContain(`first: npm run -s unisum -- import ${file} --out DIR`);
      expect(status).toBe(2);
    }
    const imported = join(ROOT, `${format}-imported`);
    expect((await runHere('import', file, '--out', imported)).status).toBe(0);
    const unknown = join(ROOT, 'sample.bin');
    writeFileSync(unknown, 'x');
    expect((await runHere('predict', imported, unknown)).stderr).toContain(refusal);
  });
});
