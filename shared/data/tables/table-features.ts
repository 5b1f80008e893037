/*
 * Converts column values to features.
 */
import { squareRoot } from '../../arithmetic/square-root.js';
import type { ColumnValues } from './column-values.js';
import type { FeatureColumn } from './preprocessing.js';

/** Scaling of a number: (number - mean) / deviation. A deviation of 0 makes every number 0. */
export interface Scale {
  readonly mean: number;
  readonly deviation: number;
}

/** The scale that leaves numbers unchanged. */
export const AS_IT_IS: Scale = { mean: 0, deviation: 1 };

/** In place of the index of a category that no training row has: none of the column's features is set. */
export const UNSEEN = -1;

/** Largest relative difference that counts as rounding: 16 units in the last place. */
const ROUNDING = 2 ** -48;

/**
 * Mean and deviation of numbers, summed in order in float64: the same bits on every machine.
 * @param numbers at least one
 */
export function scaleOf(numbers: readonly number[] | Float64Array): Scale {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (const number of numbers) {
    if (number < least) least = number;
    if (number > most) most = number;
    sum += number;
  }
  // The mean of equal numbers may differ from them by rounding, and scaling would turn the difference into 1.
  if (most - least <= ROUNDING * Math.max(Math.abs(least), Math.abs(most)))
    return { mean: least + 0, deviation: 0 };
  const mean = sum / numbers.length;
  let squares = 0;
  for (const number of numbers) squares += (number - mean) * (number - mean);
  const variance = squares / numbers.length;
  // The squares of tiny numbers may be 0.
  return { mean, deviation: variance > 0 ? squareRoot(variance) : 0 };
}

/** Number of features of a column. */
export function widthOf(column: FeatureColumn): number {
  const more = column.hasMissingFeature ? 1 : 0;
  if (column.type === 'category') return column.values.length + more;
  return (column.type === 'date' ? column.parts.length : 1) + more;
}

/**
 * Computes features: the scaled number, the one-hot category, or the scaled parts of a date, followed by the marker of
 * missing values if the column has one.
 * @param values values of each column, in the same order
 * @param rows row indices; a missing value must be replaced or marked
 * @returns [rows, features]
 */
export function featuresOf(
  columns: readonly FeatureColumn[],
  values: readonly ColumnValues[],
  rows: ArrayLike<number>,
): Float32Array {
  const width = columns.reduce((sum, column) => sum + widthOf(column), 0);
  const features = new Float32Array(rows.length * width);
  let offset = 0;
  columns.forEach((column, c) => {
    const parts = values[c] as ColumnValues;
    const size = widthOf(column);
    const write = writerOf(column, parts);
    for (let i = 0; i < rows.length; i++) write(rows[i] as number, features, i * width + offset);
    offset += size;
  });
  return features;
}

function writerOf(
  column: FeatureColumn,
  parts: ColumnValues,
): (row: number, features: Float32Array, at: number) => void {
  const [first] = parts as readonly [Float64Array];
  if (column.type === 'category') {
    const { values, fill } = column;
    const filled = fill === null ? values.length : values.indexOf(fill);
    return (row, features, at) => {
      const place = first[row] as number;
      if (place !== UNSEEN) features[at + (Number.isNaN(place) ? filled : place)] = 1;
    };
  }
  const scales = column.type === 'date' ? column.parts : [column];
  return (row, features, at) => {
    scales.forEach(({ mean, deviation, fill }, i) => {
      const number = (parts[i] as Float64Array)[row] as number;
      const present = Number.isNaN(number) ? (fill ?? mean) : number;
      features[at + i] = deviation === 0 ? 0 : (present - mean) / deviation;
    });
    if (column.hasMissingFeature && Number.isNaN(first[row] as number)) features[at + scales.length] = 1;
  };
}
