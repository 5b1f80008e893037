import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTable } from '../../../shared/data/tables/csv.js';
import { type TextFormat, textTable } from '../../../shared/data/tables/csv-table.js';
import type { RawTable } from '../../../shared/data/tables/raw-table.js';
import { pythonWith } from '../../support/python.js';
import { tableFile } from './table-files.js';

/** The header and the cells of a table. */
function cellsOf(table: RawTable): string[][] {
  table.problems.throwIfAny(table.source);
  const rows = Array.from({ length: table.rows }, (_, row) =>
    table.header.map((_, at) => table.cell(row, at)),
  );
  return [[...table.header], ...rows];
}

const parse = (text: string | Buffer, format: TextFormat = {}) =>
  textTable('t.csv', typeof text === 'string' ? Buffer.from(text) : text, format);
const parsed = async (text: string, format: TextFormat = {}) => cellsOf(await parse(text, format));

describe('lines', () => {
  const expected = [
    ['a', 'b'],
    ['1', '2'],
    ['3', '4'],
    ['5', '6'],
  ];

  it.each<[string, string]>([
    ['\\n', 'a,b\n1,2\n3,4\n5,6\n'],
    ['\\r\\n', 'a,b\r\n1,2\r\n3,4\r\n5,6\r\n'],
    ['\\r', 'a,b\r1,2\r3,4\r5,6\r'],
    ['all of them', 'a,b\r\n1,2\n3,4\r5,6'],
    ['\\n first, then \\r\\n', 'a,b\n1,2\r\n3,4\n5,6\r\n'],
    ['a blank line here and there', '\n\na,b\n\r\n1,2\n\n\n3,4\n   \n5,6\n\n'],
    ['a byte order mark', '\ufeffa,b\n1,2\n3,4\n5,6'],
    ['blanks around values', ' a , b \n 1 , 2\n3 ,\t4 \n5, 6'],
    ['quotes', '"a","b"\n"1",2\n3,"4"\n"5","6"'],
    ["Excel's note of the delimiter", 'sep=;\r\na;b\r\n1;2\r\n3;4\r\n5;6\r\n'],
    ["Excel's note in quotes", '"sep=|"\na|b\n1|2\n3|4\n5|6\n'],
    ['commas at the end of some lines', 'a,b\n1,2,\n3,4,,\n5,6\n'],
    ['commas at the end of all lines', 'a,b,\n1,2,\n3,4,\n5,6,\n'],
    ['a comma at the end of the header', 'a,b,\n1,2\n3,4\n5,6\n'],
    ['rows without any value', 'a,b\n1,2\n,\n3,4\n , \n5,6\n,,\n'],
  ])('may end or begin with %s', async (_, text) => {
    expect(await parsed(text)).toEqual(expected);
  });

  it('are counted for any line ends', async () => {
    const table = await parse('a,b\r\n\n1,"x\r\ny"\r2,z\n\n\r\n3,w\n4\n');
    expect([0, 1, 2].map((row) => table.place(row))).toEqual(['line 3', 'line 5', 'line 8']);
    expect(table.problems.report('t.csv')).toBe('t.csv line 9: has 1 value under 2 headings; fix the line');
  });

  it('are counted in a large file', async () => {
    const rows = Array.from(
      { length: 50_000 },
      (_, i) => `${i},${i % 7 === 0 ? `"two\r\nlines"` : 'one'}${i % 2 ? '\r\n' : '\n'}`,
    );
    const table = await parse(`a,b\n${rows.join('')}`);
    const line = (row: number): string => `line ${2 + row + Math.ceil(row / 7)}`;
    for (const row of [0, 1, 7, 8, 12_345, 49_999]) expect(table.place(row)).toBe(line(row));
  });

  it('are described by notes when they have more than values', async () => {
    const notes = async (text: string) => (await parse(text)).notes.join('\n');
    expect(await notes('sep=;\na;b\n1;2\n')).toContain(
      'the first line, "sep=;", is Excel\'s declaration of the delimiter, which is used',
    );
    expect(await notes('a,b\n1,2,\n3,4\n')).toContain('1 row with a trailing delimiter, which is ignored');
    expect(await notes('a,b,\n1,2,\n')).toContain(
      'column 3: no heading and no values (trailing delimiter), ignored',
    );
    expect(await notes('a,b\n1,2\n,\n')).toContain('1 row without any value, ignored');
    expect(await notes('a,b\n1,"x\n2,y"\n3,"z\r\nz"\n')).toContain(
      '2 rows with line breaks within quotes, first on line 2; if these are several rows, a quote is missing',
    );
    expect(await notes('a,b\n1,caf\ufffd\n')).toContain(
      'line 2 contains U+FFFD: another program lost characters there',
    );
  });
});

describe('reports malformed lines', () => {
  it.each<[string, string, string]>([
    ['a quote that is left open', 'a,b\n1,2\n3,"4\n5,6\n', 'line 3: opens a quote that is never closed'],
    ['letters behind a quote', 'a,b\n1,"2"x\n', 'line 2: has characters after a closing quote'],
    ['too many values', 'a,b\nx,y,z\n1,2\n', 'line 2: has 3 values under 2 headings; fix the line'],
    [
      'decimal commas without quotes',
      'a,b\n1,5,2,5\n1,2\n',
      'decimal commas need quotes or another delimiter',
    ],
    [
      'a heading too few',
      'a,b\nx,1,2\ny,3,4\n',
      'has 2 headings for rows of 3 values (a, b); name the missing column',
    ],
    [
      'the headings of a second file',
      'a,b\nx,y\na,b\nx,z\n',
      'line 3: repeats the headings, as where files were joined; remove the line',
    ],
    [
      'the headings behind a second byte order mark',
      '\ufeffa,b\nx,y\n\ufeffa,b\nx,z\n',
      'line 3: repeats the headings',
    ],
    ['another delimiter', 'a;b\n1;2\n', 'has a single column "a;b"; set the delimiter: delimiter: ";"'],
    ['tabs', 'a\tb\n1\t2\n', 'delimiter: "\\t"'],
    ['commas where another delimiter was said', 'a,b\n1,2\n', 'delimiter: ","'],
  ])('%s', async (name, text, message) => {
    const { problems } = await parse(text, name.startsWith('commas where') ? { delimiter: ';' } : {});
    expect(problems.report('t.csv')).toContain(message);
  });

  it.each<[string, Buffer, TextFormat, string]>([
    [
      'another delimiter',
      Buffer.from('a;b\n1;2\n'),
      {},
      'has a single column "a;b"; save it with "," between the columns, like the training data, or begin it with the line sep=;',
    ],
    [
      'Latin-1',
      Buffer.from('a,b\n1,\xe9\n', 'latin1'),
      {},
      'is not UTF-8; save it as UTF-8 with a byte order mark',
    ],
    [
      'UTF-8',
      Buffer.from('a,b\n1,\xe9\n', 'latin1'),
      { encoding: 'gbk' },
      'save it as gbk, like the training data, or as UTF-8 with a byte order mark',
    ],
    [
      'UTF-16 without a mark',
      Buffer.from('a,b\n1,2\n', 'utf16le'),
      {},
      'without a byte order mark; save it as UTF-8',
    ],
  ])('%s, for a trained model, which has no options', async (_, bytes, format, message) => {
    const { problems } = await textTable('t.csv', bytes, format, 'model');
    expect(problems.report('t.csv')).toContain(message);
    expect(problems.report('t.csv')).not.toMatch(/set (its|the|another|encoding)/);
  });

  it.each<[string, string]>([
    ['', 'is empty; check that it is the right file'],
    ['\n\n', 'is empty'],
    ['a,b\n', 'has no rows below its header'],
    ['a,\u0000\u0001\u0002b\n1,2', 'contains zero bytes, so it is not text'],
  ])('a file of %j', async (text, message) => {
    await expect(parse(text)).rejects.toThrow(message);
  });

  it('too many columns, and a row that is too long', async () => {
    await expect(parse(`${','.repeat(70_000)}\n`)).rejects.toThrow(
      '70001 columns, more than the 65536 allowed',
    );
    const { problems } = await parse(`a,b\n1,"${'x'.repeat(5_000_000)}"\n`);
    expect(problems.report('t.csv')).toContain('line 2: starts a row of more than 4194304 characters');
  });
});

describe('a file', () => {
  const text = 'a\tb\n1\tx\n2\ty\n';

  it('with tabs is recognised by its name', async () => {
    const expected = [
      ['a', 'b'],
      ['1', 'x'],
      ['2', 'y'],
    ];
    const read = async (name: string, content: string | Uint8Array) =>
      cellsOf(await readTable(tableFile(content, name), { delimiter: null, encoding: null }));
    expect(await read('t.tsv', text)).toEqual(expected);
    expect(await read('t.tsv.gz', gzipSync(text))).toEqual(expected);
    expect(await read('t.csv.gz', gzipSync(text.replaceAll('\t', ',')))).toEqual(expected);
    // Two members, as `cat a.gz b.gz` writes them.
    expect(
      await read('t.tsv.gz', Buffer.concat([gzipSync(text.slice(0, 6)), gzipSync(text.slice(6))])),
    ).toEqual(expected);
  });

  it.each<[string, string | Uint8Array, string]>([
    ['a cut-off archive', gzipSync(text.repeat(100)).subarray(0, 40), 'is damaged or truncated'],
    [
      'a damaged archive',
      Buffer.concat([gzipSync(text).subarray(0, 12), Buffer.from('rubbish, all of it')]),
      'is damaged or truncated',
    ],
    [
      'an Excel workbook',
      Buffer.from('PK\u0003\u0004rest'),
      'is a ZIP archive, such as an Excel workbook (.xlsx); save it as CSV',
    ],
    ['an old workbook', Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1]), 'is an old Excel workbook (.xls)'],
    ['a web page', '\n<!DOCTYPE html><html></html>', 'is a web page'],
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0]), 'compressed with zstd'],
  ])('that is %s is refused with its kind', async (_, content, message) => {
    await expect(readTable(tableFile(content), { delimiter: null, encoding: null })).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(message),
    });
  });
});

const PYTHON = pythonWith(['csv'], 'python3');

describe.skipIf(PYTHON === undefined)("Python's csv reads the same", () => {
  const SCRIPT = `
import csv, io, json, sys
out = []
for case in json.load(sys.stdin):
    out.append(list(csv.reader(io.StringIO(case['text'], newline=''), delimiter=case['delimiter'])))
json.dump(out, sys.stdout)
`;
  const python = (cases: readonly { text: string; delimiter: string }[]): string[][][] =>
    JSON.parse(
      execFileSync(PYTHON as string, ['-c', SCRIPT], { input: JSON.stringify(cases), encoding: 'utf8' }),
    );

  it('in tables with all kinds of values, line ends and delimiters', async () => {
    // The readers differ by design for blanks around values and for empty rows, so there are none.
    const plain = fc.stringMatching(/^[a-zA-Z0-9.äß€-]{1,6}$/);
    const value = fc.oneof(
      { weight: 3, arbitrary: plain },
      fc
        .string({
          unit: fc.constantFrom('a', ',', ';', '\t', '"', '\n', '\r\n', ' b', '6" ', 'é'),
          minLength: 1,
          maxLength: 6,
        })
        .map((text) => `x${text}x`),
    );
    const table = fc
      .tuple(fc.integer({ min: 2, max: 5 }), fc.integer({ min: 1, max: 8 }))
      .chain(([columns, rows]) =>
        fc.array(fc.array(value, { minLength: columns, maxLength: columns }), {
          minLength: rows,
          maxLength: rows,
        }),
      );
    const file = fc.record({
      table,
      delimiter: fc.constantFrom(',', ';', '\t', '|'),
      end: fc.constantFrom('\n', '\r\n'),
      quotes: fc.boolean(),
    });
    const cases = fc
      .sample(file, { numRuns: 400, seed: 5 })
      .map(({ table: rows, delimiter, end, quotes }) => {
        const write = (text: string): string =>
          quotes || /[",;\t|\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
        const header = (rows[0] as string[]).map((_, i) => `h${i}`);
        return {
          text: [header, ...rows].map((row) => `${row.map(write).join(delimiter)}${end}`).join(''),
          delimiter,
        };
      });
    const expected = python(cases);
    for (const [i, { text, delimiter }] of cases.entries())
      expect(await parsed(text, { delimiter }), JSON.stringify(text)).toEqual(expected[i]);
  });

  it.each([
    ['quotes within a value', 'a,b\n6" pipe,5\'4"\n'],
    ['a quoted line end at the end', 'a,b\n1,"x\n"\n'],
    ['empty quotes', 'a,b\n"",x\n'],
    ['doubled quotes', 'a,b\n"""","x""y"\n'],
    ['no line end at the end', 'a,b\n1,2'],
    ['letters of many bytes', 'größe,β\n漢,🙂\n'],
  ])('%s', async (_, text) => {
    expect(await parsed(text)).toEqual(python([{ text, delimiter: ',' }])[0]);
  });
});
