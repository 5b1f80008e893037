import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  NUMBER_FORMATS,
  type NumberFormat,
  numberReader,
  unitOf,
} from '../../../shared/data/tables/number-text.js';

/** Locales of Intl with our formats. */
const PLACES: readonly (readonly [locale: string, format: NumberFormat])[] = [
  ['en-US', { decimal: '.', thousands: ',' }],
  ['de-DE', { decimal: ',', thousands: '.' }],
  ['fr-FR', { decimal: ',', thousands: ' ' }],
  ['sv-SE', { decimal: ',', thousands: ' ' }],
  ['de-CH', { decimal: '.', thousands: "'" }],
  ['en-IN', { decimal: '.', thousands: ',' }],
  ['pt-BR', { decimal: ',', thousands: '.' }],
];

describe.each(PLACES)('numbers as in %s', (locale, format) => {
  const read = numberReader(format);
  const digits = { minimumFractionDigits: 0, maximumFractionDigits: 3 };
  const thousandths = fc.integer({ min: -1e12, max: 1e12 });

  it('are read from the output of Intl', () => {
    const intl = new Intl.NumberFormat(locale, digits);
    fc.assert(
      fc.property(thousandths, (number) => {
        expect(read(intl.format(number / 1000))).toEqual({
          value: number / 1000,
          percent: false,
          currency: null,
        });
      }),
    );
  });

  it('are read from amounts and percentages of Intl', () => {
    const money = new Intl.NumberFormat(locale, { style: 'currency', currency: 'EUR' });
    const share = new Intl.NumberFormat(locale, { style: 'percent', ...digits });
    fc.assert(
      fc.property(thousandths, (number) => {
        const cents = Math.trunc(number / 10) / 100 + 0;
        expect(read(money.format(cents))).toMatchObject({
          value: cents,
          currency: expect.stringMatching(/€|EUR/),
        });
        const percent = read(share.format(number / 1e6));
        expect(percent?.percent).toBe(true);
        expect(percent?.value).toBeCloseTo(number / 1e6, 4);
      }),
    );
  });
});

describe('a plain number', () => {
  it('equals Number(text), in every format with a point', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        for (const format of NUMBER_FORMATS.filter(({ decimal }) => decimal === '.'))
          expect(numberReader(format)(String(number))?.value).toBe(number + 0);
      }),
    );
  });

  it.each([
    '',
    ' ',
    'e5',
    '1e',
    '.',
    '+',
    '1.2.3',
    '0x10',
    '1 2',
    '1__0',
    'Infinity',
    'NaN',
    '١٢',
    '1/2',
    '5-',
    '--5',
    '1e5.5',
  ])('is not %j', (text) => {
    for (const format of NUMBER_FORMATS)
      expect(numberReader(format)(text), JSON.stringify(format)).toBeUndefined();
  });

  it('may have a typographic minus', () => {
    expect(numberReader({ decimal: '.', thousands: null })('−5')?.value).toBe(-5);
  });
});

it('every text is parsed in linear time', () => {
  const readers = NUMBER_FORMATS.map(numberReader);
  for (const hard of [
    '1,'.repeat(200_000),
    '1'.repeat(400_000),
    '('.repeat(400_000),
    ' '.repeat(400_000),
    '1 '.repeat(250),
  ])
    for (const read of readers) expect(read(hard)).toBeUndefined();
});

it.each([
  ['12 kg', 'kg'],
  ['7.5km', 'km'],
  ['-3 °C', '°C'],
  ['12', undefined],
  ['kg', undefined],
  ['12 large boxes', undefined],
])('the unit of %j is %j', (text, unit) => {
  expect(unitOf(text)).toBe(unit);
});
