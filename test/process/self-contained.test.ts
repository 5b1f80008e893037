import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { pngBytes } from '../support/png.js';
import { writeFiles } from '../support/process-data.js';
import { programHere } from '../support/program-here.js';
import { answersTheSame, project, unisum } from '../support/self-contained.js';

/* What kinds of data store: tables, images and texts of a user's own; recipes are in long/self-contained-recipes.test.ts. */
/** Each test starts some twenty processes. */
const TIMEOUT_MS = 120_000;

const TABLE_RECIPE = `
import { csv } from 'unisum/data/tables/csv';
import { shapeOf } from 'unisum/data/dataset';
import { Graph } from 'unisum/graph';
import { dense } from 'unisum/layers/dense';
import { sequential } from 'unisum/layers/sequential';
import { huber } from 'unisum/losses/huber';
import { adam } from 'unisum/optim/adam';
import type { Recipe } from 'unisum/recipe';

export const recipe: Recipe = {
  summary: 'house prices',
  model({ train }) {
    const graph = new Graph();
    const network = sequential([dense(8, { activation: 'relu' }), dense(1)]);
    return graph.model(network(graph.input('features', shapeOf(train, 'features'))), huber({ target: 'target' }));
  },
  data: () => csv('train.csv', { target: 'price', ignore: ['house id'], missing: 'median', standardizeTarget: true }),
  optimizer: adam({ learningRate: 0.05 }),
  batch: 16,
  leafSize: 4,
  epochs: 3,
};
`;

it(
  'a table: what was fitted in training is applied to any file, and every row of it is measured',
  async () => {
    const random = new SeededRandom(1);
    const rows = (count: number, metres: number) =>
      Array.from({ length: count }, (_, i) => {
        const [rooms, place] = [1 + random.below(6), random.below(3)];
        const size = metres + random.below(200);
        return [
          `h${i}`,
          rooms,
          i % 9 === 0 ? '' : size,
          ['coast', 'country', 'town'][place],
          10 * rooms + size,
        ];
      });
    const table = (lines: unknown[][]) =>
      [['house id', 'rooms', 'metres', 'place', 'price'], ...lines]
        .map((line) => `${line.join(',')}\n`)
        .join('');
    // The files that are asked about have another mean: refitting them would change every answer.
    const folder = project({
      'houses.ts': TABLE_RECIPE,
      'train.csv': table(rows(300, 20)),
      'new.csv': table(rows(77, 500)),
      'other.csv': table(rows(5, 900)),
    });
    const {
      away,
      predictions: csv,
      evaluation: measured,
    } = await answersTheSame(
      folder,
      './houses.ts',
      [],
      'new.csv',
      ['new.csv', 'other.csv'],
      ['auto', 'wasm', 'wasm-exact'],
    );
    expect(csv).toMatch(/^file,house id,price\nnew\.csv,h0,\d+\.?\d*\n/);
    expect(csv.trimEnd().split('\n')).toHaveLength(1 + 77 + 5);
    expect(JSON.parse(measured)).toMatchObject({ samples: 77 });

    // One row more moves no prediction; --out writes what stdout would show; JSON is brought to scale.
    const one = (await unisum(away, 'predict', 'moved', 'other.csv')).stdout;
    writeFileSync(
      join(away, 'other.csv'),
      `${readFileSync(join(away, 'other.csv'), 'utf8')}x,3,100000,town,1\n`,
    );
    const { stdout, stderr } = await unisum(away, 'predict', 'moved', 'other.csv', '--out', 'p.csv');
    expect(stdout).toBe('');
    expect(stderr).toContain('6 predictions: p.csv\n');
    expect(readFileSync(join(away, 'p.csv'), 'utf8').startsWith(one)).toBe(true);
    writeFileSync(join(away, 'a.csv'), 'rooms,metres,place\n3,100,town\n');
    writeFileSync(join(away, 'a.json'), '{"features": [[3, 100, "town"]]}');
    writeFileSync(join(away, 'b.json'), '{"features": [3, 100, 0, 0, 1]}');
    writeFileSync(join(away, 'c.json'), '[{"place": "town", "rooms": 3, "metres": "100"}]');
    const asked = await Promise.all(
      ['a.csv', 'a.json', 'b.json', 'c.json'].map(
        async (file) => (await unisum(away, 'predict', 'moved', file)).stdout,
      ),
    );
    expect(new Set(asked).size).toBe(1);

    const folderAsFile = await programHere(away, 'predict', 'moved', 'a.csv', '--out', 'moved');
    expect(folderAsFile).toMatchObject({ status: 2, stdout: '' });
    expect(folderAsFile.stderr).toMatch(
      /--out names a file for the predictions, and moved is a folder; name a file in it/,
    );

    // A category that was never learned is refused by name; so is a run without its model.
    writeFileSync(join(away, 'd.csv'), 'rooms,metres,place\n3,100,moon\n');
    const refused = await programHere(away, 'predict', 'moved', 'd.csv');
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toMatch(/place is "moon", which does not occur in the training data/);
    rmSync(join(away, 'moved', 'model.json'));
    const old = await programHere(away, 'predict', 'moved', 'a.csv');
    expect(old.status).toBe(2);
    expect(old.stderr).toMatch(
      /moved has no model\.json: [^\n]*unisum -- export moved --recipe NAME --out DIR\n$/,
    );
  },
  TIMEOUT_MS,
);

const IMAGE_RECIPE = `
import { imageFolder } from 'unisum/data/images/image-folder';
import { shapeOf } from 'unisum/data/dataset';
import { Graph } from 'unisum/graph';
import { dense } from 'unisum/layers/dense';
import { flatten } from 'unisum/layers/reshape';
import { sequential } from 'unisum/layers/sequential';
import { sparseCategoricalCrossentropy } from 'unisum/losses/sparse-categorical-crossentropy';
import { adam } from 'unisum/optim/adam';
import type { Recipe } from 'unisum/recipe';

export const recipe: Recipe = {
  summary: 'colours',
  model({ train, classes = [] }) {
    const graph = new Graph();
    // Logits: the probabilities are computed for predictions alone.
    const network = sequential([flatten(), dense(classes.length)]);
    const colour = network(graph.input('image', shapeOf(train, 'image')));
    return graph.model(colour, sparseCategoricalCrossentropy({ target: 'label', fromLogits: true }));
  },
  data: () => imageFolder('colours', { size: [6, 6] }),
  optimizer: adam({ learningRate: 0.02 }),
  batch: 8,
  leafSize: 4,
  epochs: 20,
};
`;

it(
  'images: class names come from the run, whatever the folders are called later',
  async () => {
    const random = new SeededRandom(2);
    const colours = { blue: [0, 0, 200], green: [0, 200, 0], red: [200, 0, 0] };
    const picture = (colour: number[], side: number) =>
      pngBytes({
        ...{ width: side, height: side, kind: 2, bits: 8 },
        numbers: Array.from({ length: side * side }, () => colour.map((c) => c + random.below(50))).flat(),
      });
    const folder = project({ 'colours.ts': IMAGE_RECIPE });
    for (const [name, colour] of Object.entries(colours)) {
      for (const [set, count, side] of [
        ['colours', 20, 8],
        ['fresh', 3, 11],
      ] as const)
        writeFiles(
          join(folder, set, name),
          Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i}.png`, picture(colour, side)])),
        );
    }
    const {
      away,
      predictions: csv,
      evaluation: measured,
    } = await answersTheSame(folder, './colours.ts', [], 'fresh', ['fresh']);
    expect(csv.trimEnd().split('\n')).toHaveLength(1 + 9);
    expect(csv).toMatch(/^file,class,probability\nfresh\/blue\/0\.png,blue,0\.\d+\n/);
    expect(JSON.parse(measured)).toMatchObject({ samples: 9, metrics: { testAccuracy: 1 } });
    renameSync(join(away, 'fresh', 'red'), join(away, 'fresh', 'a rose'));
    const { stdout } = await unisum(away, 'predict', 'moved', 'fresh/a rose/1.png');
    expect(stdout).toMatch(/^file,class,probability\nfresh\/a rose\/1\.png,red,/);
    const refused = await programHere(away, 'eval', 'moved', '--data', 'fresh');
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('a rose');
  },
  TIMEOUT_MS,
);

it(
  'a text: the alphabet comes from the run',
  async () => {
    const random = new SeededRandom(3);
    const text = (length: number) => Array.from({ length }, () => 'abcde \n'[random.below(7)]).join('');
    const folder = project({ 'book.txt': text(3000), 'other.txt': text(500).replace(/a/g, 'b') });
    const options = ['--text', 'book.txt', '--steps', '3'];
    const { away, predictions, evaluation } = await answersTheSame(
      folder,
      'char-lstm',
      options,
      'other.txt',
      ['other.txt'],
    );
    expect(predictions).toMatch(/^file,class,probability\nother\.txt,/);
    expect(JSON.parse(evaluation)).toMatchObject({ samples: 7 });
    writeFileSync(join(away, 'new.txt'), text(200).replace(/b/g, 'ß'));
    const refused = await programHere(away, 'predict', 'moved', 'new.txt');
    expect(refused.stderr).toContain('new.txt has characters that the model has not learned: "ß"; ');
  },
  TIMEOUT_MS,
);
