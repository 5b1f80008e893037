import { describe, expect, it } from 'vitest';
import { type CsvOptions, csv } from '../../../shared/data/tables/csv.js';
import { tableFile } from './table-files.js';

describe('a report', () => {
  it('lists all problems of a file', async () => {
    const lines = [
      'id,name,name,price,when,age,y,',
      ...Array.from(
        { length: 30 },
        (_, i) => `${i},person ${i},x,"1,${i}5",2021-03-0${1 + (i % 9)},${i === 7 ? 'old' : i},${i % 2},`,
      ),
      '1,2',
    ];
    const error = await csv(tableFile(lines), { target: 'yy', ignore: ['ID'] }).catch(
      (caught: Error) => caught,
    );
    const message = (error as Error).message.split('\n');
    expect(message[0]).toMatch(/table\.csv has \d problems:$/);
    for (const part of [
      'line 32: has 2 values under 8 headings; fix the line',
      'has two columns name; rename one of them',
      'has no column yy; did you mean y?',
      'has no column ID; did you mean id?',
      'name has 30 distinct values in 30 rows',
      'price holds numbers such as',
      'when holds dates, such as',
      'line 9: age is "old", where a number is needed',
    ])
      expect(
        message.some((line) => line.startsWith('  ') && line.includes(part)),
        part,
      ).toBe(true);
  });

  it('has a bounded number of lines of bounded length', async () => {
    const columns = Array.from({ length: 200 }, (_, i) => `c${i}`);
    const bad = 'b'.repeat(5000);
    const rows = Array.from({ length: 50 }, (_, row) =>
      columns.map((_, i) => (row % 2 ? `${row}.${i}` : `${bad}${row}`)),
    );
    const lines = [[...columns, 'y'], ...rows.map((row, i) => [...row, i])].map((row) => row.join(','));
    const error = await csv(tableFile(lines), { target: 'y' }).catch((caught: Error) => caught);
    const message = (error as Error).message.split('\n');
    expect(message.length).toBeLessThanOrEqual(22);
    expect(message.at(-1)).toMatch(/^ {2}and \d+ more$/);
    for (const line of message) expect(line.length).toBeLessThan(500);
    expect(message.join('\n')).toContain('more like it');
  });
});

describe('options', () => {
  it.each<[object, string]>([
    [{ traget: 'y' }, 'csv() has no option "traget"; did you mean target?'],
    [{ target: 'y', ignored: ['x'] }, 'csv() has no option "ignored"; did you mean ignore?'],
    [{ target: 'y', seperator: ';' }, 'csv() has no option "seperator"'],
    [{ target: 'y', missing: 'medain' }, "csv(): missing: 'medain' is not a mode; did you mean median?"],
    [{ target: 'y', decimal: ',', thousands: ',' }, "decimal and thousands are both ','"],
    [{ target: 'y', categories: 'x' }, 'csv(): categories is'],
    [{ target: 'y', split: { shrae: 0.1 } }, 'csv(): split'],
    [{ target: 'y', encoding: 'klingon' }, 'there is no encoding "klingon"'],
    [{ target: 'y', encoding: 'utf-88' }, 'did you mean utf-8?'],
    [{ target: 'y', delimiter: '"' }, 'cannot be a delimiter'],
    [{ target: 'y', missingValues: { keep: ['n.v.'] } }, 'missingValues: "n.v." does not count as missing'],
  ])('that are unknown or invalid are refused: %j', async (options, message) => {
    await expect(csv(tableFile(['x,y', '1,2', '2,3']), options as CsvOptions)).rejects.toMatchObject({
      name: 'UserError',
      exitCode: 2,
      message: expect.stringContaining(message),
    });
  });
});
