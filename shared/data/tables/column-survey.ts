/*
 * Facts about all values of a column. They decide the type of the column.
 */
import { numberReader } from './number-text.js';
import type { CellFormat } from './preprocessing.js';
import type { RawTable } from './raw-table.js';
import { SuspectNumbers } from './suspect-numbers.js';

/** Facts about all values of a column. */
export interface ColumnSurvey {
  readonly heading: string;
  /** Rows without a value, the first of them, and the spellings. */
  readonly missing: number;
  readonly firstMissing: number | undefined;
  readonly missingSpellings: readonly string[];
  /** Rows with a value. */
  readonly present: number;
  /** Rows with a number in the given format. */
  readonly numbers: number;
  /** Distinct numbers, up to a bound. */
  readonly differentNumbers: ReadonlySet<number>;
  readonly areWhole: boolean;
  readonly percents: number;
  /** Currency signs, and '()' for negative numbers in brackets. */
  readonly currencies: ReadonlySet<string>;
  /** Distinct values that are not numbers, up to a bound, each with its first row. */
  readonly texts: ReadonlyMap<string, number>;
  /** How the numbers are written. */
  readonly suspects: SuspectNumbers;
}

/** Distinct numbers that are counted. A target with no more of them may be a class number. */
export const DIFFERENT_NUMBERS_MAX = 20;
/** Distinct texts that are counted. */
export const TEXTS_MAX = 2 ** 20;
/** Spellings of missing values that are reported. */
const SPELLINGS_MAX = 5;
/** Collects the facts about a column in one pass. */
export function surveyColumn(table: RawTable, at: number, format: CellFormat): ColumnSurvey {
  const isMissing = missingTest(format);
  const read = numberReader(format);
  const suspects = new SuspectNumbers(format);
  const spellings = new Set<string>();
  const differentNumbers = new Set<number>();
  const currencies = new Set<string>();
  const texts = new Map<string, number>();
  let firstMissing: number | undefined;
  let missing = 0;
  let numbers = 0;
  let percents = 0;
  let areWhole = true;
  for (let row = 0; row < table.rows; row++) {
    const text = table.cell(row, at);
    if (isMissing(text)) {
      firstMissing ??= row;
      missing += 1;
      if (spellings.size < SPELLINGS_MAX) spellings.add(text.trim());
      continue;
    }
    const number = read(text);
    if (number === undefined) {
      if (texts.size < TEXTS_MAX && !texts.has(text)) texts.set(text, row);
      continue;
    }
    numbers += 1;
    const { value, percent, currency } = number;
    if (percent) percents += 1;
    if (currency !== null) currencies.add(currency);
    if (differentNumbers.size <= DIFFERENT_NUMBERS_MAX) differentNumbers.add(value);
    areWhole &&= Number.isInteger(value) && !percent;
    suspects.add(text, value);
  }
  return {
    heading: table.header[at] as string,
    missing,
    firstMissing,
    missingSpellings: [...spellings],
    present: table.rows - missing,
    numbers,
    differentNumbers,
    areWhole: areWhole && numbers > 0,
    percents,
    currencies,
    texts,
    suspects,
  };
}

/** Returns a test for cells without a value. */
export function missingTest({ missingValues }: Pick<CellFormat, 'missingValues'>): (text: string) => boolean {
  const list = new Set(['', ...missingValues.map((value) => value.trim())]);
  return (text) => list.has(text.trim());
}
