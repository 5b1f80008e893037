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
  '2.5,"blue, pale",iris,test',
  '3,red,iris,train',
  '8e0,blue,rose,train',
];

describe('a CSV file', () => {
  it('becomes features and class numbers; numbers by the rows that are learned from', async () => {
    const { train, test, features, classes } = await read(FLOWERS, SPLIT);
    expect(features).toEqual(['length', 'colour = blue', 'colour = blue, pale', 'colour = red']);
    expect(classes).toEqual(['iris', 'rose']);
    expect([train.manifest.name, test.manifest.name]).toEqual(['flowers-train', 'flowers-test']);
    // 1, 3 and 8: mean 4, deviation sqrt(26 / 3).
    const scaled = (x: number) => Math.fround((x - 4) / Math.sqrt(26 / 3));
    expect([...fieldValues(train, 'features')]).toEqual(
      [
        [scaled(1), 0, 0, 1],
        [scaled(3), 0, 0, 1],
        [scaled(8), 1, 0, 0],
      ].flat(),
    );
    expect([...fieldValues(test, 'features')]).toEqual([scaled(2.5), 0, 1, 0]);
    expect([...fieldValues(train, 'target')]).toEqual([1, 0, 1]);
    expect(train.manifest.fields.target).toMatchObject({ dtype: 'i32', shape: [] });
    expect(shapeOf(train, 'features')).toEqual([4]);
    expect(() => shapeOf(train, 'colour')).toThrow(
      'data set flowers-train has no field colour; its fields are features, target',
    );
  });

  it('with numbers to foretell keeps them as they are', async () => {
    const options = { target: 'length', ignore: ['colour'], standardize: false };
    const { train, classes } = await read(FLOWERS, { ...options, ...SPLIT });
    expect(classes).toBeUndefined();
    expect(train.manifest.fields.target).toMatchObject({ dtype: 'f32', shape: [1] });
    expect([...fieldValues(train, 'target')]).toEqual([1, 3, 8]);
    expect([...fieldValues(train, 'features')]).toEqual([0, 1, 1, 0, 0, 1]);
  });

  it('may have numbers for names, other delimiters, a byte order mark, CRLF and empty lines', async () => {
    const text = '\ufeffx;kind;part\r\n\r\n7;2;train\r\n 9 ; 10;train\r\n8;2;test\r\n';
    const { train, classes } = await read(text, { delimiter: ';', categories: ['kind'], ...SPLIT });
    expect(classes).toEqual(['10', '2']);
    expect([...fieldValues(train, 'target')]).toEqual([1, 0]);
  });

  it('makes a column that never changes 0', async () => {
    const { train } = await read(['x,kind,part', '0.1,a,train', '0.1,b,train', '5,a,test'], SPLIT);
    expect([...fieldValues(train, 'features')]).toEqual([0, 0]);
  });

  it('leaves rows out that lack a value, when it is told to', async () => {
    const lines = ['x,kind,part', '1,a,train', '?,b,train', '3,,train', '5,a,test', '7,NA,test'];
    const { train, test } = await read(lines, { missing: 'drop', ...SPLIT });
    expect([train.manifest.samples, test.manifest.samples]).toEqual([1, 1]);
  });
});

describe('other rows for a table', () => {
  const other = (lines: readonly string[]) => {
    const file = join(temporaryFolder(), 'new.csv');
    writeFileSync(file, lines.join('\n'));
    return file;
  };

  it('are seen as those that were learned from, with their scales, in any order of columns', async () => {
    const { inputs, train, test } = await read(FLOWERS, SPLIT);
    const learned = [...fieldValues(train, 'features')];
    const { features } = await inputs(other(['colour,note,length', 'red,,1', 'red,x,3', 'blue,?,8']));
    expect([...features]).toEqual(learned);
    const { features: held } = await inputs(other(['length,colour', '2.5,"blue, pale"']));
    expect([...held]).toEqual([...fieldValues(test, 'features')]);
  });

  it.each([
    [['length', '1'], 'has no column colour, which was learned from; its columns are length'],
    [
      ['length,colour', '1,red', '2,green'],
      'line 3: colour is "green", which was never learned; known are blue, blue, pale, red',
    ],
    [['length,colour', 'long,red'], 'line 2: length is "long", where a number is needed'],
    [['length,colour', ',red'], 'line 2: length is missing; fill it in'],
    [['length,colour'], 'has no rows under a line of headings'],
  ])('are refused: %j', async (lines, line) => {
    const { inputs } = await read(FLOWERS, SPLIT);
    await expect(inputs(other(lines))).rejects.toThrow(line);
  });
});

describe('what is held out by hash', () => {
  const lines = ['x,kind', ...Array.from({ length: 2000 }, (_, i) => `${i},${i % 2 ? 'a' : 'b'}`)];
  const heldOutOf = async (from: readonly string[], seed = 0) => {
    const { test } = await read(from, { standardize: false, split: { share: 0.3, seed } });
    return [...fieldValues(test, 'features')];
  };

  it('is the share that was asked for, another with another seed, and the same in another order', async () => {
    const all = await heldOutOf(lines);
    expect(Math.abs(all.length - 600)).toBeLessThan(60);
    const [head, ...rows] = lines as [string, ...string[]];
    expect((await heldOutOf([head, ...rows.reverse()])).reverse()).toEqual(all);
    const fewer = await heldOutOf([head, ...rows.slice(0, 1000)]);
    expect(fewer.reverse()).toEqual(all.filter((x) => x >= 1000));
    const other = await heldOutOf(lines, 1);
    expect(other.filter((x) => all.includes(x)).length).toBeLessThan(260);
  });

  it('has no row that is learned from, too', async () => {
    const { train, test } = await read(['x,kind', ...Array.from({ length: 300 }, (_, i) => `${i % 30},a`)], {
      standardize: false,
    });
    const learned = new Set(fieldValues(train, 'features'));
    expect([...fieldValues(test, 'features')].filter((x) => learned.has(x))).toEqual([]);
  });
});

it('means and deviations are those of plain sums, to the bit', async () => {
  const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  await fc.assert(
    fc.asyncProperty(fc.array(number, { minLength: 2, maxLength: 20 }), async (numbers) => {
      const lines = ['x,kind,part', ...numbers.map((x) => `${x},a,train`), '0,a,test'];
      const { train } = await read(lines, SPLIT);
      const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
      const variance = numbers.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / numbers.length;
      const deviation = variance > 0 ? squareRoot(variance) : 1;
      expect(Math.abs(deviation / Math.sqrt(variance || 1) - 1)).toBeLessThan(1e-15);
      const expected = numbers.map((x) => Math.fround((x - mean) / deviation));
      expect([...fieldValues(train, 'features')]).toEqual(expected);
    }),
    { numRuns: 20 },
  );
});

describe('what is wrong is told with file, line and mend', () => {
  it.each<[string, string[], Partial<CsvOptions>, string]>([
    [
      'a value that is missing',
      ['x,kind', '1,a', ',b'],
      {},
      "line 3: x is missing; fill it in, or leave such rows out with missing: 'drop'",
    ],
    ['a line behind a quoted break', ['x,kind', '"1\n2",a', ',b'], {}, 'line 4: x is missing'],
    [
      'no number',
      ['x,kind', '1,a', 'two,b'],
      {},
      `line 3: x is "two", where a number is needed; mend it, or make the column a category: categories: ['x']`,
    ],
    ['a number too large', ['x,kind', '1,a', '1e39,b'], {}, 'line 3: x is "1e39", where a number is needed'],
    [
      'too few columns',
      ['x,kind', '1,a', '2'],
      {},
      'line 3 has 1 columns, other than the lines before it; mend the line',
    ],
    ['a quote that is never closed', ['x,kind', '1,a', '2,"b'], {}, 'Quote Not Closed'],
    ['no such target', ['x,y', '1,a', '2,b'], {}, 'has no column kind; its columns are x, y'],
    [
      'another delimiter',
      ['x;kind', '1;a', '2;b'],
      {},
      'has a single column "x;kind"; say what parts them: delimiter: ";"',
    ],
    [
      'nothing to learn from',
      ['kind', 'a', 'b', 'c'],
      { split: { share: 0.5 } },
      'has nothing to learn from but kind; add a column',
    ],
    ['a heading twice', ['x,x,kind', '1,2,a', '1,2,b'], {}, 'has two columns x; rename one of them'],
    ['no rows', ['x,kind'], {}, 'has no rows under a line of headings'],
    [
      'nothing whole',
      ['x,kind', ',a', '1,'],
      { missing: 'drop' },
      'has no row in which nothing is missing; fill some in',
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
      'the share that is held out lies between 0 and 1, and is not 1; try 0.2',
    ],
    [
      'too many categories',
      ['x,kind', ...Array.from({ length: 1100 }, (_, i) => `n${i},a`)],
      {},
      "x has 1100 different values, too many for a category; leave it out with ignore: ['x']",
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
