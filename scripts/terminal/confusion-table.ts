import type { ClassFigures } from '../../shared/metrics/confusion-matrix.js';
import { textTable } from './text-table.js';

/** Most classes that are drawn: more columns do not fit into a terminal. */
export const SHOWN_CLASSES_MAX = 20;

/**
 * A confusion matrix for people: true classes down, what they are taken for across, precision and recall at the borders.
 * @param classes names by number
 */
export function confusionTable(
  classes: readonly string[],
  confusion: readonly (readonly number[])[],
  figures: readonly ClassFigures[],
): string[] {
  const share = (value: number | undefined): string =>
    value === undefined || Number.isNaN(value) ? '-' : value.toFixed(3);
  const rows = [
    ...confusion.map((counts, i) => ({
      name: classes[i] === String(i) ? String(i) : `${i} ${classes[i]}`,
      cells: counts.map((count) => (count === 0 ? '.' : String(count))),
      recall: share(figures[i]?.recall),
    })),
    { name: 'precision', cells: figures.map(({ precision }) => share(precision)), recall: '' },
  ];
  return textTable(
    [
      { heading: 'is \\ taken for', cell: ({ name }) => name },
      ...classes.map((_, k) => ({
        heading: String(k),
        cell: ({ cells }: (typeof rows)[number]) => cells[k] as string,
      })),
      { heading: 'recall', cell: ({ recall }) => recall },
    ],
    rows,
  );
}
