/*
 * Decides the types of a table's columns and fits the preprocessing on the training rows.
 */
import { UserError } from '../../errors.js';
import { fitFeature, fitTarget, learnedCategories } from './column-fit.js';
import { type ColumnSurvey, surveyColumn } from './column-survey.js';
import { type ColumnType, decideType } from './column-types.js';
import { type ColumnReading, type ColumnValues, columnValues } from './column-values.js';
import { pause } from './pause.js';
import {
  DATE_PARTS,
  type FeatureColumn,
  type FittedColumn,
  type TablePreprocessing,
} from './preprocessing.js';
import { literal, nearestColumn, type Problems, quoted, shortened } from './problems.js';
import type { RawTable } from './raw-table.js';
import { UNSEEN } from './table-features.js';
import type { TableSettings } from './table-options.js';
import { countRepeated, rowKeys, sidesIn, splitRows } from './table-split.js';

/** A table with its fitted preprocessing. */
export interface FittedTable {
  readonly preprocessing: TablePreprocessing;
  /** Values of the feature columns, in order, and of the target. */
  readonly values: readonly ColumnValues[];
  readonly target: ColumnValues;
  /** Indices of the training rows, and of the held-out rows. */
  readonly train: readonly number[];
  readonly test: readonly number[];
  readonly facts: TableFacts;
}

/** Further facts for the report. */
export interface TableFacts {
  readonly surveys: ReadonlyMap<string, ColumnSurvey>;
  /** Rows left out for a missing feature, and rows left out for a missing target. */
  readonly dropped: number;
  readonly withoutTarget: number;
  /** Whether the hash alone would have left one side of the split empty. */
  readonly isSplitForced: boolean;
  /** Categories that no training row has. */
  readonly unseen: readonly UnseenCategories[];
  /** Held-out rows that are equal to a training row. */
  readonly repeated: number;
}

/** The categories of a column that no training row has. */
interface UnseenCategories {
  readonly name: string;
  readonly values: readonly string[];
  /** Held-out rows with one of them. */
  readonly rows: number;
  readonly isTarget: boolean;
}

/** A column in use. */
interface Used {
  readonly at: number;
  readonly name: string;
  readonly survey: ColumnSurvey;
  readonly type: ColumnType;
}

/**
 * Decides types, splits and fits.
 * @param file how the table's file was read, stored for other files
 * @throws UserError that lists all problems of the table
 */
export async function fitTable(
  table: RawTable,
  settings: TableSettings,
  file: TablePreprocessing['file'],
): Promise<FittedTable> {
  const { problems, source } = table;
  const splitColumn = 'column' in settings.split ? settings.split.column : undefined;
  checkHeadings(table, settings, splitColumn);
  const used = await decideColumns(table, settings, splitColumn);
  const isTestRow = splitColumn === undefined ? undefined : sidesIn(table, splitColumn);
  const target = used.find(({ name }) => name === settings.target);
  const inputs = used.filter(({ name, type }) => name !== settings.target && type.type !== 'empty');
  if (target?.type.type === 'empty' && table.rows > 0)
    problems.add(
      'target',
      undefined,
      `${shortened(target.name)}, the target, has no value in any row; fill it in`,
    );
  if (inputs.length === 0 && problems.isEmpty)
    throw new UserError(
      `${source} has no column besides the target ${settings.target}; add a feature column`,
    );
  const { format } = settings.rules;
  const readings = new Map<Used, ColumnReading>();
  const values = new Map<Used, ColumnValues>();
  for (const column of used) {
    if (column.type.type === 'empty') continue;
    const reading = readingOf(column, settings);
    readings.set(column, reading);
    values.set(column, columnValues(table, column.at, reading, format, problems));
    await pause();
  }
  problems.throwIfAny(source);

  // No problem has been found.
  const goal = target as Used;
  const valuesOf = (column: Used): ColumnValues => values.get(column) as ColumnValues;
  const firstPart = (column: Used): Float64Array => valuesOf(column)[0] as Float64Array;
  const goalValues = firstPart(goal);
  const neededValues = settings.missing === 'drop' ? inputs.map(firstPart) : [];
  const whole: number[] = [];
  let dropped = 0;
  let withoutTarget = 0;
  for (let row = 0; row < table.rows; row++)
    if (Number.isNaN(goalValues[row])) withoutTarget += 1;
    else if (neededValues.some((values) => Number.isNaN(values[row]))) dropped += 1;
    else whole.push(row);
  if (whole.length === 0) throw new UserError(`${source} has no row without a missing value; fill some in`);
  const keyOf = rowKeys(
    table,
    used.flatMap((column) => {
      const [numbers] = values.get(column) ?? [];
      return numbers === undefined
        ? []
        : [{ at: column.at, numbers, isNumber: column.type.type === 'number' }];
    }),
  );
  const split = splitRows(source, whole, keyOf, settings.split, isTestRow);
  const { train } = split;
  // What a column means is fitted on training rows alone: a category that only held-out rows have is unknown to the model.
  const unseen: UnseenCategories[] = [];
  for (const column of [...inputs, goal]) {
    const reading = readings.get(column) as ColumnReading;
    if (reading.type !== 'category') continue;
    const learned = learnedCategories(reading, firstPart(column), train);
    readings.set(column, { ...reading, values: learned.values });
    values.set(column, [learned.places]);
    if (learned.unseen.length === 0) continue;
    const rows = split.test.filter((row) => learned.places[row] === UNSEEN);
    unseen.push({ name: column.name, values: learned.unseen, rows: rows.length, isTarget: column === goal });
  }
  // A class that was never learned cannot be measured.
  const classes = firstPart(goal);
  const test = split.test.filter((row) => goal.type.type !== 'category' || classes[row] !== UNSEEN);
  const fittable = (column: Used) => ({
    reading: readings.get(column) as ColumnReading,
    values: valuesOf(column),
    missing: column.survey.missing,
  });
  const fitted = inputs.map((column) => fitFeature(fittable(column), train, settings, problems));
  problems.throwIfAny(source);
  const features = new Map(inputs.map((column, i) => [column.name, fitted[i] as FeatureColumn]));
  const columns = table.header.map((name): FittedColumn => {
    const feature = features.get(name);
    if (feature !== undefined) return feature;
    if (name === goal.name) return fitTarget(fittable(goal), train, settings);
    if (name === splitColumn) return { name, role: 'split' };
    return {
      name,
      role: 'ignored',
      why: settings.ignore.has(name) ? 'named in ignore' : 'no values',
    };
  });
  return {
    preprocessing: { kind: 'table', version: 1, file, format, missing: settings.missing, columns },
    values: inputs.map(valuesOf),
    target: valuesOf(goal),
    train,
    test,
    facts: {
      surveys: new Map(used.map(({ name, survey }) => [name, survey])),
      dropped,
      withoutTarget,
      isSplitForced: split.isForced,
      unseen,
      repeated: isTestRow === undefined ? 0 : countRepeated(train, test, keyOf),
    },
  };
}

/** Checks for duplicate, missing and unknown headings. */
function checkHeadings(table: RawTable, settings: TableSettings, splitColumn: string | undefined): void {
  const { header, problems } = table;
  const names = new Set(header);
  const twice = new Set(header.filter((heading, i) => header.indexOf(heading) !== i));
  for (const heading of twice)
    problems.add('twice', undefined, `has two columns ${shortened(heading)}; rename one of them`);
  const wanted = new Set([
    settings.target,
    ...settings.ignore,
    ...settings.categories,
    ...settings.dates.keys(),
    ...(splitColumn === undefined ? [] : [splitColumn]),
  ]);
  for (const heading of wanted)
    if (!names.has(heading))
      problems.add(
        'heading',
        undefined,
        `has no column ${shortened(heading)}; ${nearestColumn(heading, header)}${headerHint(header)}`,
      );
  if (settings.ignore.has(settings.target))
    problems.add(
      'heading',
      undefined,
      `${shortened(settings.target)} is both the target and ignored; remove it from ignore`,
    );
  for (const at of table.unnamed) {
    const name = header[at] as string;
    if (!settings.ignore.has(name) && !wanted.has(name))
      problems.add(
        'unnamed',
        undefined,
        `${name} has no heading; add one, or leave it out: ignore: [${literal(name)}]`,
      );
  }
}

/** A hint for a file without a header. */
function headerHint(header: readonly string[]): string {
  const numbers = header.filter((heading) => /^[+-]?[\d.]+$/.test(heading)).length;
  return numbers * 2 > header.length ? ' (the first line holds numbers: add a header line)' : '';
}

async function decideColumns(
  table: RawTable,
  settings: TableSettings,
  splitColumn: string | undefined,
): Promise<Used[]> {
  const { problems } = table;
  const used: Used[] = [];
  for (const [at, name] of table.header.entries()) {
    if (name === splitColumn || settings.ignore.has(name) || table.unnamed.has(at)) continue;
    // Of two columns with the same name, only the first is examined.
    if (table.header.indexOf(name) !== at) continue;
    await pause();
    const survey = surveyColumn(table, at, settings.rules.format);
    const said = settings.categories.has(name) ? 'category' : settings.dates.has(name) ? 'date' : undefined;
    const type = decideType(table, at, survey, settings.rules, said, problems);
    const isEmpty = type?.type === 'empty' && name !== settings.target;
    if (settings.missing === 'refuse' && survey.missing > 0 && !isEmpty) addMissing(table, survey, problems);
    if (name === settings.target && type?.type === 'date')
      problems.add(
        'target',
        undefined,
        `${shortened(name)} holds dates, which cannot be a target; choose a number or a category`,
      );
    if (type !== undefined) used.push({ at, name, survey, type });
  }
  return used;
}

function addMissing(table: RawTable, survey: ColumnSurvey, problems: Problems): void {
  const { heading, missing, firstMissing, missingSpellings, numbers } = survey;
  const rows = missing > 1 ? ` here and in ${missing - 1} other rows` : '';
  const [written] = missingSpellings.filter((spelling) => spelling !== '');
  // In a numeric column, such a word is not a value.
  const keep =
    written === undefined || numbers > 0
      ? ''
      : `; ${quoted(written)} counts as missing; missingValues: { keep: [${literal(written)}] } makes it a value`;
  problems.add(
    `missing:${heading}`,
    table.place(firstMissing ?? 0),
    `${shortened(heading)} is missing${rows}; fill it in, leave such rows out with missing: 'drop', ` +
      `or fill it by missing: 'mean', 'median', 'mostFrequent' or 'category'${keep}`,
  );
}

function readingOf({ name, type }: Used, settings: TableSettings): ColumnReading {
  if (type.type !== 'date') return { name, ...(type as Exclude<ColumnType, { type: 'date' | 'empty' }>) };
  const asked = settings.dates.get(name);
  const parts = asked ?? DATE_PARTS.filter((part) => part !== 'hour' || type.hasTime);
  return { name, type: 'date', order: type.order, parts };
}
