import { describe, expect, it } from 'vitest';
import { fieldValues } from '../../../shared/data/field-values.js';
import { DATE_SIZES, DATES, loadDates, writeDate } from '../../../shared/data/texts/dates.js';

/** Days from 1950 to 2049. */
const DAYS = 36525;

function isoDates(data: ReturnType<typeof loadDates>['train']): string[] {
  const written = fieldValues(data, 'written');
  const { writtenLength } = DATE_SIZES;
  return Array.from({ length: data.manifest.samples }, (_, row) =>
    Array.from(
      written.subarray(row * writtenLength, (row + 1) * writtenLength),
      (n) => DATES.written.alphabet?.[n],
    ).join(''),
  );
}

describe('dates', () => {
  it('are written in ten forms', () => {
    const day = (Date.UTC(1998, 2, 5) - Date.UTC(1950, 0, 1)) / 86_400_000;
    expect(writeDate(day)).toEqual({
      iso: '1998-03-05',
      forms: [
        'Thursday, 5 March 1998',
        '5 March 1998',
        'March 5, 1998',
        '5 Mar 98',
        'Thu Mar 5 1998',
        'MARCH 5 1998',
        '5/3/98',
        '05/03/1998',
        '5.3.1998',
        '5-mar-1998',
      ],
    });
  });

  it('mean one day each, whatever their form, and are never too long', () => {
    const meanings = new Map<string, string>();
    const wrong: string[] = [];
    for (let day = 0; day < DAYS; day++) {
      const { forms, iso } = writeDate(day);
      for (const form of forms) {
        if ((meanings.get(form) ?? iso) !== iso || form.length > DATE_SIZES.readLength) wrong.push(form);
        meanings.set(form, iso);
      }
    }
    expect(wrong).toEqual([]);
    expect(writeDate(0).iso).toBe('1950-01-01');
    expect(writeDate(DAYS - 1).iso).toBe('2049-12-31');
  });

  it('to be tested on are never learned, and every other one is, twice', () => {
    const { train, test } = loadDates();
    const [learned, tested] = [isoDates(train), isoDates(test)];
    const days = new Set(learned);
    expect(new Set(tested).size).toBe(tested.length);
    expect(tested.filter((iso) => days.has(iso))).toEqual([]);
    expect(days.size + tested.length).toBe(DAYS);
    expect(learned).toHaveLength(2 * days.size);
  });

  it('are given with padding, a mask, and what stands before each character', () => {
    const { test } = loadDates();
    const { readLength, writtenLength, read, start } = DATE_SIZES;
    const texts = fieldValues(test, 'read');
    expect(fieldValues(test, 'present')).toEqual(texts.map((character) => (character === 0 ? 0 : 1)));
    expect(Math.max(...texts)).toBeLessThan(read);
    expect(texts.subarray(0, readLength)[0]).toBeGreaterThan(0);
    const [before, written] = [fieldValues(test, 'before'), fieldValues(test, 'written')];
    const shifted = written.map((_, i) => (i % writtenLength === 0 ? start : (written[i - 1] as number)));
    expect(before).toEqual(shifted);
    // An unknown character would have been packed as the number -1 in a byte.
    expect(Math.max(...written)).toBeLessThan(DATE_SIZES.written);
  });

  it('are the same data every time', () => {
    expect(loadDates().train.manifest).toEqual(loadDates().train.manifest);
  });
});
