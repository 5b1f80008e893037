import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromArrays, tableToIPC } from '@uwdata/flechette';
import { compressFrame } from 'lz4js';
import { describe, expect, it } from 'vitest';
import { fieldValues } from '../../../shared/data/field-values.js';
import { csv, readTable } from '../../../shared/data/tables/csv.js';
import { decompressLz4Frame } from '../../../shared/data/tables/lz4-frame.js';
import { columnsOf, tableFile } from './table-files.js';

/* pyarrow wrote the files, with write.py. */
const FOLDER = join(import.meta.dirname, 'arrow');
const CELLS = JSON.parse(readFileSync(join(FOLDER, '../parquet/cells.json'), 'utf8')) as Record<
  string,
  string[]
>;
const FILE = { delimiter: null, encoding: null };
const FILES = ['file.arrow', 'stream.arrows', 'lz4.arrow', 'zstd.arrow', 'table.feather'];
const bytesOf = (name: string): Buffer => readFileSync(join(FOLDER, name));
/** Replaces a number of 32 bits wherever it stands. */
function patched(name: string, from: number, to: number): Buffer {
  const bytes = bytesOf(name);
  const pattern = Buffer.from(Int32Array.of(from).buffer);
  expect(bytes.includes(pattern)).toBe(true);
  for (let at = bytes.indexOf(pattern); at >= 0; at = bytes.indexOf(pattern, at + 4))
    bytes.writeInt32LE(to, at);
  return bytes;
}

describe('an Arrow file', () => {
  it.each(FILES)('of pyarrow is read as the Parquet file of the same table, %s', async (name) => {
    const table = await readTable(join(FOLDER, name), FILE);
    expect(columnsOf(table)).toEqual(CELLS);
    expect(table.place(17)).toBe('row 18');
    expect(table.notes).toEqual([]);
  });

  it('gives the same data as a Parquet file, to the bit', async () => {
    const options = {
      target: 'kind',
      ignore: ['text'],
      dates: ['day', 'ms', 'us'],
      missing: 'median',
    } as const;
    const one = await csv(join(FOLDER, 'table.feather'), options);
    const other = await csv(join(FOLDER, '../parquet/zstd.parquet'), options);
    expect(one.preprocessing).toEqual(other.preprocessing);
    for (const field of ['features', 'target'])
      expect(fieldValues(one.train, field)).toEqual(fieldValues(other.train, field));
  });

  it('has columns of all types, in batches of two rows', async () => {
    const table = await readTable(join(FOLDER, 'types.arrow'), FILE);
    expect(columnsOf(table)).toEqual({
      none: ['', '', '', ''],
      i8: ['-128', '', '127', '0'],
      u64: ['18446744073709551615', '', '0', '1'],
      d32: ['1.25', '', '-0.01', '0'],
      d64: ['900719925474099.3', '', '-0.1', '0'],
      d128: ['10000000.000000000000000000000000000001', '', '-0.1', '0'],
      d256: [`1${'0'.repeat(60)}`, '', '-1', '0'],
      large: ['größe', '', '', '\ufeffbom'],
      view: ['short', '', '', 'longer than twelve bytes'],
      kind: ['a', '', 'b', 'a'],
      runs: ['x', '', '', 'y'],
      date64: ['2020-02-27', '', '0001-01-01', '1970-01-01'],
      s: ['2020-02-27T12:30:15.000Z', '', '1969-12-31T00:00:00.000Z', '1970-01-01T00:00:00.000Z'],
      ns: ['2020-02-27T12:30:15.250Z', '', '1969-12-31T23:59:59.999Z', '1970-01-01T00:00:00.000Z'],
      time: ['1000', '', '43200000', '0'],
      took: ['1500', '', '-1', '0'],
    });
    expect(table.notes).toEqual([
      'list, record: lists or records, ignored',
      'bytes, fixed, interval: bytes that are neither text nor numbers, ignored',
      'time (ms), took (µs): durations or times of day, read as numbers',
    ]);
  });

  it('has a dictionary that grows from batch to batch', async () => {
    const table = await readTable(join(FOLDER, 'dictionaries.arrows'), FILE);
    expect(columnsOf(table)).toEqual({ kind: ['a', 'b', 'a', 'c', 'a', ''] });
  });

  it('has columns of many blocks of LZ4', async () => {
    const { n } = columnsOf(await readTable(join(FOLDER, 'lz4-blocks.arrow'), FILE));
    expect(n).toEqual(Array.from({ length: 60_000 }, (_, i) => String(Math.floor(i / 3))));
  });

  it('is recognised by content, not by name', async () => {
    const stream = tableToIPC(tableFromArrays({ a: [1, 2], b: [true, false] }), { format: 'stream' });
    const path = tableFile(stream as Uint8Array, 'table.csv');
    expect(columnsOf(await readTable(path, FILE))).toEqual({ a: ['1', '2'], b: ['true', 'false'] });
  });

  it('is read with a note when it is a stream without an end mark', async () => {
    const path = tableFile(bytesOf('stream.arrows').subarray(0, -8), 't.arrows');
    const table = await readTable(path, FILE);
    expect(columnsOf(table)).toEqual(CELLS);
    expect(table.notes).toEqual(['the stream has no end mark, so rows at its end may be missing']);
  });

  it.each<[string, () => Uint8Array, string]>([
    ['cut off', () => bytesOf('file.arrow').subarray(0, 5000), '"the file is cut off"'],
    ['a stream, cut off', () => bytesOf('stream.arrows').subarray(0, 5000), '"a batch that is cut off"'],
    [
      'of two thousand million rows',
      () => patched('lz4-blocks.arrow', 60_000, 2 ** 31 - 1),
      '"a batch of 2147483647 rows"',
    ],
    [
      'without rows',
      () => tableToIPC(tableFromArrays({ a: [] as number[] }), { format: 'file' }) as Uint8Array,
      'has no rows',
    ],
    [
      'with text that is not UTF-8',
      () =>
        Buffer.from(
          bytesOf('types.arrow').toString('latin1').replace('gr\u00c3\u00b6', 'gr\u00ff\u00ff'),
          'latin1',
        ),
      '"column large: bytes that are not text in UTF-8"',
    ],
  ])('%s is refused', async (_, bytes, message) => {
    await expect(readTable(tableFile(bytes(), 't.arrow'), FILE)).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(message),
    });
  });
});

describe('a frame of LZ4', () => {
  const content = Uint8Array.from({ length: 1000 }, (_, i) => i % 7);
  const frame = new Uint8Array(2000);
  const bytes = frame.subarray(0, compressFrame(content, frame));

  it('gives its content', () => expect(decompressLz4Frame(bytes, 1000)).toEqual(content));
  it.each<[string, Uint8Array, number, string]>([
    ['of another size', bytes, 999, 'LZ4 gave 1000 bytes instead of 999'],
    ['that is cut off', bytes.subarray(0, 20), 1000, 'a block of LZ4 that is cut off'],
    ['of another format', content, 1000, 'not a frame of LZ4'],
  ])('%s is refused', (_, given, size, message) =>
    expect(() => decompressLz4Frame(given, size)).toThrow(message),
  );
});
