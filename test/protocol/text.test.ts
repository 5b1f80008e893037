import fc from 'fast-check';
import * as v from 'valibot';
import { expect, it } from 'vitest';
import { plainText, toPlainText } from '../../shared/protocol/text.js';

it('makes any text one line of printable characters within the limit', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.integer({ min: 1, max: 40 }),
      (text, max) => {
        const plain = toPlainText(text, max);
        expect(plain).toMatch(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+$/u);
        expect(plain.length).toBeLessThanOrEqual(max);
        expect(toPlainText(plain, max)).toBe(plain);
      },
    ),
    { numRuns: 500 },
  );
});

it('is applied when a message is parsed', () => {
  expect(v.parse(plainText(10), 'a\nlong\u0007 reason')).toBe('a long  re');
  expect(v.is(plainText(10), '')).toBe(false);
  expect(v.is(plainText(10), 'x'.repeat(4097))).toBe(false);
});

it.each([
  ['as it is', 'as it is'],
  ['two\r\nlines', 'two lines'],
  ['\u001b[31mred', '[31mred'],
  ['', '?'],
  ['\n', '?'],
  ['123456789😀', '123456789'],
])('makes %j readable', (text, plain) => {
  expect(toPlainText(text, 10)).toBe(plain);
});
