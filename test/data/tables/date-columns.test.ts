import { describe, expect, it } from 'vitest';
import type { CsvOptions } from '../../../shared/data/tables/csv.js';
import { featuresOfColumn, refusedColumn } from './table-files.js';

describe('dates', () => {
  it('become year, month and day of the week, and hour if times are given', async () => {
    const { names, rows } = await featuresOfColumn(['2021-03-04', '2024-02-29', '1999-12-31'], {
      dates: ['x'],
    });
    expect(names).toEqual(['x year', 'x month', 'x day of week']);
    expect(rows).toEqual([
      [2021, 3, 4],
      [2024, 2, 4],
      [1999, 12, 5],
    ]);
    const timed = await featuresOfColumn(['2021-03-04T05:06:07Z', '2021-03-07 23:59'], { dates: ['x'] });
    expect(timed.names).toEqual(['x year', 'x month', 'x day of week', 'x hour']);
    expect(timed.rows).toEqual([
      [2021, 3, 4, 5],
      [2021, 3, 7, 23],
    ]);
  });

  it('become the selected parts', async () => {
    const { names } = await featuresOfColumn(['2021-03-04', '2021-04-04'], { dates: { x: ['month'] } });
    expect(names).toEqual(['x month']);
  });

  it.each<[string, string[], Partial<CsvOptions>, number[][]]>([
    [
      'a day beyond 12',
      ['13/02/2021', '01/02/2021'],
      {},
      [
        [2021, 2, 6],
        [2021, 2, 1],
      ],
    ],
    [
      'a month first',
      ['02/13/2021', '02/01/2021'],
      {},
      [
        [2021, 2, 6],
        [2021, 2, 1],
      ],
    ],
    [
      'an option',
      ['03/04/2021', '05/04/2021'],
      { dateOrder: 'mdy' },
      [
        [2021, 3, 4],
        [2021, 5, 2],
      ],
    ],
    [
      'points',
      ['03.04.2021', '05.04.2021'],
      {},
      [
        [2021, 4, 6],
        [2021, 4, 1],
      ],
    ],
    [
      'names of months',
      ['3 Apr 2021', '5 April 2021'],
      {},
      [
        [2021, 4, 6],
        [2021, 4, 1],
      ],
    ],
    [
      'eight digits',
      ['20210403', '20210405'],
      {},
      [
        [2021, 4, 6],
        [2021, 4, 1],
      ],
    ],
  ])('are read with the order from %s', async (_, values, options, rows) => {
    expect((await featuresOfColumn(values, { dates: ['x'], ...options })).rows).toEqual(rows);
  });

  it.each<[string, string[], string]>([
    [
      'without a sign of day and month',
      ['03/04/2021', '05/04/2021'],
      "set dateOrder: 'dmy' or dateOrder: 'mdy'",
    ],
    ['that never were', ['2021-02-28', '2021-02-29'], 'line 3: x is "2021-02-29", where a date is needed'],
    [
      'among other things',
      ['2021-02-28', '2021-03-01', 'soon'],
      'line 4: x is "soon", where a date is needed',
    ],
  ])('%s are refused', async (_, values, message) => {
    expect(await refusedColumn(values, { dates: ['x'] })).toContain(message);
  });
});

it('the name of a time zone is refused', async () => {
  const zones = ['CEST', 'Europe/Berlin', '[Asia/Tokyo]'];
  const values = Array.from({ length: 6 }, (_, i) => `2024-03-31 0${i}:30 ${zones[i % 3]}`);
  expect(await refusedColumn(values)).toContain(
    'x holds times with the name of a time zone, such as "2024-03-31 00:30 CEST"; write an offset such as +02:00 instead',
  );
});
