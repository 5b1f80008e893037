import { describe, expect, it } from 'vitest';
import { type CsvOptions, csv } from '../../../shared/data/tables/csv.js';
import { featuresOfColumn, refusedColumn, tableFile } from './table-files.js';

describe('all values of a column decide its type', () => {
  it.each<[string, string[], string[]]>([
    ['numbers', ['1', '-2.5', '+.5', '3e2', '4.'], ['x']],
    ['numbers with a missing one first', ['NA', '2', '3'], ['x']],
    ['words', ['red', 'blue', 'red'], ['x = blue', 'x = red']],
    ['words, of which few are digits', ['a', 'b', 'a', '1', 'b'], ['x = 1', 'x = a', 'x = b']],
    ['signs without digits', ['$', '$$', '$', '$$$'], ['x = $', 'x = $$', 'x = $$$']],
    ['ranges', ['1-5', '6-10', '1-5', '6-10'], ['x = 1-5', 'x = 6-10']],
    ['versions', ['1.2.3', '1.2.4', '1.2.3', '1.2.4'], ['x = 1.2.3', 'x = 1.2.4']],
  ])('%s', async (_, values, names) => {
    expect((await featuresOfColumn(values, { missing: 'drop' })).names).toEqual(names);
  });

  it.each<[string, string[], string]>([
    [
      'one word among numbers',
      ['1', '2', 'three', '4'],
      'line 4: x is "three", where a number is needed; fix it',
    ],
    [
      'a word first among numbers',
      ['unknown', '2', '3', '4'],
      "count it as missing with missingValues: { also: ['unknown'] }, or make the column a category: categories: ['x']",
    ],
    [
      'a number that 32 bits do not hold',
      ['1', '1e39'],
      'x is "1e39", where a number of at most 3.4e38 is needed (float32)',
    ],
    [
      'mostly words, but too many different numbers for codes',
      [...Array.from({ length: 30 }, (_, i) => `${i}.5`), ...Array(40).fill('none given')],
      'x is "none given", where a number is needed',
    ],
    [
      'names',
      Array.from({ length: 20 }, (_, i) => `person ${i}`),
      "x has 20 distinct values in 21 rows, like a name or an id; leave it out with ignore: ['x'], or keep it as a category: categories: ['x']",
    ],
    ['numbers with a unit', ['12 kg', '7 kg', '9.5 kg'], 'x holds numbers with the unit kg'],
    [
      'dates',
      ['2021-03-04', '2021-03-05'],
      'x holds dates, such as "2021-03-04"; convert them to features with dates: [\'x\']',
    ],
    ['dates of two-digit years', ['3.4.21', '5.6.22'], 'two-digit years'],
  ])('refuses %s, with the remedy', async (_, values, message) => {
    expect(await refusedColumn(values)).toContain(message);
  });

  it.each<[string, string[], string, Partial<CsvOptions>, number[]]>([
    [
      'decimal commas',
      ['1,5', '2', '-0,25'],
      'decimal: \',\' ("1,5" is 1.5)',
      { decimal: ',' },
      [1.5, 2, -0.25],
    ],
    [
      'decimal commas and points between groups',
      ['1.234,5', '2.000.000', '7'],
      `decimal: ',', thousands: '.' ("1.234,5" is 1234.5)`,
      { decimal: ',', thousands: '.' },
      [1234.5, 2_000_000, 7],
    ],
    [
      'either decimal commas or groups',
      ['1,234', '2,500'],
      `thousands: ',' ("1,234" is 1234) or decimal: ',' ("1,234" is 1.234)`,
      { thousands: ',' },
      [1234, 2500],
    ],
    [
      'groups parted by spaces',
      ['1 234', '12 345 678.5'],
      "thousands: ' '",
      { thousands: ' ' },
      [1234, 12345678.5],
    ],
    ["Switzerland's groups", ["1'234.5", '1’000’000'], 'thousands: "\'"', { thousands: "'" }, [1234.5, 1e6]],
    [
      "India's groups",
      ['1,23,456', '12,34,567.5'],
      "thousands: ','",
      { thousands: ',' },
      [123456, 1234567.5],
    ],
    ['dollars', ['$3.50', '-$4', '(5.25)'], 'currency: true', { currency: true }, [3.5, -4, -5.25]],
    [
      'euros as in Germany',
      ['1.234,50 €', '7 €', '0,5 €'],
      `decimal: ',', thousands: '.', currency: true ("1.234,50 €" is 1234.5)`,
      { decimal: ',', thousands: '.', currency: true },
      [1234.5, 7, 0.5],
    ],
    ['percentages', ['12%', '7.5 %', '-3%'], 'percent: true', { percent: true }, [0.12, 0.075, -0.03]],
    ['currency codes', ['USD 12', 'USD 7.5'], 'currency: true', { currency: true }, [12, 7.5]],
  ])('%s are refused with the remedy, and read with it', async (_, values, remedy, options, numbers) => {
    const message = await refusedColumn(values);
    expect(message).toContain(remedy);
    expect(message).toContain("make the column a category: categories: ['x']");
    expect((await featuresOfColumn(values, options)).rows).toEqual(numbers.map((x) => [Math.fround(x)]));
    const { names } = await featuresOfColumn(values, { categories: ['x'] });
    expect(names).toHaveLength(values.length);
  });

  it.each<[string, string[], Partial<CsvOptions>, string]>([
    [
      'two currencies',
      ['$3', '€4'],
      { currency: true },
      'x holds amounts in $ and €; convert them to one currency',
    ],
    ['some percentages', ['12%', '0.5'], { percent: true }, 'x has a percent sign in 1 of 3 values'],
    [
      'a point where commas are decimals',
      ['1,5', '2.5'],
      { decimal: ',' },
      'x is "2.5", where a number is needed',
    ],
    [
      'wrong groups',
      ['12,34', '1,234'],
      { thousands: ',' },
      `x holds numbers such as "12,34"; read them with decimal: ','`,
    ],
  ])('refuses %s, even with the option', async (_, values, options, message) => {
    expect(await refusedColumn(values, options)).toContain(message);
  });

  it('three distinct texts in three rows are a category', async () => {
    const { names } = await featuresOfColumn(['town', 'coast', 'country']);
    expect(names).toEqual(['x = coast', 'x = country', 'x = town']);
  });

  it('a column without values is ignored, with a note', async () => {
    const { data } = await featuresOfColumn(
      ['', 'NA', '?'].map((value) => `${value};1`),
      {},
    ).catch(() => ({ data: null }));
    expect(data).toBeNull();
    const lines = ['x,z,y', ...Array.from({ length: 9 }, (_, i) => `,${i},${i}`)];
    const { features, notes } = await csv(tableFile(lines), { target: 'y' });
    expect(features).toEqual(['z']);
    expect(notes.join('\n')).toMatch(/x +ignored: no values/);
  });

  it('codes with leading zeros are numeric, with a note', async () => {
    const { data } = await featuresOfColumn(['01067', '10115', '04109', '80331']);
    expect(data.notes.join('\n')).toContain(
      "x is numeric, with leading zeros such as 01067; if these are codes, set categories: ['x']",
    );
  });

  it.each<[string, string[], Partial<CsvOptions>, string]>([
    [
      'codes with an E',
      ['3E2', '4E1', '12E3', '7e5', '3E3'],
      {},
      "x is numeric, with exponents such as 3E2 (300); if these are codes, set categories: ['x']",
    ],
    [
      'points that may separate thousands',
      ['1.234', '-12.500', '999.000', '3.141', '70.001'],
      {},
      `x has three decimals in every value, such as 1.234; if "." separates thousands, set decimal: ',', thousands: '.'`,
    ],
    [
      'commas that may separate thousands',
      ['1,234', '12,500', '999,000', '3,141', '70,001'],
      { decimal: ',' },
      `x has three decimals in every value, such as 1,234; if "," separates thousands, set decimal: '.', thousands: ','`,
    ],
    [
      'a placeholder of nines',
      ['3', '-999', '5', '8', '-999'],
      {},
      "x is -999 in 3 rows and 3 to 8 in all others; if it stands for a missing value, set missingValues: { also: ['-999'] }",
    ],
    [
      'a negative placeholder among large values',
      ['0', '-999', '5000', '8', '-999'],
      {},
      "x is -999 in 3 rows and 0 to 5000 in all others; if it stands for a missing value, set missingValues: { also: ['-999'] }",
    ],
    [
      'a placeholder with decimals',
      ['3.5', '-9999.0', '5.25', '8', '-9999.0'],
      {},
      "x is -9999.0 in 3 rows and 3.5 to 8 in all others; if it stands for a missing value, set missingValues: { also: ['-9999.0'] }",
    ],
    [
      'minus one among counts',
      ['3', '-1', '0', '-1', '12'],
      {},
      "x is -1 in 2 rows and 0 to 12 in all others; if it stands for a missing value, set missingValues: { also: ['-1'] }",
    ],
    [
      'one number with and without a zero behind it',
      ['1.1', '1.9', '1.10', '1.11', '1.1'],
      {},
      "x has 1.1 and 1.10, which are the same number; if these are versions or codes, set categories: ['x']",
    ],
    ...[
      ['exponents of Fortran', 'numbers with the exponents of Fortran,', ['1.5D+00', '2D3', '3q-1']],
      ['durations', 'durations', ['1h 30m', '45m', '2h', '45 min']],
      ['durations of ISO 8601', 'durations', ['PT1H30M', 'P1D', 'PT45M']],
      ['durations of pandas', 'durations', ['1 days 00:10:00', '0 days 01:00:00', '2 days 00:00:00']],
      ['angles', 'angles', ["40\u00b010'N", "41\u00b020'N", "42\u00b030'S"]],
      ['lists', 'lists or records', ['[0 2]', '[1 2]', '[2 2]']],
      ['hexadecimal numbers', 'hexadecimal numbers', ['0x0f', '0xA0', '0x0f', '0x11']],
      ['signs behind numbers', 'numbers with the sign behind them,', ['10-', '20-', '30-', '10-']],
      ['numbers in quotes', 'numbers in quotes', ["'10", "'20", "'30", "'10"]],
      ['several units', 'numbers with units', ['500 g', '1 kg', '2 kg', '1 kg']],
    ].map(([name, what, values]): [string, string[], Partial<CsvOptions>, string] => [
      name as string,
      [...(values as string[]), (values as string[])[1] as string],
      { categories: ['x'] },
      `x holds ${what as string} such as`,
    ]),
  ])('%s get a note', async (_, values, options, note) => {
    const { data } = await featuresOfColumn(values, options);
    expect(data.notes.join('\n')).toContain(note);
  });

  it.each<[string, string]>([
    ['a fraction', '5.1,setosa,y\n4.9,setosa,1\n6.3,virginica,2\n'],
    ['whole numbers that count nothing', '17,4\n21,5\n33,7\n'],
  ])('a heading that is a number gets a note: %s', async (_, text) => {
    const target = text.slice(text.indexOf('\n') - 1, text.indexOf('\n'));
    const { notes } = await csv(tableFile(text), { target });
    expect(notes.join('\n')).toMatch(
      /the heading "[\d.]+" is a number; if the first line is a row like the others/,
    );
    const years = await csv(tableFile('0,1,2\n4,5,6\n7,5,6\n'), { target: '2' });
    expect(years.notes.join('\n')).not.toContain('the heading');
  });

  it.each<[string, string[], Partial<CsvOptions>]>([
    ['three decimals with zeros', ['1.100', '1.1', '2.5', '1.200', '7.25'], {}],
    ['exponents of measured values', ['3.0E2', '4E1', '12E3', '7e5', '3E3'], {}],
    ['three decimals and fewer', ['1.234', '12.5', '999.000', '3.141', '70.001'], {}],
    ['three decimals of values below one', ['1.234', '0.512', '999.000', '3.141', '70.001'], {}],
    [
      'thousands by option',
      ['1.234', '12.500', '999.000', '3.141', '70.001'],
      { thousands: '.', decimal: ',' },
    ],
    ['nines among values like them', ['90', '99', '95', '80', '99'], {}],
    ['nines that occur once', ['3', '-999', '5', '8', '9'], {}],
    ['minus one, zero and one', ['1', '-1', '0', '-1', '0', '1'], {}],
    ['minus one among negative values', ['3', '-1', '0', '-1', '-12'], {}],
  ])('%s get none', async (_, values, options) => {
    const { data } = await featuresOfColumn(values, options);
    expect(data.notes.join('\n')).not.toMatch(/if these are codes|if "|stands for/);
  });

  it.each<[string, string[], string]>([
    [
      'case',
      ['Yes', 'no', 'yes', 'NO'],
      'only in case: "Yes", "yes", and 1 more such group; write them alike',
    ],
    [
      'an accent',
      ['caf\u00e9', 'cafe\u0301'],
      String.raw`invisible characters: "caf\u00e9", "cafe\u0301"; write`,
    ],
    ['kinds of blanks', ['New York', 'New\u00a0York'], String.raw`"New York", "New\u00a0York"; write`],
    ['two blanks', ['New York', 'New  York'], '"New York", "New  York"; write'],
    ['zero width', ['a', 'a\u200b'], String.raw`"a", "a\u200b"; write`],
    ['blanks within quotes', ['p', '" p"'], '"p", " p"; write'],
    [
      'letters of another alphabet',
      ['a\u0441e', 'ace', 'b'],
      'letters that look alike: "a\u0441e" (with Cyrillic), "ace"; write them alike',
    ],
    ['Greek and Latin capitals', ['\u0391', 'A', 'b'], '"\u0391" (with Greek), "A"; write'],
    [
      'the width of letters',
      ['\uff21\uff11', 'A1', 'b'],
      '"\uff21\uff11" (wide or other forms), "A1"; write',
    ],
  ])('categories that differ only by %s get a note', async (_, values, note) => {
    const { data } = await featuresOfColumn(values);
    expect(data.notes.join('\n')).toContain('x has categories that differ only in ');
    expect(data.notes.join('\n')).toContain(note);
  });

  it('numbers with too many digits for a float64 get a note', async () => {
    const { data } = await featuresOfColumn(['12345678901234567890', '12345678901234567891', '3']);
    expect(data.notes.join('\n')).toContain('more digits than a float64 holds');
  });
});
