/*
 * The preprocessing of a table: fitted once, on the training rows, and applied unchanged to every other file. It is plain JSON,
 * so a run can store it, and prediction needs neither recipe nor training data.
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';

/** Most columns of a table. */
export const COLUMNS_MAX = 2 ** 16;
/** Most values of a category: each becomes a feature. */
export const CATEGORY_VALUES_MAX = 1024;
/** Most characters of a heading or of a category's value. */
export const NAME_LENGTH_MAX = 1024;

/** How missing values can be handled. */
export const MISSING_MODES = ['refuse', 'drop', 'mean', 'median', 'mostFrequent', 'category'] as const;
/** Parts of a date that can be features. */
export const DATE_PARTS = ['year', 'month', 'dayOfWeek', 'hour'] as const;
/** Orders of year, month and day. */
export const DATE_ORDERS = ['ymd', 'dmy', 'mdy'] as const;

const name = v.pipe(v.string(), v.maxLength(NAME_LENGTH_MAX));
const finite = v.pipe(v.number(), v.finite());
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Scaling of a number: (number - mean) / deviation, or always 0 when the deviation is 0. */
const scaled = {
  mean: finite,
  deviation: v.pipe(finite, v.minValue(0)),
  /** Replaces a missing value; null: missing values are not replaced. */
  fill: v.nullable(finite),
};
/** Signs beside the numbers of a column. */
const written = {
  /** Whether each number has a percent sign and counts hundredths. */
  percent: v.boolean(),
  /** The currency sign that numbers may have; null: none is allowed. */
  currency: v.nullable(v.pipe(v.string(), v.maxLength(8))),
};
const values = v.pipe(v.array(name), v.minLength(1), v.maxLength(CATEGORY_VALUES_MAX));
const base = {
  name,
  /** Rows of the training file without a value. */
  missing: count,
};
/** Whether a further feature marks missing values. */
const hasMissingFeature = v.boolean();

const NumberFeature = v.strictObject({
  ...base,
  role: v.literal('feature'),
  type: v.literal('number'),
  ...written,
  ...scaled,
  hasMissingFeature,
});
const CategoryFeature = v.strictObject({
  ...base,
  role: v.literal('feature'),
  type: v.literal('category'),
  /** In the order of their features. */
  values,
  fill: v.nullable(name),
  hasMissingFeature,
});
const DateFeature = v.strictObject({
  ...base,
  role: v.literal('feature'),
  type: v.literal('date'),
  order: v.picklist(DATE_ORDERS),
  parts: v.pipe(
    v.array(v.strictObject({ part: v.picklist(DATE_PARTS), ...scaled })),
    v.minLength(1),
    v.maxLength(DATE_PARTS.length),
  ),
  hasMissingFeature,
});
const NumberTarget = v.strictObject({
  ...base,
  role: v.literal('target'),
  type: v.literal('number'),
  ...written,
  /** Statistics of the training rows. */
  mean: finite,
  deviation: v.pipe(finite, v.minValue(0)),
  /** Whether the network learns (number - mean) / deviation instead of the number; see predictedValues. */
  isStandardized: v.boolean(),
});
const CategoryTarget = v.strictObject({
  ...base,
  role: v.literal('target'),
  type: v.literal('category'),
  /** The classes by number. */
  values,
});
/** The column that names the held-out rows. */
const SplitColumn = v.strictObject({ name, role: v.literal('split') });
const IgnoredColumn = v.strictObject({ name, role: v.literal('ignored'), why: v.string() });

const ColumnSchema = v.variant('role', [
  v.variant('type', [NumberFeature, CategoryFeature, DateFeature]),
  v.variant('type', [NumberTarget, CategoryTarget]),
  SplitColumn,
  IgnoredColumn,
]);

/** The notation of all cells. */
const CellFormatSchema = v.strictObject({
  /** Decimal separator. */
  decimal: v.picklist(['.', ',']),
  /** Separator between groups of three digits; null: none is allowed. */
  thousands: v.nullable(v.picklist([',', '.', ' ', "'", '_'])),
  /** Texts that count as missing, besides an empty cell. */
  missingValues: v.pipe(v.array(name), v.maxLength(1024)),
});

/** Schema of fitted preprocessing. */
const TablePreprocessingSchema = v.pipe(
  v.strictObject({
    kind: v.literal('table'),
    version: v.literal(1),
    /** How the training file was read. A byte order mark or a `sep=` line in a file overrides it. */
    file: v.strictObject({
      delimiter: v.nullable(v.pipe(v.string(), v.minLength(1), v.maxLength(8))),
      encoding: v.nullable(v.pipe(v.string(), v.maxLength(64))),
    }),
    format: CellFormatSchema,
    missing: v.picklist(MISSING_MODES),
    /** All columns of the training file in order: features, target and ignored ones. */
    columns: v.pipe(v.array(ColumnSchema), v.maxLength(COLUMNS_MAX)),
  }),
  v.check(
    ({ columns }) => columns.filter(({ role }) => role === 'target').length === 1,
    'exactly one column is the target',
  ),
  v.check(({ columns }) => columns.some(({ role }) => role === 'feature'), 'no column is a feature'),
  v.check(
    ({ columns }) => new Set(columns.map(({ name }) => name)).size === columns.length,
    'two columns have the same name',
  ),
);

/** Fitted preprocessing of a table. */
export type TablePreprocessing = v.InferOutput<typeof TablePreprocessingSchema>;
export type CellFormat = v.InferOutput<typeof CellFormatSchema>;
export type FittedColumn = TablePreprocessing['columns'][number];
export type FeatureColumn = Extract<FittedColumn, { role: 'feature' }>;
export type TargetColumn = Extract<FittedColumn, { role: 'target' }>;
export type MissingMode = TablePreprocessing['missing'];
export type DatePart = (typeof DATE_PARTS)[number];
export type DateOrder = (typeof DATE_ORDERS)[number];

/**
 * Validates fitted preprocessing that was read from a file.
 * @param source named in the error
 * @throws UserError that names the malformed part
 */
export function parseTablePreprocessing(value: unknown, source: string): TablePreprocessing {
  const { success, output, issues } = v.safeParse(TablePreprocessingSchema, value);
  if (success) return output;
  const path = v.getDotPath(issues[0]);
  throw new UserError(
    `${source} has no valid preprocessing of a table: ${path === null ? '' : `${path}: `}${issues[0].message}; ` +
      'take it from an undamaged run',
  );
}

/** The feature columns, in the order of their features. */
export function featureColumns({ columns }: TablePreprocessing): FeatureColumn[] {
  return columns.filter((column): column is FeatureColumn => column.role === 'feature');
}

/** The target column. */
export function targetColumn({ columns }: TablePreprocessing): TargetColumn {
  // The schema guarantees one.
  return columns.find((column): column is TargetColumn => column.role === 'target') as TargetColumn;
}

/** The class names by number; undefined for a numeric target. */
export function classNames(preprocessing: TablePreprocessing): readonly string[] | undefined {
  const target = targetColumn(preprocessing);
  return target.type === 'category' ? target.values : undefined;
}

/** Names of date parts in feature names. */
export const PART_NAMES: Readonly<Record<DatePart, string>> = {
  year: 'year',
  month: 'month',
  dayOfWeek: 'day of week',
  hour: 'hour',
};

/** The names of all features, in order: the heading, with the value of a category or the part of a date. */
export function featureNames(preprocessing: TablePreprocessing): string[] {
  return featureColumns(preprocessing).flatMap((column) => {
    const names = namesOf(column);
    if (!column.hasMissingFeature) return names;
    return [
      ...names,
      column.type === 'category' ? `${column.name} = (missing)` : `${column.name} is missing`,
    ];
  });
}

function namesOf(column: FeatureColumn): string[] {
  switch (column.type) {
    case 'number':
      return [column.name];
    case 'category':
      return column.values.map((value) => `${column.name} = ${value}`);
    case 'date':
      return column.parts.map(({ part }) => `${column.name} ${PART_NAMES[part]}`);
  }
}

/**
 * Converts a network's outputs to the units of the table: reverses the scaling of a standardised target, and returns other
 * outputs unchanged.
 */
export function predictedValues(preprocessing: TablePreprocessing, outputs: Float32Array): Float32Array {
  const target = targetColumn(preprocessing);
  if (target.type !== 'number' || !target.isStandardized) return outputs;
  const { mean, deviation } = target;
  return outputs.map((output) => output * deviation + mean);
}
