import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CsvOptions, csv } from '../../../shared/data/tables/csv.js';
import { suggestOptions } from '../../../shared/data/tables/table-suggestion.js';
import { UserError } from '../../../shared/errors.js';
import { FUZZ_TIMEOUT_MS, fuzzRuns, mutated } from '../../support/mutation.js';
import { tableFile } from './table-files.js';

/* Any file is read, or refused with a report of bounded size, in bounded time and memory. */

const PARQUET = join(import.meta.dirname, 'parquet');
const ARROW = join(import.meta.dirname, 'arrow');
/** Largest growth of memory, in bytes. */
const MEMORY_MAX = 2 ** 29;
const RUNS = 100;

const GOOD = Buffer.from(
  [
    '\ufeffid;name;when;age;price;share;kind',
    ...Array.from(
      { length: 30 },
      (_, i) =>
        `${i};"n ${i} ""x""\r\ny";2021-0${1 + (i % 9)}-1${i % 10} 10:30;${i % 5 ? i : 'NA'};1.${i}00,5 €;${i},5%;${'ab'[i % 2]}`,
    ),
  ].join('\r\n'),
);
const OPTIONS: CsvOptions = {
  ...{ target: 'kind', delimiter: ';', ignore: ['id', 'name'], dates: ['when'], missing: 'median' },
  ...{ decimal: ',', thousands: '.', currency: true, percent: true },
};

async function survives(content: Uint8Array, name: string): Promise<void> {
  const path = tableFile(content, name);
  for (const attempt of [
    () => csv(path, OPTIONS),
    async () => {
      const { options } = await suggestOptions(path);
      return await csv(path, options);
    },
  ])
    await attempt().then(
      ({ notes }) => expect(notes.length).toBeLessThan(120),
      (error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        expect(error.message.length).toBeLessThan(20_000);
        expect(error.message.split('\n').length).toBeLessThanOrEqual(22);
      },
    );
  expect(process.memoryUsage().rss).toBeLessThan(START + MEMORY_MAX);
}

const START = process.memoryUsage().rss;

describe('reads or refuses any file', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const check = (bytes: fc.Arbitrary<Uint8Array>, name: string, numRuns = RUNS) =>
    fc.assert(
      fc.asyncProperty(bytes, (content) => survives(content, name)),
      { numRuns: fuzzRuns(numRuns) },
    );

  it('random bytes', () => check(fc.uint8Array({ maxLength: 2000 }), 'table.csv'));
  it('random text', () =>
    check(
      fc
        .string({ unit: fc.constantFrom(...'ab01.,;"\n\r\t |%€-+()eNA/:'), maxLength: 400 })
        .map((text) => Buffer.from(text)),
      'table.csv',
    ));
  it('a good file, mutated', () => check(mutated([GOOD]), 'table.csv'));
  it('a good table of tabs, mutated', () =>
    check(mutated([Buffer.from(GOOD.toString().replaceAll(';', '\t'))]), 'table.tsv', RUNS / 4));
  it('a good table in UTF-16, mutated', () =>
    check(mutated([Buffer.from(GOOD.toString(), 'utf16le')]), 'table.csv', RUNS / 4));
  it('a good compressed file, mutated', () => check(mutated([gzipSync(GOOD)]), 'table.csv.gz', RUNS / 2));

  it.each(['none', 'snappy', 'zstd', 'lz4', 'brotli', 'gzip', 'plain-v2', 'delta', 'nested'])(
    'a good Parquet file, mutated: %s',
    (name) => check(mutated([readFileSync(join(PARQUET, `${name}.parquet`))]), 'table.parquet', RUNS / 2),
  );

  it.each(['file.arrow', 'stream.arrows', 'lz4.arrow', 'zstd.arrow', 'types.arrow', 'dictionaries.arrows'])(
    'a good Arrow file, mutated: %s',
    (name) => check(mutated([readFileSync(join(ARROW, name))]), 'table.arrow', RUNS / 2),
  );

  it('every beginning of a good Parquet file', async () => {
    const good = readFileSync(join(PARQUET, 'snappy.parquet'));
    for (let size = 0; size < good.length; size += 37)
      await survives(good.subarray(0, size), 'table.parquet');
  });

  it('compressed zeros, and one endless line, in bounded memory', async () => {
    const zeros = gzipSync(Buffer.alloc(2 ** 27));
    expect(zeros.length).toBeLessThan(200_000);
    const path = tableFile(zeros, 'table.csv.gz');
    await expect(csv(path, OPTIONS)).rejects.toThrow('contains zero bytes, so it is not text');
    const line = tableFile(gzipSync(Buffer.alloc(2 ** 24, 'x')), 'table.csv.gz');
    await expect(csv(line, OPTIONS)).rejects.toThrow('starts a row of more than 4194304 characters');
  });
});
