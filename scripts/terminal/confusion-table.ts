import type { ClassStats } from '../../shared/metrics/confusion-matrix.js';
import { textTable } from './text-table.js';

/** Most classes that fit into a terminal as columns. */
export const PRINTED_CLASSES_MAX = 20;

/**
 * A confusion matrix as text: rows are true classes, columns are predicted classes, with recall and precision at the
 * borders.
 * @param classes names by number
 */
export function confusionTable(
  classes: readonly string[],
  confusion: readonly (readonly number[])[],
  stats: readonly ClassStats[],
): string[] {
  const share = (value: number | undefined): string =>
    value === undefined || Number.isNaN(value) ? '-' : value.toFixed(3);
  const rows = [
    ...confusion.map((counts, i) => ({
      name: classes[i] === String(i) ? String(i) : `${i} ${classes[i]}`,
      cells: counts.map((count) => (count === 0 ? '.' : String(count))),
      recall: share(stats[i]?.recall),
    })),
    { name: 'precision', cells: stats.map(({ precision }) => share(precision)), recall: '' },
  ];
  return textTable(
    [
      { heading: 'true \\ predicted', cell: ({ name }) => name },
      ...classes.map((_, k) => ({
        heading: String(k),
        cell: ({ cells }: (typeof rows)[number]) => cells[k] as string,
      })),
      { heading: 'recall', cell: ({ recall }) => recall },
    ],
    rows,
  );
}
