import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SeededRandom } from '../../../shared/actor/seeded-random.js';
import { idxBytes } from '../../data/images/idx-bytes.js';
import { pngBytes } from '../../support/png.js';
import { smallData, writeFiles } from '../../support/process-data.js';
import { programHere } from '../../support/program-here.js';
import { madeUpRecordings } from '../../support/recordings.js';
import { answersTheSame, project, unisum } from '../../support/self-contained.js';

/* A test for each kind of recipe in examples/: what its run has stored is enough for files that were not there in training. */
/** Each test starts some twenty processes. */
const TIMEOUT_MS = 180_000;
const STEPS = ['--steps', '3', '--batch', '8'];

/** A grey picture of random pixels. */
function grey(side: number, seed: number): Uint8Array {
  const random = new SeededRandom(seed);
  const numbers = Array.from({ length: side * side }, () => random.below(256));
  return pngBytes({ width: side, height: side, kind: 0, bits: 8, numbers });
}

it(
  'MNIST: IDX files, images in folders, and images without labels',
  async () => {
    const folder = project({ '3.png': grey(28, 1), '8.png': grey(28, 2) });
    writeFiles(join(folder, 'digits'), smallData());
    const { 't10k-images-idx3-ubyte': images, 't10k-labels-idx1-ubyte': labels } = smallData(2);
    // Other digits than in training, and no training files.
    writeFiles(join(folder, 'new'), { 't10k-images-idx3-ubyte': images, 't10k-labels-idx1-ubyte': labels });
    const options = ['--data', 'digits', ...STEPS];
    const { away, predictions, evaluation } = await answersTheSame(folder, 'mnist-mlp', options, 'new', [
      '3.png',
      '8.png',
    ]);
    expect(predictions).toMatch(/^file,class,probability\n3\.png,\d,0\.\d+\n8\.png,\d,0\.\d+\n$/);
    expect(JSON.parse(evaluation)).toMatchObject({ samples: 40, classes: { 7: { name: '7' } } });

    // The same pictures as files have the same predictions and metrics.
    expect((await unisum(away, 'predict', 'moved', 'new')).stdout.split('\n')).toHaveLength(1 + 40 + 1);
    const random = new SeededRandom(3);
    for (let i = 0; i < 6; i++) {
      const digit = random.below(3);
      writeFiles(join(away, 'pictures', String(digit)), { [`${i}.png`]: grey(28, i) });
    }
    const { stdout } = await unisum(away, 'eval', 'moved', '--data', 'pictures', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ samples: 6 });

    // What does not fit is refused by name; what is gone is said by name.
    writeFiles(join(away, 'small'), {
      't10k-images-idx3-ubyte': idxBytes([1, 2, 2], new Uint8Array(4)),
      't10k-labels-idx1-ubyte': idxBytes([1], new Uint8Array(1)),
    });
    const small = await programHere(away, 'eval', 'moved', '--data', 'small');
    expect(small.stderr).toMatch(/has samples of 2 x 2, and the model takes 28 x 28; /);
    const gone = await programHere(away, 'eval', 'moved');
    expect(gone.status).toBe(1);
    expect(gone.stderr).toMatch(
      /the data that moved was trained with cannot be read \(.*digits.*--data PATH\n$/,
    );
  },
  TIMEOUT_MS,
);

it(
  'detection of digits: canvases as raw samples, and as images',
  async () => {
    const folder = project({ 'canvas.png': grey(64, 1) });
    writeFiles(join(folder, 'digits'), smallData());
    const cells = new Uint8Array(2 * 8 * 8 * 15);
    // An object of class 2 in the first cell.
    for (const number of [0, 3, 4, 7]) cells[number] = 255;
    writeFiles(join(folder, 'new'), {
      'dataset.json': JSON.stringify({
        name: 'canvases',
        fields: {
          image: { dtype: 'u8', shape: [64, 64], scale: 1 / 255 },
          cells: { dtype: 'u8', shape: [8, 8, 15], scale: 1 / 255 },
        },
        splits: { test: { image: 'image.u8', cells: 'cells.u8' } },
      }),
      'image.u8': new Uint8Array(2 * 64 * 64).fill(7),
      'cells.u8': cells,
    });
    const options = ['--data', 'digits', ...STEPS];
    const { predictions, evaluation } = await answersTheSame(folder, 'detect-digits', options, 'new', [
      'canvas.png',
    ]);
    expect(predictions.split('\n')[1]?.split(',')).toHaveLength(1 + 8 * 8 * 15);
    // The metric is code of the recipe, which is part of the package.
    expect(JSON.parse(evaluation)).toMatchObject({
      samples: 2,
      metrics: { meanAveragePrecision: expect.any(Number) },
    });
  },
  TIMEOUT_MS,
);

it(
  'spoken digits and strings of them: recordings that are called after their label',
  async () => {
    for (const [recipe, pattern] of [
      ['speech-digits', /^file,class,probability\n3_new\.wav,\d,0\.\d+\n$/],
      ['speech-strings', /^file,classes\n3_new\.wav,(\d( \d)*)?\n$/],
    ] as const) {
      const recordings = madeUpRecordings();
      const folder = project({ '3_new.wav': recordings['3_theo_5.wav'] as Uint8Array });
      writeFiles(join(folder, 'speech'), recordings);
      writeFiles(join(folder, 'new'), { '3_a.wav': recordings['3_theo_0.wav'] as Uint8Array });
      const options = ['--data', 'speech', '--steps', '1', '--batch', '2', '--leaf-size', '2'];
      const { predictions, evaluation } = await answersTheSame(folder, recipe, options, 'new', ['3_new.wav']);
      expect(predictions).toMatch(pattern);
      expect(JSON.parse(evaluation)).toMatchObject({ samples: 1 });
      if (recipe === 'speech-strings')
        expect(JSON.parse(evaluation).metrics).toHaveProperty('digitErrorRate');
    }
  },
  TIMEOUT_MS,
);

const DATES = '5 March 1998\nMonday, 1 January 2001\n';

it(
  'dates: characters that are read and written',
  async () => {
    const folder = project({ 'dates.txt': DATES });
    writeFiles(join(folder, 'new'), { 'source.txt': DATES, 'target.txt': '1998-03-05\n2001-01-01\n' });
    const { away, predictions, evaluation } = await answersTheSame(folder, 'translate-dates', STEPS, 'new', [
      'dates.txt',
    ]);
    expect(predictions).toMatch(/^line,text\n1,[\d-]{10}\n2,[\d-]{10}\n$/);
    expect(JSON.parse(evaluation)).toMatchObject({
      samples: 2,
      metrics: { exactMatch: expect.any(Number), characterErrorRate: expect.any(Number) },
    });
    writeFileSync(join(away, 'odd.txt'), '5 März 1998\n');
    const { stderr } = await programHere(away, 'predict', 'moved', 'odd.txt');
    expect(stderr).toMatch(/odd\.txt, line 1 has characters that the model has not learned: "ä"; /);
  },
  TIMEOUT_MS,
);

it(
  'a translator: pieces of words',
  async () => {
    const words = (list: string) => list.split(' ');
    const lines = (from: number, count: number, vocabulary: readonly string[]) =>
      Array.from({ length: count }, (_, i) =>
        [i + from, i * i + 1, i * 3].map((number) => vocabulary[number % 6]).join(' '),
      ).join('\n');
    const [english, spanish] = [
      words('one two three four five six'),
      words('uno dos tres cuatro cinco seis'),
    ];
    const folder = project({ 'new.txt': lines(4, 2, english) });
    const pairs = (from: number, count: number) => ({
      'source.txt': lines(from, count, english),
      'target.txt': lines(from, count, spanish),
    });
    writeFiles(join(folder, 'texts'), pairs(0, 1800));
    writeFiles(join(folder, 'other'), pairs(7, 3));
    const options = ['--data', 'texts', ...STEPS];
    const { away, predictions, evaluation } = await answersTheSame(folder, 'translate', options, 'other', [
      'new.txt',
    ]);
    expect(predictions).toMatch(/^line,text\n1,.*\n2,.*\n$/);
    expect(JSON.parse(evaluation)).toMatchObject({
      samples: 3,
      metrics: { bleu: expect.any(Number) },
    });
    // The dictionary was learned from the training data, which are gone.
    const { stderr } = await unisum(away, 'eval', 'moved', '--data', 'other');
    expect(stderr).toContain(
      'left out: dictionaryBleu, timesDictionary, which need more than this data: they compare it with the training data; ' +
        'leave out --data to measure the data of the run\n',
    );
  },
  TIMEOUT_MS,
);

it(
  'summaries: a file of texts',
  async () => {
    const words = 'one two three four five six seven eight nine ten eleven'.split(' ');
    const lines = (count: number) =>
      Array.from({ length: count }, (_, i) => {
        const [a, b] = [i, i * i + 1].map((number) => words[number % 11]);
        const source = `${i}`.replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)] as string);
        return JSON.stringify({
          name: source,
          source,
          long: `${a} ${b} ${source}. More.`,
          short: `${a} ${b}`,
        });
      }).join('\n');
    const folder = project({
      'texts.jsonl': lines(200),
      'new.jsonl': lines(3),
      'long.txt': 'one two. More.\n',
    });
    const options = ['--data', 'texts.jsonl', ...STEPS];
    const { predictions, evaluation } = await answersTheSame(folder, 'summarise', options, 'new.jsonl', [
      'long.txt',
    ]);
    expect(predictions).toMatch(/^line,text\n1,.*\n$/);
    expect(JSON.parse(evaluation)).toMatchObject({
      samples: 3,
      metrics: { leadRougeL: expect.any(Number) },
    });
  },
  TIMEOUT_MS,
);

const OWN_RECIPE = `
import { packSamples } from 'unisum/data/samples';
import { Graph } from 'unisum/graph';
import { dense } from 'unisum/layers/dense';
import { sequential } from 'unisum/layers/sequential';
import { meanSquaredError } from 'unisum/losses/mean-squared-error';
import { sgd } from 'unisum/optim/sgd';
import type { Recipe } from 'unisum/recipe';

const samples = (from: number, count: number) => {
  const values = Array.from({ length: count }, (_, i) => [from + i, (from + i) % 3]);
  return packSamples('numbers', {
    x: { shape: [2], values },
    y: { shape: [1], values: values.map(([a = 0]) => [2 * a]) },
  });
};

export const recipe: Recipe = {
  summary: 'numbers',
  model() {
    const graph = new Graph();
    return graph.model(sequential([dense(4), dense(1)])(graph.input('x', [2])), meanSquaredError({ target: 'y' }));
  },
  data: async () => ({ train: samples(0, 16), test: samples(16, 4) }),
  optimizer: sgd({ learningRate: 0.0001 }),
  batch: 8,
  leafSize: 4,
  epochs: 2,
};
`;

it(
  'samples that a recipe makes by code: rows of JSON, or raw files',
  async () => {
    const rows = {
      x: [
        [20, 2],
        [30, 0],
      ],
      y: [[40], [60]],
    };
    const folder = project({
      'numbers.ts': OWN_RECIPE,
      'new.json': JSON.stringify(rows),
      'ask.json': JSON.stringify({ x: rows.x }),
    });
    const { away, predictions, evaluation } = await answersTheSame(folder, './numbers.ts', [], 'new.json', [
      'ask.json',
    ]);
    expect(predictions).toMatch(/^row,y\n1,-?\d+.*\n2,-?\d+.*\n$/);
    expect(JSON.parse(evaluation)).toMatchObject({ samples: 2 });
    writeFiles(join(away, 'raw'), {
      'dataset.json': JSON.stringify({
        name: 'rows',
        fields: { x: { dtype: 'f32', shape: [2] }, y: { dtype: 'f32', shape: [1] } },
        splits: { test: { x: 'x.f32', y: 'y.f32' } },
      }),
      'x.f32': new Uint8Array(Float32Array.from(rows.x.flat()).buffer),
      'y.f32': new Uint8Array(Float32Array.from(rows.y.flat()).buffer),
    });
    expect((await unisum(away, 'eval', 'moved', '--data', 'raw', '--json')).stdout).toBe(evaluation);
    expect((await unisum(away, 'predict', 'moved', 'raw')).stdout).toBe(predictions);
  },
  TIMEOUT_MS,
);
