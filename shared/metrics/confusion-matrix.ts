import { assert } from '../errors.js';

/**
 * Counts samples by true and predicted class: a row for each true class, a column for each predicted class.
 * @param truth the true class number of each sample
 * @param predicted the predicted class number of each sample
 * @throws AssertionError when a number is not a class
 */
export function confusionMatrix(
  truth: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
): number[][] {
  assert(truth.length === predicted.length, `${truth.length} samples, but ${predicted.length} predictions`);
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < truth.length; i++) {
    const row = counts[truth[i] as number];
    const column = predicted[i] as number;
    assert(row?.[column] !== undefined, `${truth[i]} or ${column} is not one of ${classes} classes`);
    row[column] = (row[column] as number) + 1;
  }
  return counts;
}

/** Precision and recall of one class; NaN where the divisor is 0. */
export interface ClassStats {
  /** The share of the samples predicted as this class that are of this class. */
  readonly precision: number;
  /** The share of the samples of this class that are predicted as this class. */
  readonly recall: number;
}

/** @param counts a confusion matrix */
export function classStats(counts: readonly (readonly number[])[]): ClassStats[] {
  return counts.map((row, kind) => {
    const right = row[kind] as number;
    const predicted = counts.reduce((sum, other) => sum + (other[kind] as number), 0);
    return { precision: right / predicted, recall: right / row.reduce((sum, count) => sum + count, 0) };
  });
}
