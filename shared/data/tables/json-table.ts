/*
 * Rows of a table that are given as JSON, so that a prediction needs no file in the format of the training data.
 */
import { UserError } from '../../errors.js';
import {
  type FeatureColumn,
  featureColumns,
  featureNames,
  type TablePreprocessing,
} from './preprocessing.js';
import type { RawTable } from './raw-table.js';
import { tableOfRows } from './table.js';

/**
 * A table out of a JSON value, in one of these forms. Numbers are in the units of the table.
 *
 *     [{ "rooms": 3, "place": "town" }, ...]        an object for each row; other names are left out
 *     { "features": [[3, "town"], ...] }            the columns that features are made of, in their order
 *     { "features": [[3, 0, 0, 1], ...] }           the features in their order: a 1 among zeros for a category
 *
 * @param source what messages name
 * @throws UserError that names the row and the remedy
 */
export function tableOfJson(source: string, value: unknown, preprocessing: TablePreprocessing): RawTable {
  const columns = featureColumns(preprocessing);
  const header = columns.map(({ name }) => name);
  if (isRecord(value) && Array.isArray(value.features)) {
    const { features } = value;
    // A single row needs no brackets of its own.
    const rows = features.every((row) => !Array.isArray(row)) ? [features] : features;
    const cells = rows.map((row, i) => listedCells(row, `${source}: row ${i + 1}`, columns, preprocessing));
    return tableOfRows(source, header, notEmpty(cells, source));
  }
  const objects = Array.isArray(value) ? value : [value];
  const rows = objects.map((row, i) => {
    const place = `${source}: row ${i + 1}`;
    if (!isRecord(row))
      throw new UserError(`${place} is not an object; write {"${header[0]}": ..., ...} for each row`);
    return columns.map((column) => {
      if (!Object.hasOwn(row, column.name))
        throw new UserError(
          `${place} has no "${column.name}", which was learned from; add it, as null if it is missing`,
        );
      return cellOf(row[column.name], column, preprocessing, place);
    });
  });
  return tableOfRows(source, header, notEmpty(rows, source));
}

function notEmpty(rows: string[][], source: string): string[][] {
  if (rows.length === 0) throw new UserError(`${source} has no rows; give it some`);
  return rows;
}

function listedCells(
  row: unknown,
  place: string,
  columns: readonly FeatureColumn[],
  preprocessing: TablePreprocessing,
): string[] {
  const features = featureNames(preprocessing).length;
  if (!Array.isArray(row)) throw new UserError(`${place} is not a list; write {"features": [[...], ...]}`);
  if (row.length === columns.length)
    return columns.map((column, i) => cellOf(row[i], column, preprocessing, place));
  if (row.length !== features)
    throw new UserError(
      `${place} has ${row.length} values; give the ${columns.length} of its columns (${columns.map(({ name }) => name).join(', ')})` +
        `${features === columns.length ? '' : `, or its ${features} features`}`,
    );
  let at = 0;
  return columns.map((column) => {
    if (column.type === 'date' || column.hasMissingFeature)
      throw new UserError(
        `${place}: ${column.name} cannot be given as features; give the ${columns.length} values of the columns instead`,
      );
    if (column.type === 'number') return cellOf(row[at++], column, preprocessing, place);
    const places = row.slice(at, at + column.values.length);
    at += column.values.length;
    const one = places.indexOf(1);
    if (one < 0 || places.some((value, i) => value !== (i === one ? 1 : 0)))
      throw new UserError(
        `${place}: ${column.name} has ${column.values.length} values, so its features are a 1 among zeros`,
      );
    return column.values[one] as string;
  });
}

/** A JSON value as a cell of the table has it. */
function cellOf(
  value: unknown,
  column: FeatureColumn,
  { format }: TablePreprocessing,
  place: string,
): string {
  if (value === null) return '';
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'boolean') return String(value);
  if (typeof value !== 'number')
    throw new UserError(`${place}: ${column.name} is neither a number nor a text; correct it`);
  if (column.type !== 'number') {
    if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return String(value);
    throw new UserError(
      `${place}: ${column.name} is ${value}, a number of which JSON may have lost digits; write it as a text: "..."`,
    );
  }
  // In a column with percent signs 0.12 is 12%. A decimal exponent is exact where a product is not.
  const written = column.percent
    ? `${/e/.test(String(value)) ? value * 100 : Number(`${value}e2`)}%`
    : String(value);
  return written.replace('.', format.decimal);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
