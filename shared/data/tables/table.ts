/*
 * Tables, a sample a row: columns of numbers and of categories. One column is what is to be foretold.
 */
import { UserError } from '../../errors.js';
import { sha256Hex } from '../../files/sha256.js';
import { type Dataset, nameAfter, packDataset } from '../dataset.js';
import { checkSides, type HeldOut, heldOut } from '../held-out.js';
import { isMissing, readAgain, readColumn, type TableColumn, type TableRow } from './table-column.js';
import { AS_IT_IS, featuresOf, type Scale, scaleOf } from './table-features.js';

export interface TableOptions {
  /** Heading of the column that is to be foretold. */
  readonly target: string;
  /** Headings of columns whose numbers are names, such as a class 1, 2 or 3. Columns of words are categories anyway. */
  readonly categories?: readonly string[];
  /** Headings of columns that are left out. */
  readonly ignore?: readonly string[];
  /** What is held out: a share by a keyed hash of the row, or what a column says (train, test). Default: a fifth. */
  readonly split?: HeldOut | { readonly column: string };
  /** Whether columns of numbers are brought to mean 0 and deviation 1. Default: true. */
  readonly standardize?: boolean;
  /** What becomes of rows with a value missing. Default: refuse. */
  readonly missing?: 'refuse' | 'drop';
}

/** A table as it is learned from. */
export interface TableData {
  /**
   * Fields: `features` (f32 [n]) and `target`: class numbers (i32 []) of a column of categories, else numbers as they
   * stand there (f32 [1]).
   */
  readonly train: Dataset;
  readonly test: Dataset;
  /** What the features are, in order: the heading, and behind a category `= value`. */
  readonly features: readonly string[];
  /** Where the target is a category: its values by class number. */
  readonly classes?: readonly string[];
  /**
   * The features of other rows, as those that were learned from have them; columns that are no features are left out.
   * @param source what to name in errors
   * @throws UserError that names the source, the line and the mend
   */
  encode(source: string, header: readonly string[], rows: readonly TableRow[]): Float32Array;
}

/**
 * Rows of text as a data set. A column whose first value is a number is one of numbers; a category becomes a 1 among
 * zeros, one place for each value in the order of code points. Means and deviations are those of the rows that are
 * learned from, in float64, row after row: the same bits on every machine.
 * @param source what to name in errors
 * @throws UserError that names the source, the line and the mend
 */
export function tableData(
  source: string,
  header: readonly string[],
  rows: readonly TableRow[],
  options: TableOptions,
): TableData {
  const { target, ignore = [], categories = [], split = {}, standardize = true } = options;
  const splitColumn = 'column' in split ? split.column : undefined;
  const twice = header.find((heading, i) => header.indexOf(heading) !== i);
  if (twice !== undefined) throw new UserError(`${source} has two columns ${twice}; rename one of them`);
  for (const heading of [
    target,
    ...ignore,
    ...categories,
    ...(splitColumn === undefined ? [] : [splitColumn]),
  ])
    if (!header.includes(heading))
      throw new UserError(`${source} has no column ${heading}; its columns are ${header.join(', ')}`);
  const used: Heading[] = header.flatMap((heading, at) =>
    heading === splitColumn || ignore.includes(heading) ? [] : [{ heading, at }],
  );
  const whole = wholeRows(source, rows, used, options.missing ?? 'refuse');
  if (whole.length === 0)
    throw new UserError(`${source} has no row in which nothing is missing; fill some in`);
  const isTest = sideOf(source, header, used, split);
  const tests = whole.map((row) => isTest(row));
  const test = tests.filter((side) => side).length;
  const columns = used.map(({ heading, at }) =>
    readColumn({ source, heading, at, isCategory: categories.includes(heading) }, whole),
  );
  checkSides(source, { train: whole.length - test, test });
  const inputs = columns.filter(({ heading }) => heading !== target);
  if (inputs.length === 0)
    throw new UserError(`${source} has nothing to learn from but ${target}; add a column`);
  const foretold = columns.find(({ heading }) => heading === target) as TableColumn;
  const scales = inputs.map((column) => (standardize ? scaleOf(column, tests) : AS_IT_IS));
  const [file = ''] = (source.split(/[/\\]/).at(-1) ?? '').split('.');
  const name = nameAfter(file, 'table');
  const part = (side: boolean, suffix: string): Dataset => {
    const picked = tests.flatMap((isTest, row) => (isTest === side ? [row] : []));
    return pack(`${name}-${suffix}`, picked, { inputs, scales, foretold });
  };
  return {
    train: part(false, 'train'),
    test: part(true, 'test'),
    features: inputs.flatMap(
      ({ heading, values }) => values?.map((value) => `${heading} = ${value}`) ?? [heading],
    ),
    ...(foretold.values && { classes: foretold.values }),
    encode: (from, headings, others) => {
      const read = inputs.map((column) => {
        const at = headings.indexOf(column.heading);
        if (at < 0)
          throw new UserError(
            `${from} has no column ${column.heading}, which was learned from; its columns are ${headings.join(', ')}`,
          );
        const hole = others.find((row) => isMissing(row, at));
        if (hole !== undefined)
          throw new UserError(`${from} ${hole.place}: ${column.heading} is missing; fill it in`);
        return readAgain(column, { source: from, at }, others);
      });
      return featuresOf(
        read,
        scales,
        others.map((_, row) => row),
      );
    },
  };
}

/** A column that is not left out. */
interface Heading {
  readonly heading: string;
  /** Its place in a row. */
  readonly at: number;
}

/** The rows at hand as a data set. */
function pack(
  name: string,
  picked: readonly number[],
  parts: {
    readonly inputs: readonly TableColumn[];
    readonly scales: readonly Scale[];
    readonly foretold: TableColumn;
  },
): Dataset {
  const { inputs, scales, foretold } = parts;
  const features = featuresOf(inputs, scales, picked);
  const isClass = foretold.values !== undefined;
  const targets = isClass ? new Int32Array(picked.length) : new Float32Array(picked.length);
  picked.forEach((row, i) => {
    targets[i] = foretold.numbers[row] as number;
  });
  const same = { scale: 1, shift: 0 } as const;
  return packDataset(
    name,
    picked.length,
    {
      features: {
        dtype: 'f32',
        shape: [features.length / picked.length],
        bytes: new Uint8Array(features.buffer),
        ...same,
      },
      target: {
        dtype: isClass ? 'i32' : 'f32',
        shape: isClass ? [] : [1],
        bytes: new Uint8Array(targets.buffer),
        ...same,
      },
    },
    sha256Hex,
  );
}

/** The rows in which nothing is missing. */
function wholeRows(
  source: string,
  rows: readonly TableRow[],
  used: readonly Heading[],
  missing: 'refuse' | 'drop',
): TableRow[] {
  return rows.filter((row) => {
    const hole = used.find(({ at }) => isMissing(row, at));
    if (hole !== undefined && missing === 'refuse')
      throw new UserError(
        `${source} ${row.place}: ${hole.heading} is missing; fill it in, or leave such rows out with missing: 'drop'`,
      );
    return hole === undefined;
  });
}

function sideOf(
  source: string,
  header: readonly string[],
  used: readonly Heading[],
  split: NonNullable<TableOptions['split']>,
): (row: TableRow) => boolean {
  if (!('column' in split)) {
    const isHeldOut = heldOut(split);
    return ({ values }) => isHeldOut(JSON.stringify(used.map(({ at }) => values[at])));
  }
  const at = header.indexOf(split.column);
  return ({ values, place }) => {
    const side = values[at];
    if (side !== 'train' && side !== 'test')
      throw new UserError(`${source} ${place}: ${split.column} is "${side}"; write train or test`);
    return side === 'test';
  };
}
