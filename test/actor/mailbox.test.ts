import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Mailbox } from '../../shared/actor/mailbox.js';
import { AssertionError } from '../../shared/errors.js';

it('returns messages in the order in which they were put in', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 400 }), fc.integer({ min: 1, max: 50 }), (puts, max) => {
      const mailbox = new Mailbox<number>(max);
      const reference: number[] = [];
      for (const [i, isPut] of puts.entries()) {
        if (isPut) expect(mailbox.put(i)).toBe(reference.length < max && reference.push(i) > 0);
        else if (reference.length > 0) expect(mailbox.take()).toBe(reference.shift());
        expect(mailbox.length).toBe(reference.length);
      }
    }),
  );
});

it('is empty when it was cleared', () => {
  const mailbox = new Mailbox<number>(100);
  for (let i = 0; i < 40; i++) mailbox.put(i);
  mailbox.clear();
  expect(mailbox.length).toBe(0);
  mailbox.put(7);
  expect(mailbox.take()).toBe(7);
  expect(() => mailbox.take()).toThrow(AssertionError);
});
