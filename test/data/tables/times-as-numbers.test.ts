import { expect, it } from 'vitest';
import { csv } from '../../../shared/data/tables/csv.js';
import { tableFile } from './table-files.js';

const DAY_MS = 86_400_000;

/** The notes on nine numbers, which are those of the first days of 2024. */
async function notesOn(heading: string, numberOf: (ms: number, i: number) => number): Promise<string[]> {
  const first = Date.UTC(2024, 0, 1);
  const rows = Array.from({ length: 9 }, (_, i) => `${numberOf(first + i * DAY_MS, i)},${i}`);
  const { notes } = await csv(tableFile([`${heading},y`, ...rows]), { target: 'y', split: { share: 0 } });
  return notes.filter((note) => note.includes('if its numbers are'));
}

it.each<[string, (ms: number) => number]>([
  ['Unix times in seconds', (ms) => ms / 1000],
  ['Unix times in milliseconds', (ms) => ms],
  ['Unix times in microseconds', (ms) => ms * 1000],
])('%s get a note', async (what, numberOf) => {
  expect(await notesOn('x', numberOf)).toEqual([
    `  note: x is numeric; if its numbers are ${what} (2024-01-01 to 2024-01-09), write them as dates like 2024-12-31 and set ` +
      "dates: ['x']",
  ]);
});

it('days of a spreadsheet get a note where the heading is that of a date', async () => {
  const days = (ms: number): number => 25_569 + ms / DAY_MS;
  expect(days(Date.UTC(2024, 0, 1))).toBe(45_292);
  expect(await notesOn('orderDate', days)).toEqual([
    '  note: orderDate is numeric; if its numbers are days of a spreadsheet (2024-01-01 to 2024-01-09), write them as dates like ' +
      "2024-12-31 and set dates: ['orderDate']",
  ]);
  expect(await notesOn('income', days)).toEqual([]);
});

it('dates of eight digits get a note with the option that reads them', async () => {
  const rows = Array.from({ length: 9 }, (_, i) => `2024010${i + 1},${i}`);
  const read = (more: object) =>
    csv(tableFile(['x,y', ...rows]), { target: 'y', split: { share: 0 }, ...more });
  expect((await read({})).notes).toContain(
    "  note: x is numeric; if numbers such as 20240101 are dates, set dates: ['x']",
  );
  const { notes, features } = await read({ dates: ['x'] });
  expect(features).toEqual(['x year', 'x month', 'x day of week']);
  expect(notes.join('\n')).not.toContain('is numeric');
});

it('other numbers get none', async () => {
  expect(await notesOn('x', (ms, i) => (i === 3 ? 7 : ms))).toEqual([]);
  expect(await notesOn('created', (_, i) => i)).toEqual([]);
  expect(await notesOn('created', () => Date.UTC(2024, 0, 1))).toEqual([]);
});
