/*
 * Decides the type of a column from all of its values: number, category, date or empty. A column with contradictory values, or
 * with a notation that no option allows, becomes a problem with a remedy. It never becomes a category silently.
 */
import { type ColumnSurvey, DIFFERENT_NUMBERS_MAX, missingTest, TEXTS_MAX } from './column-survey.js';
import { hasShortYear, hasZoneName, looksLikeDate, readDate } from './date-text.js';
import {
  describeFormat,
  NUMBER_FORMATS,
  type NumberFormat,
  numberReader,
  OTHER_DIGITS,
  unitOf,
  type WrittenNumber,
} from './number-text.js';
import {
  CATEGORY_VALUES_MAX,
  type CellFormat,
  DATE_ORDERS,
  type DateOrder,
  NAME_LENGTH_MAX,
} from './preprocessing.js';
import { literal, type Problems, quoted, shortened } from './problems.js';
import type { RawTable } from './raw-table.js';

/** Notations that the options allow. */
export interface ColumnRules {
  readonly format: CellFormat;
  /** Whether numbers may have a currency sign, or a percent sign. */
  readonly currency: boolean;
  readonly percent: boolean;
  /** Order of day, month and year; undefined: inferred from the column. */
  readonly dateOrder: DateOrder | undefined;
  /** Heading of the target. */
  readonly target: string;
}

/** The type of a column. */
export type ColumnType =
  | { readonly type: 'number'; readonly percent: boolean; readonly currency: string | null }
  | { readonly type: 'category'; readonly values: readonly string[] }
  | { readonly type: 'date'; readonly order: DateOrder; readonly hasTime: boolean }
  /** No row has a value. */
  | { readonly type: 'empty' };

/** A column with fewer distinct values is never reported as nearly unique. */
const NEARLY_UNIQUE_MIN = 10;

/**
 * Decides the type of a column.
 * @param said the type that an option names
 * @returns undefined when the column is a problem, which is added to `problems`
 */
export function decideType(
  table: RawTable,
  at: number,
  survey: ColumnSurvey,
  rules: ColumnRules,
  said: 'category' | 'date' | undefined,
  problems: Problems,
): ColumnType | undefined {
  const { heading, present, numbers, texts } = survey;
  if (present === 0) return { type: 'empty' };
  const column: Column = { table, at, survey, rules, problems };
  if (said === 'category') return categoryOf(column, { isSaid: true });
  if (said === 'date') return dateOf(column);
  if (numbers === present) return numberOf(column);
  const add = (text: string): undefined =>
    problems.add(`type:${heading}`, undefined, `${shortened(heading)} ${text}`);
  const [example = ''] = texts.keys();
  const otherwise = `make the column a category: categories: [${literal(heading)}]`;
  if (numbers === 0 && every(column, (text) => looksLikeDate(text) || hasZoneName(text))) {
    const [what, fix] = every(column, hasShortYear)
      ? ['dates with two-digit years', 'write four digits']
      : every(column, looksLikeDate)
        ? ['dates', `convert them to features with dates: [${literal(heading)}]`]
        : ['times with the name of a time zone', 'write an offset such as +02:00 instead'];
    const leaveOut = `leave the column out: ignore: [${literal(heading)}]`;
    return add(`holds ${what}, such as ${quoted(example)}; ${fix}, or ${leaveOut}`);
  }
  if ([...texts.keys()].every((text) => OTHER_DIGITS.test(text)))
    return add(
      `holds numbers in other digits than 0 to 9, such as ${quoted(example)}; write them so, or ${otherwise}`,
    );
  const formats = formatsOf(column);
  if (formats.length > 0) {
    const means = formats.map(
      (format) =>
        `${describeFormat(format, rules.format) || 'no thousands'}${signsFor(column, format)} (${quoted(example)} is ${valueIn(format, example)})`,
    );
    return add(
      `holds numbers such as ${quoted(example)}; read them with ${means.join(' or ')}, or ${otherwise}`,
    );
  }
  const unit = unitOf(example);
  if (unit !== undefined && every(column, (text) => unitOf(text) === unit))
    return add(
      `holds numbers with the unit ${unit}, such as ${quoted(example)}; remove the unit, or ${otherwise}`,
    );
  const areMostlyNumbers =
    (numbers + writtenOtherwise(column)) * 2 >= present ||
    (numbers * 10 >= present && survey.differentNumbers.size > DIFFERENT_NUMBERS_MAX);
  if (!areMostlyNumbers) return categoryOf(column, { isSaid: false });
  for (const [text, row] of texts)
    problems.add(
      `type:${heading}`,
      table.place(row),
      `${shortened(heading)} is ${quoted(text)}, where a number is needed; fix it, count it as missing with ` +
        `missingValues: { also: [${literal(shortened(text))}] }, or ${otherwise}`,
    );
  return undefined;
}

/** Rows with a number in any other notation. */
function writtenOtherwise(column: Column): number {
  const readers = NUMBER_FORMATS.map(numberReader);
  const texts = new Set(
    [...column.survey.texts.keys()].filter((text) => readers.some((read) => read(text) !== undefined)),
  );
  return texts.size === 0 ? 0 : rowsWhere(column, (text) => texts.has(text)).length;
}

interface Column {
  readonly table: RawTable;
  readonly at: number;
  readonly survey: ColumnSurvey;
  readonly rules: ColumnRules;
  readonly problems: Problems;
}

function numberOf({ table, at, survey, rules, problems }: Column): ColumnType | undefined {
  const { heading, present, percents, currencies } = survey;
  const kind = `type:${heading}`;
  const name = shortened(heading);
  const otherwise = `make the column a category: categories: [${literal(heading)}]`;
  const read = numberReader(rules.format);
  const example = (isOne: (text: string) => boolean): string => {
    for (let row = 0; row < table.rows; row++) {
      const text = table.cell(row, at);
      if (isOne(text)) return quoted(text);
    }
    return '';
  };
  const signs = [...currencies].filter((sign) => sign !== '()');
  if (percents > 0 && percents < present)
    return problems.add(
      kind,
      undefined,
      `${name} has a percent sign in ${percents} of ${present} values, such as ${example((text) => read(text)?.percent === true)}; ` +
        `use it in all values or in none, or ${otherwise}`,
    );
  if (percents > 0 && !rules.percent)
    return problems.add(
      kind,
      undefined,
      `${name} holds percentages, such as ${example((text) => read(text)?.percent === true)}; read them as hundredths with percent: true, or ${otherwise}`,
    );
  if (signs.length > 1)
    return problems.add(
      kind,
      undefined,
      `${name} holds amounts in ${signs.slice(0, 5).join(' and ')}; convert them to one currency, or ${otherwise}`,
    );
  if (currencies.size > 0 && !rules.currency)
    return problems.add(
      kind,
      undefined,
      `${name} holds amounts with a currency sign, such as ${example((text) => read(text)?.currency != null)}; read them as numbers with currency: true, or ${otherwise}`,
    );
  return { type: 'number', percent: percents > 0, currency: signs[0] ?? (currencies.size > 0 ? '()' : null) };
}

function categoryOf(
  { table, at, survey, rules, problems }: Column,
  { isSaid }: { isSaid: boolean },
): ColumnType | undefined {
  const { heading, present } = survey;
  const isMissing = missingTest(rules.format);
  const different = new Set<string>();
  for (let row = 0; row < table.rows && different.size < TEXTS_MAX; row++) {
    const text = table.cell(row, at);
    if (!isMissing(text)) different.add(text);
  }
  const add = (text: string): undefined =>
    problems.add(`type:${heading}`, undefined, `${shortened(heading)} ${text}`);
  const leaveOut =
    rules.target === heading ? 'choose another target' : `leave it out with ignore: [${literal(heading)}]`;
  if (different.size > CATEGORY_VALUES_MAX)
    return add(
      `has ${different.size === TEXTS_MAX ? 'more than a million' : different.size} distinct values, too many for a category; ${leaveOut}`,
    );
  if (!isSaid && different.size >= NEARLY_UNIQUE_MIN && different.size * 2 > present)
    return add(
      `has ${different.size} distinct values in ${present} rows, like a name or an id; ` +
        `${leaveOut}, or keep it as a category: categories: [${literal(heading)}]`,
    );
  for (const value of different)
    if (value.length > NAME_LENGTH_MAX)
      return add(`has a value of ${value.length} characters, too long for a category; ${leaveOut}`);
  return { type: 'category', values: [...different].sort((a, b) => (a < b ? -1 : 1)) };
}

function dateOf(column: Column): ColumnType | undefined {
  const { table, at, survey, rules, problems } = column;
  const { heading } = survey;
  const orders = rules.dateOrder === undefined ? DATE_ORDERS : [rules.dateOrder];
  const fitting = orders.filter((order) =>
    every(column, (text) => readDate(text, order, true) !== undefined),
  );
  const isDotted = every(column, (text) => text.includes('.'));
  const order = fitting.length > 1 && isDotted ? 'dmy' : fitting[0];
  if (fitting.length > 1 && !isDotted) {
    const example = quoted(firstValue(column));
    return problems.add(
      `type:${heading}`,
      undefined,
      `${shortened(heading)} holds dates whose day and month cannot be told apart, such as ${example}; set dateOrder: 'dmy' or dateOrder: 'mdy'`,
    );
  }
  const isMissing = missingTest(rules.format);
  if (order === undefined) {
    // Report the values that are wrong in the best order.
    const wrong = orders.map((one) => rowsWhere(column, (text) => readDate(text, one, true) === undefined));
    const fewest = wrong.reduce((best, rows) => (rows.length < best.length ? rows : best));
    for (const row of fewest)
      problems.add(
        `type:${heading}`,
        table.place(row),
        `${shortened(heading)} is ${quoted(table.cell(row, at))}, where a date is needed; write it like 2024-12-31`,
      );
    return undefined;
  }
  let hasTime = false;
  for (let row = 0; row < table.rows && !hasTime; row++) {
    const text = table.cell(row, at);
    hasTime = !isMissing(text) && readDate(text, order, true)?.hasTime === true;
  }
  return { type: 'date', order, hasTime };
}

/** Up to two other number formats in which all values are numbers. */
function formatsOf(column: Column): NumberFormat[] {
  const { format } = column.rules;
  const [example = ''] = column.survey.texts.keys();
  return NUMBER_FORMATS.filter((other) => {
    if (other.decimal === format.decimal && other.thousands === format.thousands) return false;
    const read = numberReader(other);
    return read(example) !== undefined && every(column, (text) => read(text) !== undefined);
  })
    .filter((other, _, all) => other.thousands === null || !isNeedless(other, all, column))
    .slice(0, 2);
}

/** Whether the same format without a group separator reads all values alike. */
function isNeedless(format: NumberFormat, all: readonly NumberFormat[], column: Column): boolean {
  const simpler = all.find(({ decimal, thousands }) => decimal === format.decimal && thousands === null);
  if (simpler === undefined) return false;
  const [read, readSimply] = [numberReader(format), numberReader(simpler)];
  return every(column, (text) => read(text)?.value === readSimply(text)?.value);
}

/** Further options that the signs beside the numbers need. */
function signsFor(column: Column, format: NumberFormat): string {
  const read = numberReader(format);
  const has = (isSo: (number: WrittenNumber) => boolean): boolean =>
    !every(column, (text) => !isSo(read(text) as WrittenNumber));
  const currency =
    !column.rules.currency && has(({ currency }) => currency !== null) ? ', currency: true' : '';
  const percent = !column.rules.percent && has(({ percent }) => percent) ? ', percent: true' : '';
  return `${currency}${percent}`;
}

function valueIn(format: NumberFormat, text: string): number | undefined {
  return numberReader(format)(text)?.value;
}

function every({ table, at, rules }: Column, isSo: (text: string) => boolean): boolean {
  const isMissing = missingTest(rules.format);
  for (let row = 0; row < table.rows; row++) {
    const text = table.cell(row, at);
    if (!isMissing(text) && !isSo(text)) return false;
  }
  return true;
}

function rowsWhere({ table, at, rules }: Column, isSo: (text: string) => boolean): number[] {
  const isMissing = missingTest(rules.format);
  const rows: number[] = [];
  for (let row = 0; row < table.rows; row++) {
    const text = table.cell(row, at);
    if (!isMissing(text) && isSo(text)) rows.push(row);
  }
  return rows;
}

function firstValue({ table, at, rules }: Column): string {
  const isMissing = missingTest(rules.format);
  for (let row = 0; row < table.rows; row++) if (!isMissing(table.cell(row, at))) return table.cell(row, at);
  return '';
}
