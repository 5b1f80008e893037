import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { fieldValues } from '../../../shared/data/field-values.js';
import { csv, readTable } from '../../../shared/data/tables/csv.js';
import { columnsOf, tableFile } from './table-files.js';

/* pyarrow wrote the files, with write.py. */
const FOLDER = join(import.meta.dirname, 'parquet');
const CELLS = JSON.parse(readFileSync(join(FOLDER, 'cells.json'), 'utf8')) as Record<string, string[]>;
const FILE = { delimiter: null, encoding: null };

const written = (columnData: Parameters<typeof parquetWriteBuffer>[0]['columnData'], name = 't.parquet') =>
  tableFile(new Uint8Array(parquetWriteBuffer({ columnData })), name);

describe('a Parquet file', () => {
  it.each(['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4', 'plain-v2'])(
    'of pyarrow is read, %s',
    async (name) => {
      const table = await readTable(join(FOLDER, `${name}.parquet`), FILE);
      expect(columnsOf(table)).toEqual(CELLS);
      expect(table.place(17)).toBe('row 18');
    },
  );

  it('of pyarrow is read in delta encodings', async () => {
    const { i32, i64, text } = CELLS;
    expect(columnsOf(await readTable(join(FOLDER, 'delta.parquet'), FILE))).toEqual({ i32, i64, text });
  });

  it('gives the same data as a CSV file of the same cells, to the bit', async () => {
    const names = Object.keys(CELLS);
    const cell = (text: string): string => `"${text.replaceAll('"', '""')}"`;
    const lines = [names, ...CELLS.i64!.map((_, row) => names.map((name) => CELLS[name]![row]!))];
    const same = tableFile(
      lines.map((row) => row.map(cell).join(',')),
      'same.csv',
    );
    const options = {
      target: 'kind',
      ignore: ['text'],
      dates: ['day', 'ms', 'us'],
      missing: 'median',
    } as const;
    const [one, other] = [await csv(join(FOLDER, 'zstd.parquet'), options), await csv(same, options)];
    expect(one.preprocessing).toEqual(other.preprocessing);
    for (const field of ['features', 'target'])
      expect(fieldValues(one.train, field)).toEqual(fieldValues(other.train, field));
    expect((await one.inputs(same)).features).toEqual(
      (await one.inputs(join(FOLDER, 'brotli.parquet'))).features,
    );
  });

  it('is read without columns of lists and records, with a note', async () => {
    const table = await readTable(join(FOLDER, 'nested.parquet'), FILE);
    expect(table.header).toEqual(['a']);
    expect(table.notes).toEqual(['list, record: lists or records, ignored']);
  });

  it('is recognised by content, not by name', async () => {
    const path = written([{ name: 'a', data: [1, 2], type: 'INT32' }], 'table.csv');
    expect(columnsOf(await readTable(path, FILE))).toEqual({ a: ['1', '2'] });
  });

  it('of hyparquet-writer is read, with nulls, NaN, float16 and timestamps', async () => {
    const table = await readTable(
      written([
        { name: 'u', data: [null, 'x'], type: 'STRING' },
        { name: 'n', data: [Number.NaN, Number.POSITIVE_INFINITY], type: 'DOUBLE' },
        { name: 'h', data: [0.5, -2], type: 'FLOAT16' },
        { name: 't', data: [new Date('2021-03-04T05:06:07Z'), null], type: 'TIMESTAMP' },
      ]),
      FILE,
    );
    expect(columnsOf(table)).toEqual({
      u: ['', 'x'],
      n: ['NaN', 'Infinity'],
      h: ['0.5', '-2'],
      t: ['2021-03-04T05:06:07.000Z', ''],
    });
  });

  it('has dates on both sides of 1970', async () => {
    const at = (text: string) => new Date(text);
    const days = ['1969-12-31', '1970-01-01', '1970-01-02', '0001-01-01'];
    const schema = [
      { name: 'root', num_children: 2 },
      { name: 'day', type: 'INT32', converted_type: 'DATE', repetition_type: 'REQUIRED' },
      { name: 'time', type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', repetition_type: 'REQUIRED' },
    ] as const;
    const file = parquetWriteBuffer({
      schema: [...schema],
      columnData: [
        { name: 'day', data: days.map(at) },
        { name: 'time', data: days.map(at) },
      ],
    });
    expect(columnsOf(await readTable(tableFile(new Uint8Array(file), 't.parquet'), FILE))).toEqual({
      day: days,
      time: days.map((day) => `${day}T00:00:00.000Z`),
    });
  });

  it('has decimals and dates, also where only the newer names of types say so', async () => {
    const schema = [
      { name: 'root', num_children: 3 },
      { name: 'price', type: 'INT64', logical_type: { type: 'DECIMAL', precision: 18, scale: 2 } },
      { name: 'rate', type: 'INT32', logical_type: { type: 'DECIMAL', precision: 9, scale: 3 } },
      { name: 'day', type: 'INT32', logical_type: { type: 'DATE' } },
    ] as const;
    const file = parquetWriteBuffer({
      schema: [
        { ...schema[0] },
        ...schema.slice(1).map((one) => ({ ...one, repetition_type: 'OPTIONAL' as const })),
      ],
      columnData: [
        { name: 'price', data: [125n, -350n, null] },
        { name: 'rate', data: [null, 1, -1250] },
        { name: 'day', data: [18_000, null, 0] },
      ],
    });
    expect(columnsOf(await readTable(tableFile(new Uint8Array(file), 't.parquet'), FILE))).toEqual({
      price: ['1.25', '-3.5', ''],
      rate: ['', '0.001', '-1.25'],
      day: ['2019-04-14', '', '1970-01-01'],
    });
  });

  it('has decimals of any size, each rounded once', async () => {
    const decimal = (scale: number, precision: number) =>
      ({ logical_type: { type: 'DECIMAL', precision, scale }, repetition_type: 'OPTIONAL' }) as const;
    const bytes = (value: bigint, length: number): Uint8Array =>
      Uint8Array.from({ length }, (_, i) => Number(BigInt.asUintN(8, value >> BigInt(8 * (length - 1 - i)))));
    // 2^53 + 1 tenths: 900719925474099.3, and 900719925474099.2 when the whole number is rounded before.
    const large = 2n ** 53n + 1n;
    const file = parquetWriteBuffer({
      schema: [
        { name: 'root', num_children: 4 },
        { name: 'long', type: 'INT64', ...decimal(1, 18) },
        { name: 'whole', type: 'INT64', ...decimal(0, 18) },
        {
          name: 'fixed',
          type: 'FIXED_LEN_BYTE_ARRAY',
          type_length: 16,
          ...decimal(30, 38),
        },
        { name: 'bytes', type: 'BYTE_ARRAY', ...decimal(2, 38) },
      ],
      columnData: [
        { name: 'long', data: [large, -large, null, 0n, -1n] },
        { name: 'whole', data: [large, null, -large, 0n, 100n] },
        {
          name: 'fixed',
          data: [bytes(10n ** 37n + 1n, 16), null, bytes(-(10n ** 29n), 16), bytes(0n, 16), null],
        },
        { name: 'bytes', data: [bytes(-1n, 1), bytes(12_345n, 2), bytes(-large, 9), null, bytes(500n, 2)] },
      ],
    });
    const path = tableFile(new Uint8Array(file), 't.parquet');
    expect(columnsOf(await readTable(path, FILE))).toEqual({
      long: ['900719925474099.3', '-900719925474099.3', '', '0', '-0.1'],
      whole: ['9007199254740993', '', '-9007199254740993', '0', '100'],
      fixed: ['10000000.000000000000000000000000000001', '', '-0.1', '0', ''],
      bytes: ['-0.01', '123.45', '-90071992547409.93', '', '5'],
    });
  });

  it('is read whatever its statistics hold', async () => {
    const file = Buffer.from(
      parquetWriteBuffer({ columnData: [{ name: 'a', data: ['x\u00e4', 'y\u00e4'], type: 'STRING' }] }),
    );
    // The footer repeats the least and the largest text. The last letter of each is cut there.
    const last = Buffer.from('\u00e4');
    const values = file.indexOf(last, file.indexOf(last) + 1) + last.length;
    let cut = 0;
    for (let at = file.indexOf(last, values); at >= 0; at = file.indexOf(last, at + 1), cut++)
      file[at + 1] = 0x20;
    expect(cut).toBeGreaterThan(0);
    expect(columnsOf(await readTable(tableFile(file, 't.parquet'), FILE))).toEqual({
      a: ['x\u00e4', 'y\u00e4'],
    });
  });

  it('is read without columns of bytes, with a note', async () => {
    const file = parquetWriteBuffer({
      schema: [
        { name: 'root', num_children: 3 },
        { name: 'key', type: 'FIXED_LEN_BYTE_ARRAY', type_length: 2, repetition_type: 'REQUIRED' },
        { name: 'doc', type: 'BYTE_ARRAY', converted_type: 'BSON', repetition_type: 'REQUIRED' },
        { name: 'a', type: 'INT32', repetition_type: 'REQUIRED' },
      ],
      columnData: [
        { name: 'key', data: [Uint8Array.of(1, 2)] },
        { name: 'doc', data: [Uint8Array.of(5, 0, 0, 0, 0)] },
        { name: 'a', data: [7] },
      ],
    });
    const table = await readTable(tableFile(new Uint8Array(file), 't.parquet'), FILE);
    expect(columnsOf(table)).toEqual({ a: ['7'] });
    expect(table.notes).toEqual(['key, doc: bytes that are neither text nor numbers, ignored']);
  });

  it.each<[string, () => Uint8Array, string]>([
    [
      'cut off',
      () => readFileSync(join(FOLDER, 'none.parquet')).subarray(0, 3000),
      'cannot be read as Parquet',
    ],
    ['encrypted', () => Buffer.from('PARE1234PARE'), 'cannot be read as Parquet'],
    [
      'without rows',
      () => new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'a', data: [], type: 'INT32' }] })),
      'has no rows',
    ],
    [
      'with text that is not UTF-8',
      () =>
        new Uint8Array(
          parquetWriteBuffer({
            columnData: [{ name: 'a', data: [Uint8Array.of(0xff, 0xfe)], type: 'BYTE_ARRAY' }],
          }),
        ),
      '"column a: bytes that are not text in UTF-8"',
    ],
  ])('%s is refused', async (_, bytes, message) => {
    await expect(readTable(tableFile(bytes(), 't.parquet'), FILE)).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(message),
    });
  });
});
