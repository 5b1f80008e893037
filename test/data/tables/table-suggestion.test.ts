import { describe, expect, it } from 'vitest';
import { csv } from '../../../shared/data/tables/csv.js';
import { suggestOptions } from '../../../shared/data/tables/table-suggestion.js';
import { tableFile } from './table-files.js';

const rows = (count: number, row: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => row(i));
const suggest = async (lines: readonly string[] | string | Uint8Array, target?: string, name?: string) => {
  const path = tableFile(lines, name);
  const { options, reasons } = await suggestOptions(path, { target });
  // Every suggestion must be valid.
  return { options, reasons: reasons.join('\n'), data: await csv(path, options) };
};

describe('suggested options', () => {
  it('have only the target for a plain table', async () => {
    const { options } = await suggest(['a,b,c', ...rows(40, (i) => `${i * 1.5},${i % 3},${'xyz'[i % 3]}`)]);
    expect(options).toEqual({ target: 'c' });
  });

  it('have a target by its name, or the last possible column', async () => {
    const lines = (header: string) => [header, ...rows(40, (i) => `${i % 2},${i * 1.5},note ${i}`)];
    expect((await suggest(lines('Label,x,note'))).options).toMatchObject({
      target: 'Label',
      ignore: ['note'],
      categories: ['Label'],
    });
    expect((await suggest(lines('flag,x,note'))).options).toMatchObject({
      target: 'x',
      standardizeTarget: true,
    });
    expect((await suggest(lines('flag,x,note'), 'flag')).options).toMatchObject({
      target: 'flag',
      categories: ['flag'],
    });
  });

  it.each([
    ['y', 'has no column y; its columns are flag, x, note'],
    ['flags', 'did you mean flag?'],
    ['note', 'note cannot be the target: it has 40 distinct values in 40 rows; choose another column'],
  ])('refuse the target %s', async (target, message) => {
    const lines = ['flag,x,note', ...rows(40, (i) => `${i % 2},${i * 1.5},note ${i}`)];
    await expect(suggest(lines, target)).rejects.toThrow(message);
  });

  it('ignore ids, names and row numbers', async () => {
    const { options, reasons, data } = await suggest([
      ',id,name,iban,x,y',
      ...rows(
        40,
        (i) =>
          `${i},${1000 + ((i * 7) % 40)},person ${i},12345678901234567${i},${i * 0.5},${i % 2 ? 'a' : 'b'}`,
      ),
    ]);
    expect(options).toEqual({ target: 'y', ignore: ['column 1', 'id', 'name', 'iban'] });
    expect(reasons).toContain("ignore: ['column 1']: it has no heading");
    expect(reasons).toContain("ignore: ['id']: it numbers the rows");
    expect(reasons).toContain("ignore: ['name']: it has 40 distinct values in 40 rows");
    // The report is true of options that were given and of those that are only suggested.
    expect(data.notes).toContain('  id        ignored: named in ignore');
  });

  it('have the formats of spreadsheets in other countries', async () => {
    const lines = [
      'preis;anteil;stand;größe',
      ...rows(40, (i) => `1.${100 + i},50 EUR;${i},5%;${1 + (i % 28)}.12.2021;${'SML'[i % 3]}`),
    ];
    const { options, reasons, data } = await suggest(Buffer.from(lines.join('\r\n'), 'latin1'));
    expect(options).toEqual({
      ...{ target: 'größe', delimiter: ';', encoding: 'windows-1252', decimal: ',', thousands: '.' },
      ...{ currency: true, percent: true, dates: ['stand'] },
    });
    expect(reasons).toContain("encoding: 'windows-1252' is a guess, because the file is not UTF-8");
    expect(reasons).toContain(
      `decimal: ',', thousands: '.': the format of the numbers: "1.100,50 EUR" is 1100.5`,
    );
    expect(reasons).toContain('currency: numbers have the sign EUR');
    expect(reasons).toContain('percent: numbers have the sign %, and 12% is read as 0.12');
    expect(data.features).toEqual(['preis', 'anteil', 'stand year', 'stand month', 'stand day of week']);
  });

  it('have the encoding of UTF-16 without a byte order mark', async () => {
    const lines = ['a,b', ...rows(40, (i) => `${i % 3},${'xy'[i % 2]}`)].join('\n');
    const { options } = await suggest(Buffer.from(lines, 'utf16le'));
    expect(options).toEqual({ target: 'b', encoding: 'utf-16le' });
  });

  it('fill missing values, and words among numbers', async () => {
    const { options, reasons } = await suggest([
      'a,b,y',
      ...rows(60, (i) => `${i % 9 ? i : 'unknown'},${i % 7 ? i % 4 : ''},${i * 1.5}`),
    ]);
    expect(options).toMatchObject({ missing: 'median', missingValues: { also: ['unknown'] } });
    expect(reasons).toContain('missingValues: "unknown" counts as missing among numbers');
  });

  it('keep codes as categories, and ignore unreadable columns', async () => {
    const { options } = await suggest([
      'zip,weight,mixed,money,y',
      ...rows(
        60,
        (i) =>
          `0${1000 + (i % 5)},${i} kg,${i % 2 ? i : `about ${i}`},${i % 2 ? '$' : '€'}${i},${'ab'[i % 2]}`,
      ),
    ]);
    expect(options).toEqual({ target: 'y', categories: ['zip'], ignore: ['weight', 'mixed', 'money'] });
  });

  it('guess an ambiguous order of dates, with a reason', async () => {
    const { options, reasons } = await suggest([
      'when,x,y',
      ...rows(12, (i) => `${1 + i}/${1 + ((i * 5) % 12)}/2021,${i * 0.5},${'ab'[i % 2]}`),
    ]);
    expect(options).toMatchObject({ dates: ['when'], dateOrder: 'dmy' });
    expect(reasons).toContain("dateOrder: 'dmy' is a guess");
  });

  it('are refused without a possible target', async () => {
    await expect(
      suggest(['name,when', ...rows(30, (i) => `n${i},2021-01-${String(1 + (i % 28)).padStart(2, '0')}`)]),
    ).rejects.toThrow('has no numeric or categorical column for a target; add one');
  });
});
