import { assert } from '../errors.js';

/**
 * How often samples of each class are taken for each: a row for each true class, a column for each that is said.
 * @param truth the class number of each sample
 * @param said what it was taken for
 * @throws AssertionError when a number is none of a class
 */
export function confusionMatrix(
  truth: ArrayLike<number>,
  said: ArrayLike<number>,
  classes: number,
): number[][] {
  assert(truth.length === said.length, `${truth.length} samples, and ${said.length} answers`);
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < truth.length; i++) {
    const row = counts[truth[i] as number];
    const column = said[i] as number;
    assert(row?.[column] !== undefined, `no class ${truth[i]} or ${column} among ${classes}`);
    row[column] = (row[column] as number) + 1;
  }
  return counts;
}

/** How well one class is told from the others; NaN where there is nothing to divide by. */
export interface ClassFigures {
  /** The part that is right of what is taken for this class. */
  readonly precision: number;
  /** The part that is recognised of what is of this class. */
  readonly recall: number;
}

/** @param counts a confusion matrix */
export function classFigures(counts: readonly (readonly number[])[]): ClassFigures[] {
  return counts.map((row, kind) => {
    const right = row[kind] as number;
    const said = counts.reduce((sum, other) => sum + (other[kind] as number), 0);
    return { precision: right / said, recall: right / row.reduce((sum, count) => sum + count, 0) };
  });
}
