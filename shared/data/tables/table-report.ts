/*
 * Reports what was decided about a table, with one line per column.
 */
import { lookAlikeNotes, sameNumberNotes } from '../look-alikes.js';
import { type ColumnSurvey, DIFFERENT_NUMBERS_MAX } from './column-survey.js';
import { utcOffsetOf } from './date-text.js';
import { numberReader } from './number-text.js';
import {
  type DateOrder,
  type FittedColumn,
  PART_NAMES,
  type TablePreprocessing,
  targetColumn,
} from './preprocessing.js';
import { listed, literal, quoted, shortened } from './problems.js';
import type { RawTable } from './raw-table.js';
import type { FittedTable } from './table-fit.js';
import { totalRowNotes } from './total-row.js';

const ORDER_NAMES: Readonly<Record<DateOrder, string>> = {
  ymd: 'year-month-day',
  dmy: 'day-month-year',
  mdy: 'month-day-year',
};
/** Most columns with a line of their own. */
const COLUMNS_MAX = 60;
/** Most notes about columns. */
const NOTES_MAX = 10;

/** The report: types, missing values and their handling, split and notes. */
export function describeTable(table: RawTable, fitted: FittedTable, split: 'hash' | 'column'): string[] {
  const { preprocessing, facts, train, test } = fitted;
  const { columns } = preprocessing;
  const lines = [`${table.source}: ${counted(table.rows, 'row')}, ${counted(columns.length, 'column')}`];
  lines.push(...describeColumns(preprocessing, facts.surveys));
  const { dropped, withoutTarget } = facts;
  if (dropped > 0) lines.push(`  ${counted(dropped, 'row')} with a missing value left out (missing: 'drop')`);
  if (withoutTarget > 0) lines.push(`  ${counted(withoutTarget, 'row')} without a target left out`);
  const how = split === 'column' ? 'by a column' : 'by a hash of each row';
  lines.push(`  ${counted(train.length, 'training row')}, ${test.length} held out ${how}`);
  if (test.length === 0)
    lines.push('  note: no row is held out, so nothing but the training loss is measured');
  if (facts.isSplitForced)
    lines.push(
      '  note: with so few rows the hash leaves one side empty, so at least one row is placed there; test metrics mean little',
    );
  for (const { name, values, rows, isTarget } of facts.unseen) {
    const found = `no training row has ${shortened(name)} ${listed(values, 6)}, so the model does not know it`;
    const those = `${counted(rows, 'held-out row')} with it`;
    lines.push(
      isTarget
        ? `  note: ${found}; ${those} left out`
        : `  note: ${found}; ${those} measured with none of the features of ${shortened(name)} set; predict refuses such rows`,
    );
  }
  if (facts.repeated > 0)
    lines.push(
      `  note: ${counted(facts.repeated, 'held-out row')} ${facts.repeated === 1 ? 'equals' : 'equal'} a training row, by the split column`,
    );
  lines.push(
    ...[...table.notes, ...totalRowNotes(table), ...notesOf(fitted)].map((note) => `  note: ${note}`),
  );
  return lines;
}

/**
 * How large an error of 1 is in the units of the table, such as "37030 €"; undefined where the network learns those units, or
 * classes.
 */
export function learnedUnit(preprocessing: TablePreprocessing): string | undefined {
  const target = targetColumn(preprocessing);
  if (target.type !== 'number' || !target.isStandardized || target.deviation === 0) return undefined;
  return `${round(target.deviation)}${target.currency === null || target.currency === '()' ? '' : ` ${target.currency}`}`;
}

/** A line per column, up to a bound. */
function describeColumns(
  preprocessing: TablePreprocessing,
  surveys: ReadonlyMap<string, ColumnSurvey>,
): string[] {
  const { columns, missing } = preprocessing;
  const unit = learnedUnit(preprocessing);
  const shown = columns.slice(0, COLUMNS_MAX);
  const width = Math.max(...shown.map(({ name }) => shortened(name).length));
  const lines = shown.map(
    (column) =>
      `  ${shortened(column.name).padEnd(width)}  ${describeColumn(column, { missing, unit }, surveys.get(column.name))}`,
  );
  const rest = columns.slice(COLUMNS_MAX);
  if (rest.length === 0) return lines;
  const kinds = new Map<string, number>();
  for (const column of rest) {
    const kind = 'type' in column ? column.type : column.role;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const parts = [...kinds].map(([kind, count]) => `${count} ${kind}`);
  return [...lines, `  and ${counted(rest.length, 'more column')}: ${parts.join(', ')}`];
}

function describeColumn(
  column: FittedColumn,
  { missing, unit }: { missing: TablePreprocessing['missing']; unit: string | undefined },
  survey: ColumnSurvey | undefined,
): string {
  if (column.role === 'split') return 'names the held-out rows';
  if (column.role === 'ignored') return `ignored: ${column.why}`;
  const parts = [kindOf(column)];
  if (column.role === 'target')
    parts.push(unit === undefined ? 'target' : `target, learned in deviations: an error of 1 is ${unit}`);
  if (column.missing > 0) parts.push(describeMissing(column, missing, survey));
  return parts.join(', ');
}

function kindOf(column: Exclude<FittedColumn, { role: 'split' | 'ignored' }>): string {
  switch (column.type) {
    case 'number': {
      const brackets = column.currency === '()' ? ', negative ones in brackets' : undefined;
      const currency = brackets ?? (column.currency === null ? '' : ` in ${column.currency}`);
      const sign = column.percent ? ' of percent' : currency;
      if (column.deviation === 0 && column.role === 'feature')
        return `number${sign}, constant ${round(column.mean)}, scaled to 0`;
      if (column.role === 'feature' && column.mean === 0 && column.deviation === 1)
        return `number${sign}, not scaled`;
      return `number${sign}, mean ${round(column.mean)}, deviation ${round(column.deviation)}`;
    }
    case 'category':
      return `category of ${column.values.length} (${listed(column.values, 6)})`;
    case 'date': {
      const parts = column.parts.map(({ part, mean }) => `${PART_NAMES[part]} ${round(mean)}`);
      return `date (${ORDER_NAMES[column.order]}), means: ${parts.join(', ')}`;
    }
  }
}

function describeMissing(
  column: Exclude<FittedColumn, { role: 'split' | 'ignored' }>,
  missing: TablePreprocessing['missing'],
  survey: ColumnSurvey | undefined,
): string {
  const spellings =
    survey?.missingSpellings.map((spelling) => (spelling === '' ? 'empty' : shortened(spelling))) ?? [];
  const written = spellings.length === 0 ? '' : ` (${spellings.join(', ')})`;
  return `${column.missing} missing${written}${column.role === 'feature' ? remedyFor(column, missing) : ''}`;
}

function remedyFor(
  column: Extract<FittedColumn, { role: 'feature' }>,
  missing: TablePreprocessing['missing'],
): string {
  if (missing === 'drop' || missing === 'refuse') return '';
  if (column.type === 'category')
    return column.fill === null ? ', a category of its own' : `, filled with ${shortened(column.fill)}`;
  const fills = (column.type === 'date' ? column.parts : [column]).map(({ fill }) => round(fill ?? 0));
  return `, filled with ${fills.join(', ')}${column.hasMissingFeature ? ' and marked' : ''}`;
}

/** Decisions that the user may not have meant. */
function notesOf({ preprocessing, facts, target: [values], train }: FittedTable): string[] {
  const notes: string[] = [];
  for (const column of preprocessing.columns) {
    const survey = facts.surveys.get(column.name);
    if (survey === undefined || !('type' in column)) continue;
    const name = shortened(column.name);
    if (column.type === 'number') notes.push(...survey.suspects.notes(column.name));
    else if (column.type === 'category') {
      notes.push(...lookAlikeNotes(`${name} has categories`, survey.texts.keys()));
      notes.push(
        ...sameNumberNotes(`${name} has categories`, column.values, numberReader(preprocessing.format)),
      );
      if (column.role === 'feature') notes.push(...orderNotes(name, column.values));
    } else notes.push(...offsetNotes(name, survey.texts.keys()));
  }
  const goal = targetColumn(preprocessing);
  const survey = facts.surveys.get(goal.name);
  if (goal.type === 'number' && survey !== undefined) {
    const different = [...survey.differentNumbers].sort((a, b) => a - b);
    if (different.length === 1)
      notes.push(`the target is ${different[0]} in every row, so there is nothing to learn`);
    else if (
      survey.areWhole &&
      different.length <= DIFFERENT_NUMBERS_MAX &&
      different.length * 2 <= survey.numbers
    )
      notes.push(
        `${shortened(goal.name)} holds ${different.length} whole numbers (${listed(different.map(String))}) and is a numeric target; ` +
          `if these are classes, set categories: [${literal(goal.name)}]`,
      );
  }
  notes.push(...headingNotes(preprocessing.columns.map(({ name }) => name)));
  if (goal.type === 'category') notes.push(...sharesOf(goal.values, values as Float64Array, train));
  const more = notes.length - NOTES_MAX;
  return more > 0 ? [...notes.slice(0, NOTES_MAX), `and ${more} more`] : notes;
}

/** Texts whose order is lost when they become categories. */
const ORDERED: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/^\d{1,3}:\d{2}(:\d{2}([.,]\d+)?)?$/, 'times'],
  [/^P(?=\d|T\d)(\d+[YMWD])*(T(\d+(\.\d+)?[HMS])+)?$/, 'durations'],
  [
    /^(\d+([.,]\d+)? ?(d|h|m|min|s|sec|days?|hours?|minutes?|seconds?),? ?){1,4}(\d{1,2}:\d{2}(:\d{2})?)?$/i,
    'durations',
  ],
  [/^[+-]?\d{1,3} ?\u00b0.*[NSEWO]?$/, 'angles'],
  [/^\[.*\]$|^\(.*,.*\)$|^\{.*\}$/s, 'lists or records'],
  [/^\d{4}(-|\/|\.| |)(\d{1,2}|[QHqh]\d|[Ww]\d{1,2})$/, 'months, quarters or weeks'],
  [/^\d+([.,]\d+)?\/\d+([.,]\d+)?$/, 'fractions'],
  [/^[\d.,]+\s*(-|\u2013|to|\.\.)\s*[\d.,]+$/, 'ranges'],
  [/^[+-]?[\d.]+[dDqQ][+-]?\d+$/, 'numbers with the exponents of Fortran,'],
  [/^0[xX][\da-fA-F]+$/, 'hexadecimal numbers'],
  [/^[\d.,]*\d-$/, 'numbers with the sign behind them,'],
  [/^(='?"?|')[+-]?[\d.,]+"?$/, 'numbers in quotes'],
  [/^[+-]?[\d.,]*\d\s*[\p{L}\u00b0\u00b5%\u2030]{1,8}$/u, 'numbers with units'],
];

function orderNotes(name: string, values: readonly string[]): string[] {
  const found = ORDERED.find(([pattern]) => values.every((value) => pattern.test(value)));
  if (found === undefined || values.length < 3) return [];
  return [
    `${name} holds ${found[1]} such as ${quoted(values[0] as string)} as categories, so their order is lost; if it matters, ` +
      'write them as numbers',
  ];
}

/** A note about headings that look like values: a file without a header line. */
function headingNotes(names: readonly string[]): string[] {
  const read = numberReader({ decimal: '.', thousands: null });
  const numbers = names.map((name) => read(name)?.value);
  const fraction = names[numbers.findIndex((value) => value !== undefined && !Number.isInteger(value))];
  const [first, ...others] = numbers;
  const areNumbered =
    (first === 0 || first === 1) && others.every((value, i) => value === (first as number) + i + 1);
  const example = fraction ?? (numbers.includes(undefined) || areNumbered ? undefined : names[0]);
  if (example === undefined) return [];
  return [
    `the heading ${quoted(example)} is a number; if the first line is a row like the others, put a line with headings before it`,
  ];
}

function offsetNotes(name: string, texts: Iterable<string>): string[] {
  const offsets = new Set<string>();
  for (const text of texts) {
    const offset = utcOffsetOf(text);
    if (offset !== undefined) offsets.add(offset);
  }
  if (offsets.size < 2) return [];
  return [
    `${name} has times with different UTC offsets (${listed([...offsets].sort(), 6)}); the hour is the one that is written, so ` +
      'equal hours are different times; bring them to one offset if it matters',
  ];
}

/** A note about the most frequent class, when it dominates. */
function sharesOf(classes: readonly string[], values: Float64Array, rows: readonly number[]): string[] {
  const counts = new Float64Array(classes.length);
  for (const row of rows) {
    const place = values[row] as number;
    counts[place] = (counts[place] as number) + 1;
  }
  const most = counts.reduce((best, count, i) => (count > (counts[best] as number) ? i : best), 0);
  const share = (counts[most] as number) / rows.length;
  if (classes.length < 2) return ['the target has a single class, so there is nothing to learn'];
  if (share < 0.75) return [];
  return [
    `${percent(share)} of the training rows are ${shortened(classes[most] as string)}: always predicting it reaches that accuracy; classWeights of the loss make rare classes count more, and --metrics f1,auc shows them`,
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

function round(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
