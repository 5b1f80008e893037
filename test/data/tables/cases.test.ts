import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fieldValues } from '../../../shared/data/field-values.js';
import { type CsvOptions, csv } from '../../../shared/data/tables/csv.js';
import { tableFile } from './table-files.js';

/* Small files with frequent faults, and the right results. */
const CASES = join(import.meta.dirname, '../cases');

const read = (file: string, options: Partial<CsvOptions> = {}) =>
  csv(join(CASES, file), { target: 'species', ...options });

describe('a constant column', () => {
  it('is 0 in training and in other files, for any value', async () => {
    const { train, inputs, features } = await read('constant-column.csv', { target: 'price' });
    const place = features.indexOf('rate');
    const rates = [...fieldValues(train, 'features')].filter((_, i) => i % features.length === place);
    expect(new Set(rates)).toEqual(new Set([0]));
    const asked = await inputs(join(CASES, 'constant-column-ask.csv'));
    expect([asked.features[place], asked.features[features.length + place]]).toEqual([0, 0]);
  });

  it.each(['14.62', '0.1', '0.3', '-7.7', '123456.789', '1e-30', '3e38', '0.30000000000000004'])(
    'is 0 of %s too, over 150 rows',
    async (constant) => {
      const lines = ['x,z,y', ...Array.from({ length: 150 }, (_, i) => `${constant},${i},${i * 2}.5`)];
      const { train, inputs } = await csv(tableFile(lines), { target: 'y' });
      expect([...fieldValues(train, 'features')].filter((_, i) => i % 2 === 0)).toEqual(
        Array(train.manifest.samples).fill(0),
      );
      const others = ['0', '-5', '14.63', constant].map((value) => `${value},1`);
      const { features } = await inputs(tableFile(['x,z', ...others]));
      expect([0, 2, 4, 6].map((i) => features[i])).toEqual([0, 0, 0, 0]);
    },
  );

  it('may differ by rounding', async () => {
    const lines = [
      'x,z,y',
      ...Array.from({ length: 60 }, (_, i) => `${i % 2 ? 0.1 + 0.2 : 0.3},${i},${i}.5`),
    ];
    const { train, notes } = await csv(tableFile(lines), { target: 'y' });
    expect(new Set([...fieldValues(train, 'features')].filter((_, i) => i % 2 === 0))).toEqual(new Set([0]));
    expect(notes.join('\n')).toContain('constant 0.3, scaled to 0');
  });
});

describe('a missing value', () => {
  it('in the first row leaves the column numeric', async () => {
    const { features, train, test } = await read('first-value-nan.csv', { missing: 'drop' });
    expect(features).toEqual(['a', 'b']);
    expect(train.manifest.samples + test!.manifest.samples).toBe(119);
  });

  it('in the first row is reported as missing by default', async () => {
    await expect(read('first-value-nan.csv')).rejects.toThrow('line 2: a is missing');
  });

  it('in a later row is left out with its row', async () => {
    const { features, train, test } = await read('later-value-nan.csv', { missing: 'drop' });
    expect(features).toEqual(['a', 'b']);
    expect(train.manifest.samples + test!.manifest.samples).toBe(119);
  });
});

describe('an encoding', () => {
  it('that is not UTF-8 is refused with file, line and remedy', async () => {
    await expect(read('latin1-labels.csv')).rejects.toThrow(
      /latin1-labels\.csv line 2: byte 0xE9 .* is not UTF-8 .*set its encoding, such as encoding: 'windows-1252'/,
    );
  });

  it('named by an option keeps labels distinct', async () => {
    expect((await read('latin1-labels.csv', { encoding: 'latin1' })).classes).toEqual([
      'cafè',
      'café',
      'cafê',
    ]);
  });

  it('is recognised by a byte order mark', async () => {
    const { classes, features } = await read('utf16be-bom.csv');
    expect([classes, features]).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b'],
    ]);
  });

  it('without a byte order mark is reported in one line, and read with an option', async () => {
    await expect(read('utf16le-nobom.csv')).rejects.toThrow(
      /^\S+utf16le-nobom\.csv: looks like UTF-16 \(little-endian\) without a byte order mark; set encoding: 'utf-16le'$/,
    );
    expect((await read('utf16le-nobom.csv', { encoding: 'utf-16le' })).classes).toEqual(['a', 'b', 'c']);
  });
});

describe('numeric classes', () => {
  it('are reported with the remedy', async () => {
    const { notes } = await read('number-classes.csv');
    expect(notes.join('\n')).toContain(
      "species holds 3 whole numbers (0, 1, 2) and is a numeric target; if these are classes, set categories: ['species']",
    );
  });

  it('become classes with an option', async () => {
    expect((await read('number-classes.csv', { categories: ['species'] })).classes).toEqual(['0', '1', '2']);
  });
});

it('a trailing comma adds an unnamed column, which is ignored with a note', async () => {
  const { features, notes } = await read('trailing-comma.csv');
  expect(features).toEqual(['a', 'b']);
  expect(notes.join('\n')).toContain('column 4: no heading and no values (trailing delimiter), ignored');
});

it("the guide's table of three rows is split, with a note", async () => {
  const { train, test, notes } = await read('guide-houses.csv', { target: 'price', split: { share: 0.2 } });
  expect([train.manifest.samples, test!.manifest.samples]).toEqual([2, 1]);
  expect(notes.join('\n')).toContain('2 training rows, 1 held out');
  expect(notes.join('\n')).toContain('test metrics mean little');
});
