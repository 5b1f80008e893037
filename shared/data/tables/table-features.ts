import { squareRoot } from '../../arithmetic/square-root.js';
import type { TableColumn } from './table-column.js';

/** What is subtracted from a number, and what the rest is divided by. */
export interface Scale {
  readonly mean: number;
  readonly deviation: number;
}

/** The scale that changes nothing. */
export const AS_IT_IS: Scale = { mean: 0, deviation: 1 };

/** Mean and deviation of a column of numbers over the rows that are learned from; a category stays as it is. */
export function scaleOf({ numbers, values }: TableColumn, tests: readonly boolean[]): Scale {
  if (values !== undefined) return AS_IT_IS;
  const learned = numbers.filter((_, row) => !tests[row]);
  let sum = 0;
  for (const number of learned) sum += number;
  const mean = sum / learned.length;
  let squares = 0;
  for (const number of learned) squares += (number - mean) * (number - mean);
  const variance = squares / learned.length;
  // A column that is the same everywhere becomes 0.
  return { mean, deviation: variance > 0 ? squareRoot(variance) : 1 };
}

/**
 * Rows as a network sees them: of a column of numbers its number, scaled; of a category a 1 among zeros.
 * @param picked the rows
 * @returns [rows, features]
 */
export function featuresOf(
  columns: readonly TableColumn[],
  scales: readonly Scale[],
  picked: readonly number[],
): Float32Array {
  const width = columns.reduce((sum, { values }) => sum + (values?.length ?? 1), 0);
  const features = new Float32Array(picked.length * width);
  picked.forEach((row, i) => {
    let at = i * width;
    columns.forEach(({ numbers, values }, column) => {
      const number = numbers[row] as number;
      const { mean, deviation } = scales[column] as Scale;
      if (values === undefined) features[at] = (number - mean) / deviation;
      else features[at + number] = 1;
      at += values?.length ?? 1;
    });
  });
  return features;
}
