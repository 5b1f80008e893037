/*
 * Applies fitted preprocessing to the rows of another file. Nothing is fitted here.
 */
import { UserError } from '../../errors.js';
import { sha256Hex } from '../../files/sha256.js';
import { type Dataset, packDataset } from '../dataset.js';
import { type ColumnReading, type ColumnValues, columnValues } from './column-values.js';
import { pause } from './pause.js';
import {
  type FeatureColumn,
  featureColumns,
  type TablePreprocessing,
  type TargetColumn,
  targetColumn,
} from './preprocessing.js';
import { nearestColumn, shortened } from './problems.js';
import type { RawTable } from './raw-table.js';
import { featuresOf, widthOf } from './table-features.js';
import { unlikeTraining } from './unlike-training.js';

/** Most numbers in the features of a table: rows times features. */
const FEATURES_MAX = 2 ** 28;

/** The features of another file. */
export interface AppliedTable {
  /** [kept.length, features] */
  readonly features: Float32Array;
  /** Their row indices: `missing: 'drop'` leaves rows out. */
  readonly kept: readonly number[];
  /** Counts of missing values, for the user. */
  readonly notes: readonly string[];
}

/**
 * Computes the features of a table. Other columns, such as the target, are not needed.
 * @throws UserError that lists all problems of the table
 */
export async function applyPreprocessing(
  preprocessing: TablePreprocessing,
  table: RawTable,
): Promise<AppliedTable> {
  const columns = featureColumns(preprocessing);
  const { values, kept, notes } = await readColumns(preprocessing, table, columns);
  checkSize(table.source, columns, kept.length);
  const features = featuresOf(columns, values, kept);
  checkFinite(table, columns, features, kept);
  return { features, kept, notes };
}

/** The features and targets of another file. */
export interface AppliedDataset extends Omit<AppliedTable, 'features'> {
  /** Fields `features` and `target`, as in the training data. */
  readonly dataset: Dataset;
}

/**
 * Computes the features and targets of all rows of a table.
 * @param name name of the data set
 * @throws UserError that lists all problems of the table
 */
export async function applyWithTarget(
  preprocessing: TablePreprocessing,
  table: RawTable,
  name: string,
): Promise<AppliedDataset> {
  const columns = featureColumns(preprocessing);
  const target = targetColumn(preprocessing);
  const { values, kept, notes } = await readColumns(preprocessing, table, [...columns, target]);
  const dataset = packRows(
    name,
    table,
    { columns, target, values: values.slice(0, -1), goal: values.at(-1) as ColumnValues },
    kept,
  );
  return { dataset, kept, notes };
}

/** Columns with their values. */
interface KnownColumns {
  readonly columns: readonly FeatureColumn[];
  readonly target: TargetColumn;
  /** Values of the feature columns, and of the target. */
  readonly values: readonly ColumnValues[];
  readonly goal: ColumnValues;
}

/**
 * Packs rows as a data set. Fields: `features` (f32 [n]) and `target`, class numbers (i32 []) or numbers (f32 [1]).
 * @throws UserError when the data set does not fit in memory, or a feature in a float32
 */
export function packRows(
  name: string,
  table: RawTable,
  { columns, target, values, goal }: KnownColumns,
  rows: readonly number[],
): Dataset {
  checkSize(table.source, columns, rows.length);
  const features = featuresOf(columns, values, rows);
  checkFinite(table, columns, features, rows);
  const [numbers] = goal as readonly [Float64Array];
  const isClass = target.type === 'category';
  const targets = isClass ? new Int32Array(rows.length) : new Float32Array(rows.length);
  const scaled = (number: number): number => {
    if (target.type === 'category' || !target.isStandardized) return number;
    return target.deviation === 0 ? 0 : (number - target.mean) / target.deviation;
  };
  rows.forEach((row, i) => {
    targets[i] = scaled(numbers[row] as number);
  });
  const same = { scale: 1, shift: 0 } as const;
  return packDataset(
    name,
    rows.length,
    {
      features: {
        dtype: 'f32',
        shape: [features.length / rows.length],
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

async function readColumns(
  preprocessing: TablePreprocessing,
  table: RawTable,
  columns: readonly (FeatureColumn | TargetColumn)[],
): Promise<{
  readonly values: readonly ColumnValues[];
  readonly kept: readonly number[];
  readonly notes: readonly string[];
}> {
  const { problems, source } = table;
  const { format, missing } = preprocessing;
  const values: (ColumnValues | undefined)[] = [];
  for (const column of columns) {
    await pause();
    values.push(valuesIn(table, column, format));
  }
  const isHole = (row: number, c: number): boolean =>
    Number.isNaN((values[c]?.[0] as Float64Array | undefined)?.[row] ?? 0);
  // An unreadable cell is NaN as well, and is already reported.
  const isSound = problems.isEmpty;
  const kept: number[] = [];
  const holes = columns.map(() => 0);
  let dropped = 0;
  for (let row = 0; row < table.rows; row++) {
    let isWhole = true;
    for (const [c, column] of columns.entries()) {
      if (!isHole(row, c)) continue;
      if (isFilled(column)) {
        holes[c] = (holes[c] as number) + 1;
        continue;
      }
      isWhole = false;
      const isLeftOut = missing === 'drop' || (column.role === 'target' && missing !== 'refuse');
      if (!isLeftOut && isSound)
        problems.add(`missing:${column.name}`, table.place(row), refusal(column, missing));
    }
    if (isWhole) kept.push(row);
    else dropped += 1;
  }
  problems.throwIfAny(source);
  if (kept.length === 0) throw new UserError(`${source} has no row without a missing value; fill some in`);
  const notes = columns.flatMap((column, c) =>
    (holes[c] as number) > 0
      ? [`${shortened(column.name)}: ${holes[c]} missing, treated as in training`]
      : [],
  );
  if (dropped > 0) notes.push(`${dropped} of ${table.rows} rows left out for a missing value`);
  const known = values as readonly ColumnValues[];
  return { values: known, kept, notes: [...notes, ...unlikeTraining(columns, known, kept)] };
}

/** The values of a column; undefined when the table does not have it. */
function valuesIn(
  table: RawTable,
  column: FeatureColumn | TargetColumn,
  format: TablePreprocessing['format'],
): ColumnValues | undefined {
  const { header, problems } = table;
  const at = header.indexOf(column.name);
  const name = shortened(column.name);
  if (at < 0)
    return problems.add(
      'heading',
      undefined,
      `has no column ${name}, which is ${column.role === 'target' ? 'the target that predictions are compared with' : 'a feature of the model'}; ${nearestColumn(column.name, header)}`,
    );
  if (header.includes(column.name, at + 1))
    return problems.add('heading', undefined, `has two columns ${name}; rename one of them`);
  return columnValues(table, at, readingOf(column), format, problems);
}

function refusal(column: FeatureColumn | TargetColumn, missing: TablePreprocessing['missing']): string {
  const name = shortened(column.name);
  return missing === 'refuse'
    ? `${name} is missing; fill it in, or train with missing: 'median' (or 'mean', 'mostFrequent', 'category')`
    : `${name} is missing, but never was in the training data; fill it in`;
}

/** Whether missing values of a column are replaced or marked. */
function isFilled(column: FeatureColumn | TargetColumn): boolean {
  if (column.role === 'target') return false;
  if (column.hasMissingFeature) return true;
  return (column.type === 'date' ? column.parts : [column]).every(({ fill }) => fill !== null);
}

function readingOf(column: FeatureColumn | TargetColumn): ColumnReading {
  if (column.type !== 'date') return column;
  return { ...column, parts: column.parts.map(({ part }) => part) };
}

function checkSize(source: string, columns: readonly FeatureColumn[], rows: number): void {
  const width = columns.reduce((sum, column) => sum + widthOf(column), 0);
  if (width * rows <= FEATURES_MAX) return;
  const widest = columns.reduce((best, column) => (widthOf(column) > widthOf(best) ? column : best));
  throw new UserError(
    `${source}: ${rows} rows of ${width} features are more than the ${FEATURES_MAX} numbers that fit in memory; ` +
      `remove rows or columns: ${shortened(widest.name)} alone makes ${widthOf(widest)} features`,
  );
}

/** @throws UserError that names the row and the column of a feature that overflows float32 */
function checkFinite(
  table: RawTable,
  columns: readonly FeatureColumn[],
  features: Float32Array,
  rows: readonly number[],
): void {
  const wrong = features.findIndex((feature) => !Number.isFinite(feature));
  if (wrong < 0) return;
  const width = features.length / rows.length;
  let at = wrong % width;
  const column = columns.find((one) => {
    at -= widthOf(one);
    return at < 0;
  }) as FeatureColumn;
  throw new UserError(
    `${table.source} ${table.place(rows[Math.floor(wrong / width)] as number)}: ${shortened(column.name)} is too far from the ` +
      'training data for a float32 feature; fix it, or leave the column out',
  );
}
