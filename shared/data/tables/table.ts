/*
 * Converts tables to data sets with one sample per row. One column is the target.
 */
import { type Dataset, nameAfter } from '../dataset.js';
import {
  classNames,
  featureColumns,
  featureNames,
  type TablePreprocessing,
  targetColumn,
} from './preprocessing.js';
import { Problems } from './problems.js';
import { type RawTable, TableBuilder } from './raw-table.js';
import { packRows } from './table-apply.js';
import { fitTable } from './table-fit.js';
import { type TableOptions, type TableSettings, tableSettings } from './table-options.js';
import { describeTable } from './table-report.js';

/** A table as training data. */
export interface TableData {
  /**
   * Fields: `features` (f32 [n]) and `target`, class numbers (i32 []) for a categorical column and numbers (f32 [1])
   * otherwise.
   */
  readonly train: Dataset;
  /** The held-out rows; left out when there are none. */
  readonly test?: Dataset;
  /** Names of the features in order: the heading, followed by `= value` for a category. */
  readonly features: readonly string[];
  /** Class names by number, for a categorical target. */
  readonly classes?: readonly string[];
  /** The fitted preprocessing as plain JSON, to apply to other files. */
  readonly preprocessing: TablePreprocessing;
  /** What was decided, with one line per column. */
  readonly notes: readonly string[];
}

/**
 * Converts a table of text to a data set. All values of a column decide its type. Categories are one-hot encoded, in the
 * order of code points. Means and deviations are those of the training rows, summed in order in float64: the same bits on
 * every machine.
 * @throws UserError that lists all problems of the table
 */
export function tableData(table: RawTable, options: TableOptions): Promise<TableData> {
  return fittedData(table, tableSettings('tableData()', options), { delimiter: null, encoding: null });
}

/** The same with validated options. @param file how the table's file was read */
export async function fittedData(
  table: RawTable,
  settings: TableSettings,
  file: TablePreprocessing['file'],
): Promise<TableData> {
  const fitted = await fitTable(table, settings, file);
  const { preprocessing } = fitted;
  const columns = featureColumns(preprocessing);
  const known = {
    columns,
    target: targetColumn(preprocessing),
    values: fitted.values,
    goal: fitted.target,
  };
  const name = nameOf(table);
  const classes = classNames(preprocessing);
  return {
    train: packRows(`${name}-train`, table, known, fitted.train),
    ...(fitted.test.length > 0 && { test: packRows(`${name}-test`, table, known, fitted.test) }),
    features: featureNames(preprocessing),
    ...(classes && { classes }),
    preprocessing,
    notes: describeTable(table, fitted, 'column' in settings.split ? 'column' : 'hash'),
  };
}

/** Name of the data set of a table: that of its file. */
export function nameOf({ source }: RawTable): string {
  const [file = ''] = (source.split(/[/\\]/).at(-1) ?? '').split('.');
  return nameAfter(file, 'table');
}

/**
 * Makes a table of rows in memory.
 * @param source named in messages
 * @throws UserError when the rows are too many
 */
export function tableOfRows(
  source: string,
  header: readonly string[],
  rows: readonly (readonly string[])[],
): RawTable {
  const builder = new TableBuilder(source, header);
  for (const [i, row] of rows.entries()) builder.add(row, i + 1);
  const file = { delimiter: null, encoding: null };
  return builder.build({ problems: new Problems(), notes: [], file }, 'row');
}
