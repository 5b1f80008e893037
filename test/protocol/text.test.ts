import fc from 'fast-check';
import * as v from 'valibot';
import { expect, it } from 'vitest';
import { plainText, toPlainText } from '../../shared/protocol/text.js';

it('makes any text one that the other end accepts', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.integer({ min: 1, max: 40 }),
      (text, max) => {
        expect(v.is(plainText(max), toPlainText(text, max))).toBe(true);
      },
    ),
    { numRuns: 2000 },
  );
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
