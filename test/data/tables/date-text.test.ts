import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { looksLikeDate, readDate } from '../../../shared/data/tables/date-text.js';
import { DATE_ORDERS } from '../../../shared/data/tables/preprocessing.js';

const two = (number: number): string => String(number).padStart(2, '0');

describe('a date', () => {
  const dates = fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59Z'),
    noInvalidDate: true,
  });
  /** The parts according to Date, in UTC. */
  const expected = (date: Date) => ({
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    dayOfWeek: date.getUTCDay() || 7,
    hour: date.getUTCHours(),
    hasTime: true,
  });

  it('in ISO 8601 equals that of Date', () => {
    fc.assert(
      fc.property(dates, (date) => {
        expect(readDate(date.toISOString(), 'ymd')).toEqual(expected(date));
      }),
      { numRuns: 1000 },
    );
  });

  it('with day or month first equals that of Date, with one digit or two', () => {
    fc.assert(
      fc.property(dates, fc.constantFrom('/', '.', '-'), fc.boolean(), (date, mark, isPadded) => {
        const pad = isPadded ? two : String;
        const [day, month] = [pad(date.getUTCDate()), pad(date.getUTCMonth() + 1)];
        const year = String(date.getUTCFullYear()).padStart(4, '0');
        const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
        expect(readDate(`${[day, month, year].join(mark)} ${time}`, 'dmy')).toEqual(expected(date));
        expect(readDate(`${[month, day, year].join(mark)} ${time}`, 'mdy')).toEqual(expected(date));
      }),
    );
  });

  it('with the name of a month equals that of Date', () => {
    fc.assert(
      fc.property(dates, (date) => {
        expect(readDate(date.toUTCString(), 'dmy')).toEqual(expected(date));
      }),
    );
    expect(readDate('Mar 3, 2021 1:05 PM', 'mdy')).toMatchObject({ month: 3, dayOfWeek: 3, hour: 13 });
    expect(readDate('12 Sept 2021', 'dmy')).toMatchObject({ month: 9 });
  });

  it('ignores the time zone', () => {
    expect(readDate('2021-03-04T23:30:00+05:30', 'ymd')).toMatchObject({ dayOfWeek: 4, hour: 23 });
  });

  it.each([
    '2021-13-01',
    '2021-02-29',
    '1900-02-29',
    '2021-04-31',
    '0000-00-00',
    '2021-01-01 24:00',
    '2021-01-01 10:60',
    '3 Foo 2021',
    '2021-1',
    '10:30',
    '2021-01/01',
  ])('is not %s', (text) => {
    for (const order of DATE_ORDERS) expect(readDate(text, order, true)).toBeUndefined();
  });

  it('is not eight digits, unless an option says so', () => {
    expect(looksLikeDate('20210304')).toBe(false);
    expect(readDate('20210304', 'ymd', true)).toMatchObject({ year: 2021, month: 3, dayOfWeek: 4 });
  });
});
