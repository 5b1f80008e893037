import type { Series } from './series.js';

/** Characters for which a field is quoted (RFC 4180). */
const SPECIAL = /[",\r\n]/;

/** A table of CSV: a row for each step, a column for each series; empty where it has no value at a step. */
export function* csvLines(series: readonly Series[]): Generator<string> {
  yield `${['step', ...series.map(({ tag }) => tag)].map(quoted).join(',')}\n`;
  const columns = series.map(({ points }) => new Map(points));
  const steps = [...new Set(columns.flatMap((column) => [...column.keys()]))].sort((a, b) => a - b);
  for (const step of steps) yield `${[step, ...columns.map((column) => column.get(step) ?? '')].join(',')}\n`;
}

function quoted(text: string): string {
  return SPECIAL.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
