/*
 * What a table or its options say in a way that can be misread: each is told, or refused with the remedy.
 */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { csv, tableToMeasure } from '../../../shared/data/tables/csv.js';
import { tableFile } from './table-files.js';

/** A table of 40 rows. @param cell of the column x in a row */
const tableOf = (cell: (row: number) => string): string =>
  ['x;y', ...Array.from({ length: 40 }, (_, row) => `${cell(row)};${row}.5`)].join('\n');
const read = (content: string | Uint8Array, options: object = {}) =>
  csv(tableFile(content), { target: 'y', delimiter: ';', ...options });
const notesOf = async (content: string | Uint8Array, options: object = {}) =>
  (await read(content, options)).notes.join('\n');

describe('a note tells', () => {
  it.each<[string, (row: number) => string, object, string]>([
    [
      'offsets',
      (row) => `2024-01-1${row % 9} 0${row % 10}:00:00${row % 2 ? '+02:00' : '-05:00'}`,
      { dates: ['x'] },
      'x has times with different UTC offsets (+02:00, -05:00); the hour is the one that is written',
    ],
    [
      'offsets that some lack',
      (row) => `2024-01-1${row % 9}T0${row % 10}:00${row % 2 ? 'Z' : ''}`,
      { dates: ['x'] },
      '(UTC, none)',
    ],
    [
      'durations',
      (row) => `1:0${row % 10}:00`,
      {},
      'x holds times such as "1:00:00" as categories, so their order is lost',
    ],
    ['quarters', (row) => `2024Q${(row % 4) + 1}`, {}, 'x holds months, quarters or weeks such as "2024Q1"'],
    ['weeks', (row) => `2024-W1${row % 9}`, {}, 'x holds months, quarters or weeks'],
    ['months', (row) => `2024-0${(row % 9) + 1}`, {}, 'x holds months, quarters or weeks'],
    ['fractions', (row) => `${(row % 5) + 1}/2`, {}, 'x holds fractions'],
    ['ranges', (row) => `${row % 5}-${(row % 5) + 9}`, {}, 'x holds ranges'],
    [
      'one number in two ways',
      (row) => ['1', '1.0', '2'][row % 3] as string,
      { categories: ['x'] },
      'x has categories that are the same number: "1", "1.0"; write them alike',
    ],
    [
      'codes that are one number',
      (row) => ['1', '01', '2', '2.0'][row % 4] as string,
      { categories: ['x'] },
      '"01", "1", and 1 more such group',
    ],
    [
      'brackets',
      (row) => (row % 2 ? `(${row})` : `${row}`),
      { currency: true },
      'number, negative ones in brackets, mean',
    ],
  ])('%s', async (_, cell, options, note) => {
    expect(await notesOf(tableOf(cell), options)).toContain(note);
  });

  it('equal offsets, and equal ways to write UTC, by nothing', async () => {
    const cell = (row: number) => `2024-01-1${row % 9}T0${row % 10}:00${['Z', '+00:00', ' UTC'][row % 3]}`;
    expect(await notesOf(tableOf(cell), { dates: ['x'] })).not.toContain('offset');
  });

  it('a target that never changes', async () => {
    const text = tableOf((row) => `${row}`).replace(/;\d+\.5/g, ';3');
    expect(await notesOf(text)).toContain('the target is 3 in every row, so there is nothing to learn');
  });

  it('an encoding that the bytes contradict', async () => {
    const text = Buffer.from(tableOf((row) => `caf\u00e9${row % 2}`));
    expect(await notesOf(text, { encoding: 'windows-1252' })).toContain(
      'read as windows-1252, but its bytes are valid UTF-8: if letters look wrong, leave out encoding',
    );
    const other = Buffer.from(
      tableOf((row) => `caf\u00e9${row % 2}`),
      'latin1',
    );
    expect(await notesOf(other, { encoding: 'windows-1252' })).not.toContain('valid UTF-8');
    await expect(read(text, { encoding: 'utf-16le' })).rejects.toThrow(
      'is not utf-16le: its bytes are UTF-8',
    );
  });
});

describe('refused with the remedy', () => {
  it.each<[string, string | Uint8Array, string]>([
    [
      'full-width digits',
      tableOf((row) => '\uff11\uff12\uff13'[row % 3] as string),
      'x holds numbers in other digits than 0 to 9, such as "\uff11"',
    ],
    [
      'Arabic digits',
      tableOf((row) => `\u0661${'\u0662\u0663'[row % 2]}`),
      'x holds numbers in other digits than 0 to 9',
    ],
    ['JSON', '[{"x": 1, "y": 2}]', 'is JSON; write it as CSV'],
    ['lines of JSON', '{"x": 1, "y": 2}\n{"x": 2, "y": 3}\n', 'is JSON; write it as CSV'],
    ['XML', '<?xml version="1.0"?><table/>', 'is XML; export the table as CSV'],
    ['ARFF', '@RELATION iris\n@ATTRIBUTE x NUMERIC\n', 'is an ARFF file'],
    ['an array', Buffer.from('\u0093NUMPY\u0001', 'latin1'), 'is an array of NumPy; read it with numpy()'],
    [
      'gzip inside gzip',
      gzipSync(gzipSync('a,y\n1,2\n')),
      'is compressed with gzip twice; decompress it once',
    ],
    ['Feather', 'FEA1', 'is a Feather file of version 1; write it again, as version 2'],
    ['ORC', 'ORC', 'is an ORC file; write it as Parquet'],
    [
      'a title above the headings',
      `Report 2024\n${tableOf((row) => `${row}`)}`,
      'begins with "Report 2024", a single heading, and most rows below have 2 values; remove the lines above the headings',
    ],
    [
      'comments above the headings',
      `# made by a tool\n# today\n${tableOf((row) => `${row}`)}`,
      'begins with "# made by a tool", a single heading',
    ],
  ])('%s', async (_, content, message) => {
    await expect(read(content)).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(message),
    });
  });

  it.each<[object, string]>([
    [{ split: { shares: 0.2 } }, 'csv(): split has no option "shares"; did you mean share?'],
    [{ split: 0.2 }, 'csv(): split is 0.2; write split: { share: 0.2, seed: 1 } or'],
    [
      { missingValues: { add: ['x'] } },
      'csv(): missingValues has no option "add"; the options are: keep, also',
    ],
    [{ missingValues: 'NA' }, 'csv(): missingValues is "NA"; write a list'],
    [{ dates: { x: ['weekday'] } }, 'csv(): dates: x has no part "weekday"; the parts are: year, month'],
    [{ dates: 'x' }, 'csv(): dates is "x"; write a list of headings'],
    [{ categories: 'x' }, 'csv(): categories is "x"; write a list of headings'],
    [{ target: undefined }, 'csv(): target is missing; write the heading of the target column'],
    [{ target: 3 }, 'csv(): target is 3; write the heading'],
    [{ decimal: ';' }, "csv(): decimal is \";\"; write decimal: '.' or ','"],
    [{ delimiter: 5 }, '5 cannot be a delimiter'],
  ])('the options %j', async (options, message) => {
    await expect(
      read(
        tableOf((row) => `${row}`),
        options,
      ),
    ).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(message),
    });
  });

  it('a file to measure that has no target', async () => {
    const { preprocessing } = await read(tableOf((row) => `${row}`));
    await expect(tableToMeasure(tableFile('x;z\n1;2\n'), preprocessing)).rejects.toThrow(
      'has no column y, which is the target that predictions are compared with',
    );
  });

  it('a file without a row that could be read, by its cause alone', async () => {
    await expect(read('x;y\n"a\\"b";1\n')).rejects.toThrow(
      /^\S+ line 2: has characters after a closing quote; [^\n]*$/,
    );
  });
});
