import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { squareRoot } from '../../../shared/arithmetic/square-root.js';
import { shapeOf } from '../../../shared/data/dataset.js';
import { fieldValues } from '../../../shared/data/field-values.js';
import { type CsvOptions, csv } from '../../../shared/data/tables/csv.js';
import { temporaryFolder } from '../../support/process.js';

/** Reads lines as a file named flowers.csv. */
function read(lines: readonly string[] | string, options: Partial<CsvOptions> = {}) {
  const file = join(temporaryFolder(), 'flowers.csv');
  writeFileSync(file, typeof lines === 'string' ? lines : `${lines.join('\n')}\n`);
  return csv(file, { target: 'kind', ...options });
}

const SPLIT = { split: { column: 'part' } };
const FLOWERS = [
  'length,colour,kind,part',
  '1,red,rose,train',
  '2.5,blue,iris,test',
  '3,red,iris,train',
  '8e0,"blue, pale",rose,train',
];

describe('a CSV file', () => {
  it('becomes features and class numbers, scaled by the training rows', async () => {
    const { train, test, features, classes } = await read(FLOWERS, SPLIT);
    expect(features).toEqual(['length', 'colour = blue, pale', 'colour = red']);
    expect(classes).toEqual(['iris', 'rose']);
    expect([train.manifest.name, test!.manifest.name]).toEqual(['flowers-train', 'flowers-test']);
    // 1, 3 and 8: mean 4, deviation sqrt(26 / 3).
    const scaled = (x: number) => Math.fround((x - 4) / Math.sqrt(26 / 3));
    expect([...fieldValues(train, 'features')]).toEqual(
      [
        [scaled(1), 0, 1],
        [scaled(3), 0, 1],
        [scaled(8), 1, 0],
      ].flat(),
    );
    expect([...fieldValues(test!, 'features')]).toEqual([scaled(2.5), 0, 0]);
    expect([...fieldValues(train, 'target')]).toEqual([1, 0, 1]);
    expect(train.manifest.fields.target).toMatchObject({ dtype: 'i32', shape: [] });
    expect(shapeOf(train, 'features')).toEqual([3]);
    expect(() => shapeOf(train, 'colour')).toThrow(
      'data set flowers-train has no field colour; its fields are features, target',
    );
  });

  it('has the categories of its training rows', async () => {
    const lines = [...FLOWERS, '4,"blue, pale",tulip,test', '5,red,daisy,test'];
    const { train, test, classes, notes } = await read(lines, SPLIT);
    const alone = await read(FLOWERS, SPLIT);
    expect(train.manifest).toEqual(alone.train.manifest);
    expect(classes).toEqual(['iris', 'rose']);
    // A class that was never learned cannot be measured; a feature is that of no category.
    expect(test!.manifest).toEqual(alone.test!.manifest);
    expect(notes).toContain(
      '  note: no training row has colour blue, so the model does not know it; 1 held-out row with it measured with none of the features of colour set; predict refuses such rows',
    );
    expect(notes).toContain(
      '  note: no training row has kind daisy, tulip, so the model does not know it; 2 held-out rows with it left out',
    );
    const unknown = ['x,kind,part', '1,a,train', '2,b,test'];
    expect((await read(unknown, SPLIT)).test).toBeUndefined();
  });

  it('keeps a numeric target unchanged', async () => {
    const options = { target: 'length', ignore: ['colour'], standardize: false };
    const { train, classes } = await read(FLOWERS, { ...options, ...SPLIT });
    expect(classes).toBeUndefined();
    expect(train.manifest.fields.target).toMatchObject({ dtype: 'f32', shape: [1] });
    expect([...fieldValues(train, 'target')]).toEqual([1, 3, 8]);
    expect([...fieldValues(train, 'features')]).toEqual([0, 1, 1, 0, 0, 1]);
  });

  it('may have numeric categories, other delimiters, a byte order mark, CRLF and empty lines', async () => {
    const text = '\ufeffx;kind;part\r\n\r\n7;2;train\r\n 9 ; 10;train\r\n8;2;test\r\n';
    const { train, classes } = await read(text, { delimiter: ';', categories: ['kind'], ...SPLIT });
    expect(classes).toEqual(['10', '2']);
    expect([...fieldValues(train, 'target')]).toEqual([1, 0]);
  });

  it('scales a constant column to 0', async () => {
    const { train } = await read(['x,kind,part', '0.1,a,train', '0.1,b,train', '5,a,test'], SPLIT);
    expect([...fieldValues(train, 'features')]).toEqual([0, 0]);
  });

  it('leaves out rows with missing values, with an option', async () => {
    const lines = ['x,kind,part', '1,a,train', '?,b,train', '3,,train', '5,a,test', '7,NA,test'];
    const { train, test } = await read(lines, { missing: 'drop', ...SPLIT });
    expect([train.manifest.samples, test!.manifest.samples]).toEqual([1, 1]);
  });
});

describe('rows of another file', () => {
  const other = (lines: readonly string[]) => {
    const file = join(temporaryFolder(), 'new.csv');
    writeFileSync(file, lines.join('\n'));
    return file;
  };

  it('get the features of the training rows, with the same scale, in any order of columns', async () => {
    const { inputs, train, test } = await read(FLOWERS, SPLIT);
    const learned = [...fieldValues(train, 'features')];
    const { features } = await inputs(other(['colour,note,length', 'red,,1', 'red,x,3', '"blue, pale",?,8']));
    expect([...features]).toEqual(learned);
    const [length, ...colour] = fieldValues(test!, 'features');
    const { features: held } = await inputs(other(['length,colour', '2.5,red']));
    expect([...held]).toEqual([length, 0, 1]);
    expect(colour).toEqual([0, 0]);
  });

  it.each([
    [['length', '1'], 'has no column colour, which is a feature of the model; its columns are length'],
    [
      ['length,colour', '1,red', '2,green'],
      'line 3: colour is "green", which does not occur in the training data; known values are blue, pale, red',
    ],
    [['length,colour', 'long,red'], 'line 2: length is "long", where a number is needed'],
    [['length,colour', ',red'], 'line 2: length is missing; fill it in'],
    [['length,colour'], 'has no rows below its header'],
  ])('are refused: %j', async (lines, line) => {
    const { inputs } = await read(FLOWERS, SPLIT);
    await expect(inputs(other(lines))).rejects.toThrow(line);
  });
});

describe('a split by hash', () => {
  const lines = ['x,kind', ...Array.from({ length: 2000 }, (_, i) => `${i},${i % 2 ? 'a' : 'b'}`)];
  const heldOutOf = async (from: readonly string[], seed = 0) => {
    const { test } = await read(from, { standardize: false, split: { share: 0.3, seed } });
    return [...fieldValues(test!, 'features')];
  };

  it('has the requested share, depends on the seed, and not on the order of rows', async () => {
    const all = await heldOutOf(lines);
    expect(Math.abs(all.length - 600)).toBeLessThan(60);
    const [head, ...rows] = lines as [string, ...string[]];
    expect((await heldOutOf([head, ...rows.reverse()])).reverse()).toEqual(all);
    const fewer = await heldOutOf([head, ...rows.slice(0, 1000)]);
    expect(fewer.reverse()).toEqual(all.filter((x) => x >= 1000));
    const other = await heldOutOf(lines, 1);
    expect(other.filter((x) => all.includes(x)).length).toBeLessThan(260);
  });

  it('has no row on both sides', async () => {
    const { train, test } = await read(['x,kind', ...Array.from({ length: 300 }, (_, i) => `${i % 30},a`)], {
      standardize: false,
    });
    const learned = new Set(fieldValues(train, 'features'));
    expect([...fieldValues(test!, 'features')].filter((x) => learned.has(x))).toEqual([]);
  });
});

it('means and deviations equal those of sums in order, to the bit', async () => {
  const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  await fc.assert(
    fc.asyncProperty(fc.array(number, { minLength: 2, maxLength: 20 }), async (numbers) => {
      const lines = ['x,kind,part', ...numbers.map((x) => `${x},a,train`), '0,a,test'];
      const { train } = await read(lines, SPLIT);
      const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
      const variance = numbers.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / numbers.length;
      const deviation = variance > 0 ? squareRoot(variance) : 1;
      expect(Math.abs(deviation / Math.sqrt(variance || 1) - 1)).toBeLessThan(1e-15);
      // Numbers that differ by rounding alone, at most 16 units in the last place, are constant.
      const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
      const isConstant = variance === 0 || most - least <= 2 ** -48 * Math.max(-least, most);
      const expected = numbers.map((x) => (isConstant ? 0 : Math.fround((x - mean) / deviation)));
      expect([...fieldValues(train, 'features')]).toEqual(expected);
    }),
    { numRuns: 20 },
  );
});

describe('errors name file, line and remedy', () => {
  it.each<[string, string[], Partial<CsvOptions>, string]>([
    [
      'a value that is missing',
      ['x,kind', '1,a', ',b'],
      {},
      "line 3: x is missing; fill it in, leave such rows out with missing: 'drop', or fill it by missing: 'mean', 'median', 'mostFrequent' or 'category'",
    ],
    ['a line behind a quoted break', ['x,kind', '"1\n2",a', ',b'], {}, 'line 4: x is missing'],
    [
      'no number',
      ['x,kind', '1,a', 'two,b'],
      {},
      `line 3: x is "two", where a number is needed; fix it, count it as missing with missingValues: { also: ['two'] }, or make the column a category: categories: ['x']`,
    ],
    [
      'a number too large',
      ['x,kind', '1,a', '1e39,b'],
      {},
      'line 3: x is "1e39", where a number of at most 3.4e38 is needed',
    ],
    ['too few columns', ['x,kind', '1,a', '2'], {}, 'line 3: has 1 value under 2 headings; fix the line'],
    [
      'a quote that is never closed',
      ['x,kind', '1,a', '2,"b'],
      {},
      'line 3: opens a quote that is never closed',
    ],
    ['no such target', ['x,y', '1,a', '2,b'], {}, 'has no column kind; its columns are x, y'],
    [
      'another delimiter',
      ['x;kind', '1;a', '2;b'],
      {},
      'has a single column "x;kind"; set the delimiter: delimiter: ";"',
    ],
    [
      'nothing to learn from',
      ['kind', 'a', 'b', 'c'],
      { split: { share: 0.5 } },
      'has no column besides the target kind; add a feature column',
    ],
    ['a heading twice', ['x,x,kind', '1,2,a', '1,2,b'], {}, 'has two columns x; rename one of them'],
    ['no rows', ['x,kind'], {}, 'has no rows below its header'],
    [
      'nothing whole',
      ['x,kind', ',a', '1,'],
      { missing: 'drop' },
      'has no row without a missing value; fill some in',
    ],
    [
      'no part',
      ['x,kind,part', '1,a,train', '2,b,valid'],
      SPLIT,
      'line 3: part is "valid"; write train or test',
    ],
    [
      'nothing held out',
      ['x,kind,part', '1,a,train', '2,b,train'],
      SPLIT,
      'of 2 samples none is held out; take more samples',
    ],
    ['all held out', ['x,kind,part', '1,a,test'], SPLIT, 'of 1 samples all are held out'],
    [
      'a share out of bounds',
      ['x,kind', '1,a'],
      { split: { share: 1 } },
      'the held-out share must be between 0 and 1, not 1; try 0.2',
    ],
    [
      'too many categories',
      ['x,kind', ...Array.from({ length: 1100 }, (_, i) => `n${i},a`)],
      {},
      "x has 1100 distinct values, too many for a category; leave it out with ignore: ['x']",
    ],
  ])('%s', async (_, lines, options, line) => {
    await expect(read(lines, options)).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(line),
    });
    await expect(read(lines, options)).rejects.not.toThrow('\n');
  });

  it('a file that is not there', async () => {
    const file = join(temporaryFolder(), 'none.csv');
    await expect(csv(file, { target: 'kind' })).rejects.toThrow(
      `cannot read ${file}: no such file or directory; check the path`,
    );
  });
});
