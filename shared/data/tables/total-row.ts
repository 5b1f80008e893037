import { quoted, shortened } from './problems.js';
import type { RawTable } from './raw-table.js';

/** What the last row of a report is called. */
const TOTAL =
  /^((grand|overall|column) )?(totals?|sum|average|mean|summe|gesamt|insgesamt|mittelwert|somme|moyenne|suma|totale|totaal|итого|всего|合計|合计|总计|總計)\s*:?$/iu;

/** A note about a last row that looks like a sum of the others. It would be learned like a sample. */
export function totalRowNotes(table: RawTable): string[] {
  const last = table.rows - 1;
  if (last < 1) return [];
  for (let at = 0; at < table.header.length; at++) {
    const text = table.cell(last, at).trim();
    if (!TOTAL.test(text) || occursBefore(table, last, at, text)) continue;
    return [
      `${table.place(last)}, the last row, has ${quoted(text)} in ${shortened(table.header[at] as string)} and looks like a sum of the ` +
        'others; it is used like any other row; remove it if it is one',
    ];
  }
  return [];
}

/** A text that other rows have, too, is a category. */
function occursBefore(table: RawTable, last: number, at: number, text: string): boolean {
  for (let row = 0; row < last; row++) if (table.cell(row, at).trim() === text) return true;
  return false;
}
