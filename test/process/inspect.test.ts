import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import type { TrainResult } from '../../trainer/result.js';
import { installedFolder } from '../support/installed-folder.js';
import { temporaryFolder } from '../support/process.js';
import { writeFiles } from '../support/process-data.js';
import { programHere } from '../support/program-here.js';

/** A table of customers: an id, a name, two dates, numbers with gaps, categories, and a rare positive class. */
function customers(count: number): string {
  const random = new SeededRandom(5);
  const two = (number: number): string => String(number).padStart(2, '0');
  const pick = (values: readonly string[]): string => values[random.below(values.length)] as string;
  const rows = Array.from({ length: count }, (_, i) => {
    const [plan, calls, age] = [
      pick(['basic', 'basic', 'plus', 'pro']),
      random.below(6),
      18 + random.below(70),
    ];
    const isLeaving = random.below(100) < (plan === 'basic' ? 3 : 1) * calls + (age < 30 ? 4 : 0);
    return [
      `C-${100_000 + i}`,
      `"${pick(['Meyer', 'Okafor', 'Nguyen', 'García'])}, ${pick(['Ada', 'Bo', 'Chi', 'Dee'])} ${i}"`,
      `${2015 + random.below(9)}-${two(1 + random.below(12))}-${two(1 + random.below(28))}`,
      `${1 + random.below(28)}/${1 + random.below(12)}/2024 ${two(random.below(24))}:${two(random.below(60))}`,
      random.below(12) === 0 ? '' : age,
      random.below(10) === 0 ? pick(['NA', 'n/a', 'NULL']) : (15_000 + random.below(90_000)) / 100,
      calls,
      plan,
      random.below(8) === 0 ? '?' : pick(['north', 'south', 'east', 'west']),
      isLeaving ? 'yes' : 'no',
    ].join(',');
  });
  return ['id,name,signed up,last seen,age,spent,calls,plan,region,left', ...rows].join('\r\n');
}

/** An array as NumPy saves it. */
function npy(descr: string, shape: string, values: Float32Array | BigInt64Array): Uint8Array {
  const header = Buffer.from(`{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }\n`);
  const length = Buffer.from(Uint16Array.of(header.length).buffer);
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0]);
  return Buffer.concat([start, length, header, Buffer.from(values.buffer)]);
}

async function run(folder: string, ...args: readonly (string | number)[]) {
  const { status, stdout, stderr } = await programHere(folder, ...args);
  return { status, stderr, json: () => JSON.parse(stdout.trim().split('\n').at(-1) as string) as unknown };
}

describe('inspect', () => {
  it('shows a table, and writes a recipe that trains and predicts', async () => {
    const folder = installedFolder({ 'customers.csv': customers(5000) });
    const shown = await run(folder, 'inspect', 'customers.csv', '--recipe', 'left.ts', '--json');
    expect(shown.status, shown.stderr).toBe(0);
    expect(shown.json()).toMatchObject({
      kind: 'table',
      options: {
        target: 'left',
        ignore: ['id', 'name'],
        dates: ['signed up', 'last seen'],
        missing: 'median',
      },
      classes: ['no', 'yes'],
      recipe: 'left.ts',
      problems: [],
    });
    for (const line of [
      /customers\.csv: 5000 rows, 10 columns/,
      /id +ignored/,
      /signed up +date \(year-month-day\), means: year/,
      /last seen +date \(day-month-year\), means: .* hour/,
      /age +number, mean \d.*, \d+ missing \(empty\), filled with \d+/,
      /spent +number, .* missing \(NA, n\/a, NULL\)|spent +number, .* missing \(/,
      /region +category of 4 \(east, north, south, west\), \d+ missing \(\?\), filled with/,
      /left +category of 2 \(no, yes\), target/,
      /note: 9\d\.\d% of the training rows are no/,
    ])
      expect(shown.stderr).toMatch(line);
    const trained = await run(folder, 'train', './left.ts', '--json', '--workers', 1);
    expect(trained.status, trained.stderr).toBe(0);
    const { metrics } = trained.json() as TrainResult;
    expect(metrics.testAccuracy).toBeGreaterThan(0.85);
    // The entropy of the classes, about 0.28, is the loss without any feature.
    expect(metrics.testLoss).toBeLessThan(0.28);
    expect(trained.stderr).toMatch(/plan +category of 3 \(basic, plus, pro\)/);
    const { runDir } = trained.json() as TrainResult;
    const predicted = await run(folder, 'predict', runDir, '--input', 'customers.csv', '--out', 'left.csv');
    expect(predicted.status, predicted.stderr).toBe(0);
    const lines = readFileSync(join(folder, 'left.csv'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(5001);
    expect(lines[1]).toMatch(/^C-100000,no,0\.\d+/);
  });

  it('shows arrays of NumPy, and writes a recipe that trains', async () => {
    const folder = installedFolder({});
    const random = new SeededRandom(2);
    const labels = BigInt64Array.from({ length: 300 }, () => BigInt(random.below(3)));
    const x = Float32Array.from({ length: 1200 }, (_, i) =>
      Number(labels[Math.floor(i / 4)]) === i % 4 ? 1 : random.below(100) / 200,
    );
    const archive = zipSync({ 'x.npy': npy('<f4', '300, 4', x), 'label.npy': npy('<i8', '300,', labels) });
    writeFileSync(join(folder, 'set.npz'), archive);
    const shown = await run(folder, 'inspect', 'set.npz', '--recipe', 'own.ts', '--json');
    expect(shown.status, shown.stderr).toBe(0);
    expect(shown.stderr).toMatch(/target label \(a guess; --target takes another\): 3 classes/);
    expect(shown.json()).toMatchObject({ kind: 'arrays', target: 'label' });
    const trained = await run(folder, 'train', './own.ts', '--json', '--workers', 1, '--epochs', 20);
    expect(trained.status, trained.stderr).toBe(0);
    expect((trained.json() as TrainResult).metrics.testAccuracy).toBeGreaterThan(0.95);
  });

  it('shows a folder of raw samples, and writes a recipe that trains', async () => {
    const labels = Int32Array.from({ length: 300 }, (_, i) => (i * 7) % 3);
    const x = Uint8Array.from({ length: 1200 }, (_, i) =>
      labels[Math.floor(i / 4)] === i % 4 ? 255 : (i * 31) % 100,
    );
    const files = { x: 'x', label: 'label' };
    const description = {
      name: 'marks',
      fields: { x: { dtype: 'u8', shape: [4], scale: 1 / 255 }, label: { dtype: 'i32', shape: [] } },
      splits: { train: files, test: files },
      classes: ['a', 'b', 'c', 'never seen'],
    };
    const folder = installedFolder({});
    const data = { 'dataset.json': JSON.stringify(description), x, label: new Uint8Array(labels.buffer) };
    writeFiles(join(folder, 'marks'), data);
    const shown = await run(folder, 'inspect', 'marks', '--recipe', 'a recipe.ts', '--json');
    expect(shown.status, shown.stderr).toBe(0);
    expect(shown.stderr).toMatch(/train: x: 300 samples, u8 \[4\], 0 to 255/);
    expect(shown.stderr).toMatch(/target label \(a guess; --target takes another\): 4 classes/);
    expect(shown.stderr).toMatch(/train( it with .*)? .*'a recipe\.ts'/);
    expect(shown.json()).toMatchObject({ kind: 'arrays', target: 'label' });
    const trained = await run(folder, 'train', './a recipe.ts', '--json', '--workers', 1, '--epochs', 20);
    expect(trained.status, trained.stderr).toBe(0);
    expect((trained.json() as TrainResult).metrics.testAccuracy).toBeGreaterThan(0.95);
    writeFiles(join(folder, 'few'), {
      ...data,
      'dataset.json': JSON.stringify({ ...description, classes: ['a', 'b'] }),
    });
    const few = await run(folder, 'inspect', 'few');
    expect(few.status).toBe(1);
    expect(few.stderr).toMatch(
      /few: label has the label 2, and there are 2 names of classes, for the labels from 0 to 1;/,
    );
  });

  it('writes a recipe for a numeric target', async () => {
    const random = new SeededRandom(2);
    const houses = Array.from({ length: 400 }, () => {
      const [rooms, metres] = [1 + random.below(6), 20 + random.below(200)];
      return `${rooms},${metres},${100_000 + 1500 * metres + 20_000 * rooms}`;
    });
    const folder = installedFolder({ 'houses.csv': ['rooms,metres,price', ...houses].join('\n') });
    const shown = await run(folder, 'inspect', 'houses.csv', '--recipe', './houses.ts', '--target', 'price');
    expect(shown.status, shown.stderr).toBe(0);
    const { status, stderr, json } = await run(folder, 'train', 'houses.ts', '--json');
    expect(status, stderr).toBe(0);
    // Predicting the mean of a standardised target has a loss of about 0.4.
    expect((json() as TrainResult).metrics.testLoss).toBeLessThan(0.01);
  });

  it('writes a recipe that runs where the package is not installed, too', async () => {
    const folder = temporaryFolder();
    writeFileSync(
      join(folder, 't.tsv'),
      ['x\ty', ...Array.from({ length: 60 }, (_, i) => `${i}\t${i < 30 ? 'a' : 'b'}`)].join('\n'),
    );
    expect((await run(folder, 'inspect', 't.tsv', '--recipe', 't.ts')).status).toBe(0);
    const { status, stderr } = await run(folder, 'train', './t.ts', '--steps', 5);
    expect(status, stderr).toBe(0);
  });

  it.each<[string, string[], number, RegExp]>([
    ['a file that is not there', ['none.csv'], 1, /cannot read none\.csv: no such file or directory/],
    [
      'a folder',
      ['.'],
      2,
      /\. is a folder with 2 files that can be inspected, one at a time; name one, such as broken\.csv/,
    ],
    ['a target that is none', ['t.csv', '--target', 'z'], 2, /has no column z; its columns are x, y/],
    ['a recipe that already exists', ['t.csv', '--recipe', 'old.ts'], 2, /old\.ts already exists/],
    [
      'a recipe of another kind',
      ['t.csv', '--recipe', 'recipe.py'],
      2,
      /--recipe takes the name of a TypeScript file/,
    ],
    [
      'what cannot be learned from',
      ['broken.csv', '--recipe', 'new.ts'],
      1,
      /line 3: has 1 value under 2 headings[\s\S]*broken\.csv cannot be used for training yet/,
    ],
  ])('refuses %s', async (_, args, expected, message) => {
    const folder = installedFolder({
      't.csv': ['x,y', ...Array.from({ length: 30 }, (_, i) => `${i * 0.5},${i % 2}`)].join('\n'),
      'broken.csv': 'x,y\n1,2\n3\n4,5\n',
      'old.ts': '',
    });
    const { status, stderr } = await run(folder, 'inspect', ...args);
    expect(stderr).toMatch(message);
    expect(status).toBe(expected);
  });
});
