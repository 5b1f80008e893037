import { describe, expect, it } from 'vitest';
import { fieldValues } from '../../../shared/data/field-values.js';
import { csv, readTable, tableToMeasure } from '../../../shared/data/tables/csv.js';
import {
  classNames,
  featureNames,
  parseTablePreprocessing,
  predictedValues,
  type TablePreprocessing,
} from '../../../shared/data/tables/preprocessing.js';
import { applyPreprocessing } from '../../../shared/data/tables/table-apply.js';
import { tableFile } from './table-files.js';

const FILE = { delimiter: null, encoding: null };
/** A table with every type of column. */
const LINES = [
  'id,rooms,place,since,price,share,note,kind,value',
  ...Array.from({ length: 60 }, (_, i) =>
    [
      `n${i}`,
      i % 9 === 4 ? 'NA' : 1 + (i % 5),
      i % 11 === 3 ? '' : ['town', 'coast', 'country'][i % 3],
      `${1 + (i % 28)}/${1 + (i % 12)}/20${10 + (i % 9)} ${i % 24}:30`,
      `"$1,${100 + i}.50"`,
      `${i}.5%`,
      '',
      i % 2 ? 'yes' : 'no',
      i * 1000,
    ].join(','),
  ),
];
const OPTIONS = {
  ignore: ['id'],
  dates: ['since'],
  currency: true,
  percent: true,
  thousands: ',',
  missing: 'category',
} as const;
const fitted = (target: string, more: object = {}) =>
  csv(tableFile(LINES), {
    ...OPTIONS,
    target,
    ignore: target === 'kind' ? ['id', 'value'] : ['id', 'kind'],
    ...more,
  });
/** Preprocessing as a run stores and reads it. */
const stored = (preprocessing: TablePreprocessing): TablePreprocessing =>
  parseTablePreprocessing(JSON.parse(JSON.stringify(preprocessing)), 'config.json');

/** Rows as sorted texts, to compare without order. */
const rowsOf = (values: Float32Array, width: number): string[] =>
  Array.from({ length: values.length / width }, (_, i) =>
    values.slice(i * width, (i + 1) * width).join(),
  ).sort();

describe('fitted preprocessing', () => {
  it('survives a round trip through JSON', async () => {
    const { preprocessing, features, classes } = await fitted('kind');
    expect(stored(preprocessing)).toEqual(preprocessing);
    expect(featureNames(stored(preprocessing))).toEqual(features);
    expect(classNames(stored(preprocessing))).toEqual(classes);
    expect(features).toEqual([
      ...[
        'rooms',
        'rooms is missing',
        'place = coast',
        'place = country',
        'place = town',
        'place = (missing)',
      ],
      ...['since year', 'since month', 'since day of week', 'since hour', 'price', 'share'],
    ]);
    expect(classes).toEqual(['no', 'yes']);
  });

  it('reproduces the training features from the same file, to the bit', async () => {
    const { preprocessing, train, test, features } = await fitted('kind');
    const table = await readTable(tableFile(LINES), FILE);
    const { features: applied, kept } = await applyPreprocessing(stored(preprocessing), table);
    const learned = [train, test].flatMap((side) => [...fieldValues(side!, 'features')]);
    expect(rowsOf(applied, features.length)).toEqual(rowsOf(Float32Array.from(learned), features.length));
    expect(kept).toEqual(Array.from({ length: 60 }, (_, i) => i));
  });

  it('gives a row the same features in any file and any order of columns', async () => {
    const { preprocessing } = await fitted('kind');
    const apply = async (lines: readonly string[]) =>
      (await applyPreprocessing(preprocessing, await readTable(tableFile(lines), FILE))).features;
    const all = await apply(LINES);
    const width = all.length / 60;
    for (const i of [0, 4, 14, 59])
      expect(await apply([LINES[0]!, LINES[i + 1]!])).toEqual(all.slice(i * width, (i + 1) * width));
    const [header, ...rows] = LINES.map((line) => line.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/));
    const reordered = [header!, ...rows].map((cells) => [...cells.slice(1, 7)].reverse().join(','));
    expect(await apply(reordered)).toEqual(all);
    const outlier = [...LINES, 'n99,999,town,1/1/2050 3:00,"$9,999,999",99%,,yes,1'];
    expect((await apply(outlier)).slice(0, all.length)).toEqual(all);
  });

  it('gives features and targets of every row of a file', async () => {
    const { preprocessing } = await fitted('kind');
    const { test, notes } = await tableToMeasure(tableFile(LINES, 'new.csv'), preprocessing);
    expect(test.manifest).toMatchObject({ name: 'new', samples: 60 });
    expect([...fieldValues(test, 'target')].slice(0, 4)).toEqual([0, 1, 0, 1]);
    expect(notes).toContain('rooms: 7 missing, treated as in training');
    const unknown = LINES.map((line, i) => (i === 5 ? line.replace(/,(yes|no),/, ',maybe,') : line));
    await expect(tableToMeasure(tableFile(unknown), preprocessing)).rejects.toThrow(
      'line 6: kind is "maybe", which does not occur in the training data; known values are no, yes',
    );
  });

  it('scales a target with an option, and converts predictions back', async () => {
    const { preprocessing, train, test } = await fitted('value', { standardizeTarget: true });
    const targets = [...fieldValues(train, 'target')];
    const mean = targets.reduce((sum, x) => sum + x, 0) / targets.length;
    const variance = targets.reduce((sum, x) => sum + (x - mean) ** 2, 0) / targets.length;
    expect(mean).toBeCloseTo(0, 6);
    expect(variance).toBeCloseTo(1, 5);
    const back = predictedValues(
      stored(preprocessing),
      Float32Array.from([...targets, ...fieldValues(test!, 'target')]),
    );
    expect([...back].map((x) => Math.round(x)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 60 }, (_, i) => i * 1000),
    );
    const plain = await fitted('value');
    expect(predictedValues(plain.preprocessing, Float32Array.of(3))).toEqual(Float32Array.of(3));
  });

  it.each<[string, string[], string]>([
    [
      'a column that is not there',
      ['rooms,place,since,price', '1,town,1/1/2020 1:00,"$1"'],
      'has no column share, which is a feature of the model',
    ],
    [
      'a heading that is nearly right',
      ['Rooms,place,since,price,share', '1,town,1/1/2020 1:00,"$1",1%'],
      'has no column rooms, which is a feature of the model; did you mean Rooms?',
    ],
    [
      'a column twice',
      ['rooms,place,since,price,share,rooms', '1,town,1/1/2020 1:00,"$1",1%,2'],
      'has two columns rooms; rename one of them',
    ],
    [
      'another currency',
      ['rooms,place,since,price,share', '1,town,1/1/2020 1:00,€1,1%'],
      'price is "€1", but the amounts are in $',
    ],
    [
      'no percent sign',
      ['rooms,place,since,price,share', '1,town,1/1/2020 1:00,"$1",0.01'],
      'share is "0.01", without a percent sign, unlike the training data',
    ],
    [
      'a date the other way round',
      ['rooms,place,since,price,share', '1,town,12/31/2020 1:00,"$1",1%'],
      'since is "12/31/2020 1:00", where a date in the order of the training data (dmy) is needed',
    ],
    [
      'a number that leaves the scale',
      ['rooms,place,since,price,share', '3e38,town,1/1/2020 1:00,"$1",1%'],
      'line 2: rooms is too far from the training data',
    ],
  ])('refuses %s', async (_, lines, message) => {
    const { preprocessing } = await fitted('kind');
    // With a tiny deviation, a large value overflows float32.
    const narrow = JSON.parse(
      JSON.stringify(preprocessing).replace(/"deviation":1\.[0-9]+/, '"deviation":1e-30'),
    );
    await expect(applyPreprocessing(stored(narrow), await readTable(tableFile(lines), FILE))).rejects.toThrow(
      message,
    );
  });

  it('reports all problems of a file at once', async () => {
    const { preprocessing } = await fitted('kind');
    const lines = ['rooms,place,since,price', 'many,sea,soon,"$1"', '2,town,1/1/2020 1:00,cheap'];
    const error = await applyPreprocessing(preprocessing, await readTable(tableFile(lines), FILE)).catch(
      (e: Error) => e,
    );
    expect(
      (error as Error).message
        .split('\n')
        .slice(1)
        .map((line) => line.trim()),
    ).toEqual([
      'line 2: rooms is "many", where a number is needed',
      'line 2: place is "sea", which does not occur in the training data; known values are coast, country, town',
      'line 2: since is "soon", where a date in the order of the training data (dmy) is needed',
      'line 3: price is "cheap", where a number is needed',
      'has no column share, which is a feature of the model; its columns are rooms, place, since, price',
    ]);
  });

  it.each<[string, (json: Record<string, unknown>) => void]>([
    ['version', (json) => (json.version = 2)],
    ['kind', (json) => (json.kind = 'images')],
    [
      'columns',
      (json) => (json.columns = (json.columns as { role: string }[]).filter(({ role }) => role !== 'target')),
    ],
    ['deviation', (json) => ((json.columns as { deviation?: number }[])[1]!.deviation = -1)],
    ['mean', (json) => ((json.columns as { mean?: unknown }[])[1]!.mean = null)],
    ['extra', (json) => (json.extra = 1)],
  ])('is refused if malformed: %s', async (_, change) => {
    const json = JSON.parse(JSON.stringify((await fitted('kind')).preprocessing));
    change(json);
    expect(() => parseTablePreprocessing(json, 'config.json')).toThrow(
      /^config\.json has no valid preprocessing of a table: /,
    );
  });
});
