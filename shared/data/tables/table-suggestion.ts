/*
 * Suggests options for a table from its content, each with a reason. The user can correct them.
 */
import { UserError } from '../../errors.js';
import { type ColumnSurvey, surveyColumn } from './column-survey.js';
import { type ColumnUse, columnUse } from './column-use.js';
import { type CsvOptions, readTable } from './csv.js';
import { MISSING_VALUES } from './missing-values.js';
import { describeFormat, NUMBER_FORMATS, type NumberFormat, numberReader } from './number-text.js';
import type { CellFormat, DateOrder } from './preprocessing.js';
import { listed, literal, nearestColumn, quoted, shortened } from './problems.js';
import type { RawTable } from './raw-table.js';

/** Suggested options, with one line per reason. */
export interface TableSuggestion {
  readonly options: CsvOptions;
  readonly reasons: readonly string[];
}

/** Rows that are examined for the number format. */
const SAMPLE_ROWS = 10_000;
/** Most distinct whole numbers of a target that are taken for classes. */
const CLASSES_MAX = 10;
const TARGET_NAME = /^(target|label|labels|class|classes|category|y|outcome|response|result)$/i;
/**
 * @param target heading of the target; undefined: guessed
 * @throws UserError when the file cannot be read, or no column can be a target
 */
export async function suggestOptions(
  path: string,
  { target }: { readonly target?: string | undefined } = {},
): Promise<TableSuggestion> {
  const table = await readTable(path, { delimiter: null, encoding: null });
  const reasons: string[] = [];
  const file = suggestFile(table, reasons);
  const numberFormat = suggestFormat(table, reasons);
  const format: CellFormat = { ...numberFormat, missingValues: [...MISSING_VALUES] };
  const columns = suggestColumns(table, format, target, reasons);
  const decimal = numberFormat.decimal === ',' ? { decimal: numberFormat.decimal } : {};
  const thousands = numberFormat.thousands === null ? {} : { thousands: numberFormat.thousands };
  return { options: { ...columns, ...file, ...decimal, ...thousands }, reasons };
}

/** Delimiter and encoding, when the file does not declare them. */
function suggestFile(table: RawTable, reasons: string[]): Pick<CsvOptions, 'delimiter' | 'encoding'> {
  const { delimiter, encoding } = table.file;
  const isGuessed = (kind: string): boolean => table.problems.has(kind);
  if (isGuessed('encoding'))
    reasons.push(
      `encoding: '${encoding}' is a guess, because the file is not UTF-8; check the letters in the table`,
    );
  if (isGuessed('delimiter')) reasons.push(`delimiter: ${JSON.stringify(delimiter)} separates the columns`);
  return {
    ...(isGuessed('delimiter') && delimiter !== null && { delimiter }),
    ...(isGuessed('encoding') && encoding !== null && { encoding }),
  };
}

/** The format in which most columns are numeric. */
function suggestFormat(table: RawTable, reasons: string[]): NumberFormat {
  const sample: RawTable = { ...table, rows: Math.min(table.rows, SAMPLE_ROWS) };
  let best = NUMBER_FORMATS[0] as NumberFormat;
  let most = -1;
  for (const format of NUMBER_FORMATS) {
    const columns = table.header.filter((_, at) => {
      const { numbers, present } = surveyColumn(sample, at, {
        ...format,
        missingValues: [...MISSING_VALUES],
      });
      return present > 0 && numbers === present;
    });
    if (columns.length <= most) continue;
    best = format;
    most = columns.length;
  }
  const asked = describeFormat(best);
  if (asked !== '') reasons.push(`${asked}: the format of the numbers${exampleOf(sample, best)}`);
  return best;
}

function exampleOf(table: RawTable, format: NumberFormat): string {
  const [usual, read] = [numberReader(NUMBER_FORMATS[0] as NumberFormat), numberReader(format)];
  for (let at = 0; at < table.header.length; at++)
    for (let row = 0; row < table.rows; row++) {
      const text = table.cell(row, at);
      const number = read(text);
      if (number !== undefined && usual(text) === undefined) return `: ${quoted(text)} is ${number.value}`;
    }
  return '';
}

function suggestColumns(
  table: RawTable,
  format: CellFormat,
  asked: string | undefined,
  reasons: string[],
): Omit<CsvOptions, 'delimiter' | 'encoding' | 'decimal' | 'thousands'> {
  const words = new Set<string>();
  const surveys = table.header.map((_, at) => surveyColumn(table, at, format));
  const uses = surveys.map((survey, at): ColumnUse => {
    // The requested target is used even if it looks like an id.
    if (survey.heading === asked && survey.present > 0 && survey.numbers === survey.present)
      return { use: 'number', survey };
    return columnUse(table, at, survey, format, words);
  });
  const target = suggestTarget(table, uses, asked, reasons);
  // A column that looks like row numbers is better than no feature.
  const isUseful = (use: ColumnUse, at: number): boolean =>
    table.header[at] !== target && ['number', 'category', 'date'].includes(use.use);
  if (!uses.some(isUseful))
    for (const [at, survey] of surveys.entries())
      if (uses[at]?.use === 'ignore' && survey.numbers === survey.present)
        uses[at] = { use: 'number', survey };
  const goal = table.header.indexOf(target);
  const goalUse = uses[goal] as ColumnUse;
  const categories: string[] = [];
  const ignore: string[] = [];
  const dates: string[] = [];
  let dateOrder: DateOrder | undefined;
  for (const [at, use] of uses.entries()) {
    const name = table.header[at] as string;
    if (at === goal) continue;
    if (use.use === 'ignore') {
      ignore.push(name);
      reasons.push(`ignore: [${literal(name)}]: ${use.why}`);
    } else if (use.use === 'date') {
      dates.push(name);
      dateOrder ??= use.order;
    } else if (use.use === 'category' && use.isSaid) {
      categories.push(name);
      reasons.push(`categories: [${literal(name)}]: some values have leading zeros, as codes do`);
    }
  }
  if (dates.length > 0) reasons.push(`dates: ${listed(dates)}`);
  if (dateOrder !== undefined)
    reasons.push(`dateOrder: '${dateOrder}' is a guess, because day and month cannot be told apart`);
  const isClass = isClassTarget(goalUse, surveys[goal] as ColumnSurvey);
  if (goalUse.use === 'number' && isClass) {
    categories.push(target);
    reasons.push(`categories: [${literal(target)}]: its few distinct whole numbers are taken for classes`);
  }
  const used = surveys.filter((_, at) => !['ignore', 'nothing'].includes((uses[at] as ColumnUse).use));
  const numbers = surveys.filter((_, at) => (uses[at] as ColumnUse).use === 'number');
  const isMissing = used.some(({ missing }) => missing > 0) || words.size > 0;
  if (words.size > 0)
    reasons.push(`missingValues: ${listed([...words].map(quoted))} counts as missing among numbers`);
  if (isMissing)
    reasons.push(
      "missing: 'median' fills missing numbers, and missing categories with the most frequent value",
    );
  const signs = new Set(numbers.flatMap(({ currencies }) => [...currencies]));
  if (signs.size > 0) reasons.push(`currency: numbers have the sign ${listed([...signs])}`);
  const isPercent = numbers.some(({ percents }) => percents > 0);
  if (isPercent) reasons.push('percent: numbers have the sign %, and 12% is read as 0.12');
  const isStandardized = goalUse.use === 'number' && !isClass;
  if (isStandardized)
    reasons.push(`standardizeTarget: ${shortened(target)} is numeric and is scaled for training`);
  return {
    target,
    ...(categories.length > 0 && { categories }),
    ...(ignore.length > 0 && { ignore }),
    ...(dates.length > 0 && { dates }),
    ...(dateOrder !== undefined && { dateOrder }),
    ...(signs.size > 0 && { currency: true }),
    ...(isPercent && { percent: true }),
    ...(words.size > 0 && { missingValues: { also: [...words] } }),
    ...(isMissing && { missing: 'median' as const }),
    ...(isStandardized && { standardizeTarget: true }),
  };
}

function suggestTarget(
  table: RawTable,
  uses: readonly ColumnUse[],
  asked: string | undefined,
  reasons: string[],
): string {
  const { header, source } = table;
  if (asked !== undefined) {
    const at = header.indexOf(asked);
    if (at < 0)
      throw new UserError(`${source} has no column ${shortened(asked)}; ${nearestColumn(asked, header)}`, 2);
    const use = uses[at] as ColumnUse;
    if (use.use === 'number' || use.use === 'category') return asked;
    const why = use.use === 'ignore' ? use.why : use.use === 'date' ? 'it holds dates' : 'it has no values';
    throw new UserError(
      `${source}: ${shortened(asked)} cannot be the target: ${why}; choose another column`,
      2,
    );
  }
  const possible = header.filter((_, at) => ['number', 'category'].includes((uses[at] as ColumnUse).use));
  const target = possible.find((name) => TARGET_NAME.test(name)) ?? possible.at(-1);
  if (target === undefined)
    throw new UserError(`${source} has no numeric or categorical column for a target; add one`);
  reasons.push(`target: ${literal(target)} is a guess; change it with --target`);
  return target;
}

/** Whether the target is a class. */
function isClassTarget(use: ColumnUse, { areWhole, differentNumbers, numbers }: ColumnSurvey): boolean {
  if (use.use !== 'number') return true;
  return areWhole && differentNumbers.size <= CLASSES_MAX && differentNumbers.size * 2 <= numbers;
}
