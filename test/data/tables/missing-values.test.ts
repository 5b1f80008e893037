import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldValues } from '../../../shared/data/field-values.js';
import { type CsvOptions, csv } from '../../../shared/data/tables/csv.js';
import { pythonWith } from '../../support/python.js';
import { featuresOfColumn, readParts, tableFile } from './table-files.js';

/** The defaults of pandas.read_csv. */
const PANDAS = [
  ...[
    '#N/A',
    '#N/A N/A',
    '#NA',
    '-1.#IND',
    '-1.#QNAN',
    '-NaN',
    '-nan',
    '1.#IND',
    '1.#QNAN',
    '<NA>',
    'N/A',
    'NA',
  ],
  ...['NULL', 'NaN', 'None', 'n/a', 'nan', 'null'],
];
const OTHERS = [
  '?',
  '-',
  '.',
  'inf',
  '-inf',
  'Infinity',
  '\\N',
  'NAN',
  'Null',
  'none',
  'NaT',
  '#DIV/0!',
  '#VALUE!',
  'n.a.',
];

describe('a missing value', () => {
  it.each([...PANDAS, ...OTHERS, '', ' '])('is written %j, first, in the middle or last', async (written) => {
    const { names, rows } = await featuresOfColumn([written, '1', written, '2', written], {
      missing: 'mean',
      split: { column: 'part' },
    });
    expect(names).toEqual(['x']);
    expect(rows.flat()).toEqual([1.5, 1, 1.5, 2, 1.5]);
  });

  it('is not written Na, which is sodium', async () => {
    const { names } = await featuresOfColumn(['Na', 'Cl', 'K', 'Na']);
    expect(names).toEqual(['x = Cl', 'x = K', 'x = Na']);
  });

  it('is set by an option: NA can be kept, -999 added, or the list replaced', async () => {
    const countries = ['NA', 'DE', 'ZA', 'NA'];
    await expect(featuresOfColumn(countries)).rejects.toThrow(
      `"NA" counts as missing; missingValues: { keep: ['NA'] } makes it a value`,
    );
    const { names } = await featuresOfColumn(countries, { missingValues: { keep: ['NA'] } });
    expect(names).toEqual(['x = DE', 'x = NA', 'x = ZA']);
    const numbers = await featuresOfColumn(['-999', '1', '3'], {
      missingValues: { also: ['-999'] },
      missing: 'mean',
    });
    expect(numbers.rows.flat()).toEqual([2, 1, 3]);
    const replaced = await featuresOfColumn(['none', '*', 'some', 'none'], {
      missingValues: ['*'],
      missing: 'drop',
    });
    expect(replaced.names).toEqual(['x = none', 'x = some']);
  });
});

describe('handling of missing values', () => {
  const lines = [
    'x,c,y,part',
    '1,a,1,train',
    '1,a,2,train',
    ',b,3,train',
    '4,,4,train',
    '10,a,5,train',
    '100,b,6,test',
    ',,7,test',
  ];
  const read = (missing: NonNullable<CsvOptions['missing']>) =>
    readParts(lines, { missing, standardize: false });

  it.each<[NonNullable<CsvOptions['missing']>, number, number[]]>([
    ['mean', 4, [1, 0]],
    ['median', 2.5, [1, 0]],
    ['mostFrequent', 1, [1, 0]],
  ])('%s is fitted on the training rows, and applied everywhere', async (missing, fill, category) => {
    const { train, test, inputs, notes, features } = await read(missing);
    expect(features).toEqual(['x', 'c = a', 'c = b']);
    expect([...fieldValues(train, 'features')].slice(6, 12)).toEqual([fill, 0, 1, 4, ...category]);
    expect([...fieldValues(test!, 'features')]).toEqual([100, 0, 1, fill, ...category]);
    const asked = await inputs(tableFile(['c,x', 'NA,?', 'b,3']));
    expect([...asked.features]).toEqual([fill, ...category, 3, 0, 1]);
    expect(notes.join('\n')).toContain(`2 missing (empty), filled with ${fill}`);
    expect(notes.join('\n')).toContain('2 missing (empty), filled with a');
  });

  it('category adds a feature that marks missing values', async () => {
    const { train, features, inputs } = await read('category');
    expect(features).toEqual(['x', 'x is missing', 'c = a', 'c = b', 'c = (missing)']);
    expect([...fieldValues(train, 'features')].slice(10, 20)).toEqual([4, 1, 0, 1, 0, 4, 0, 0, 0, 1]);
    const { features: asked } = await inputs(tableFile(['x,c', 'NA,b', '8,?']));
    expect([...asked]).toEqual([4, 1, 0, 1, 0, 8, 0, 0, 0, 1]);
  });

  it('drop leaves out rows, with their number', async () => {
    const { train, test, notes } = await read('drop');
    expect([train.manifest.samples, test!.manifest.samples]).toEqual([3, 1]);
    expect(notes.join('\n')).toContain("3 rows with a missing value left out (missing: 'drop')");
  });

  it('leaves out a row without a target', async () => {
    const { train, notes } = await readParts(['x,y,part', '1,1,train', '2,,train', '3,3,train', '4,4,test'], {
      missing: 'mean',
    });
    expect([...fieldValues(train, 'target')]).toEqual([1, 3]);
    expect(notes.join('\n')).toContain('1 row without a target left out');
  });

  it('refuses a missing value in a column that had none in training', async () => {
    const { inputs } = await readParts(['x,y,part', '1,1,train', '2,2,train', '4,4,test'], {
      missing: 'category',
    });
    await expect(inputs(tableFile(['x', '1', 'NA']))).rejects.toThrow(
      'line 3: x is missing, but never was in the training data; fill it in',
    );
  });

  it('refuses to fill a column without any value in the training rows', async () => {
    await expect(
      readParts(['x,z,y,part', ',1,1,train', ',2,2,train', '4,4,4,test'], { missing: 'mean' }),
    ).rejects.toThrow(
      "x has no value in any training row, so its missing values cannot be filled; leave it out: ignore: ['x']",
    );
  });
});

const PYTHON = pythonWith(['numpy'], 'python3-numpy');

describe.skipIf(PYTHON === undefined)('NumPy computes the same', () => {
  const SCRIPT = `
import json, sys, numpy as np
out = []
for case in json.load(sys.stdin):
    x = np.array([np.nan if v is None else v for v in case], dtype=np.float64)
    has = x[~np.isnan(x)]
    values, counts = np.unique(has, return_counts=True)
    fills = {'mean': has.mean(), 'median': np.median(has), 'mostFrequent': values[counts.argmax()]}
    rows = {}
    for name, fill in fills.items():
        full = np.where(np.isnan(x), fill, x)
        std = full.std()
        rows[name] = ((full - full.mean()) / (std if std > 1e-9 * abs(full).max() else np.inf)).tolist()
    out.append({'fills': fills, 'rows': rows})
json.dump(out, sys.stdout)
`;

  it('for means, medians, most frequent values and scaled columns', async () => {
    const value = fc.option(
      fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ min: -1e6, max: 1e6, noNaN: true })),
      { freq: 4 },
    );
    const cases = fc
      .sample(fc.array(value, { minLength: 3, maxLength: 40 }), { numRuns: 40, seed: 3 })
      .filter((numbers) => numbers.some((x) => x !== null));
    const expected = JSON.parse(
      execFileSync(PYTHON as string, ['-c', SCRIPT], { input: JSON.stringify(cases), encoding: 'utf8' }),
    ) as { rows: Record<string, number[]> }[];
    for (const [i, numbers] of cases.entries())
      for (const missing of ['mean', 'median', 'mostFrequent'] as const) {
        const lines = ['x,y,part', ...numbers.map((x, at) => `${x ?? ''},${at},train`), '0,1,test'];
        const { train } = await csv(tableFile(lines), { target: 'y', split: { column: 'part' }, missing });
        const features = [...fieldValues(train, 'features')];
        features.forEach((feature, at) => {
          expect(feature, JSON.stringify({ missing, numbers })).toBeCloseTo(
            expected[i]?.rows[missing]?.[at] ?? Number.NaN,
            4,
          );
        });
      }
  });
});
