/*
 * Notes about values that the training data had nothing like: a model answers anyway, as if it knew them.
 */
import type { ColumnValues } from './column-values.js';
import type { FeatureColumn, TargetColumn } from './preprocessing.js';
import { shortened } from './problems.js';
import { AS_IT_IS, type Scale } from './table-features.js';

/** Values further from the training mean, in deviations, are hardly of the same kind: another unit, or a lost decimal mark. */
const DEVIATIONS_MAX = 10;

/**
 * One line for each column, or part of a date, with values unlike those of the training data.
 * @param values of each column, in the same order
 * @param rows that are used
 */
export function unlikeTraining(
  columns: readonly (FeatureColumn | TargetColumn)[],
  values: readonly ColumnValues[],
  rows: readonly number[],
): string[] {
  return columns.flatMap((column, c) => {
    const name = shortened(column.name);
    const own = values[c] as readonly ArrayLike<number>[];
    if (column.type === 'category') return [];
    if (column.type === 'number') return noteOf(name, column, own[0] ?? [], rows);
    return column.parts.flatMap(({ part, ...scale }, i) =>
      noteOf(`${name} (${part})`, scale, own[i] ?? [], rows),
    );
  });
}

function noteOf(
  name: string,
  { mean, deviation }: Scale,
  numbers: ArrayLike<number>,
  rows: readonly number[],
): string[] {
  // Numbers that were not scaled have no statistics.
  if (mean === AS_IT_IS.mean && deviation === AS_IT_IS.deviation) return [];
  let count = 0;
  let farthest = mean;
  for (const row of rows) {
    const number = numbers[row] as number;
    const distance = Math.abs(number - mean);
    // A missing value is none.
    if (!(distance > DEVIATIONS_MAX * deviation)) continue;
    count += 1;
    if (distance > Math.abs(farthest - mean)) farthest = number;
  }
  if (count === 0) return [];
  const many = `${count} of ${rows.length} rows`;
  return [
    deviation === 0
      ? `${name}: ${many} differ from ${round(mean)}, the only value in the training data, and the model does not see how`
      : `${name}: ${many} are more than ${DEVIATIONS_MAX} deviations from the training data (${round(farthest)}; mean ` +
        `${round(mean)}, deviation ${round(deviation)}); check unit and decimal mark`,
  ];
}

function round(value: number): string {
  return String(Number(value.toPrecision(4)));
}
