import fc from 'fast-check';
import { expect, it } from 'vitest';
import { VirtualClock } from '../../shared/actor/virtual-clock.js';

it('fires in the order of time, then in the order of setting, and no cancelled timer', () => {
  const timers = fc.array(fc.record({ delayMs: fc.nat(20), cancelled: fc.boolean() }), { maxLength: 60 });
  fc.assert(
    fc.property(timers, (list) => {
      const clock = new VirtualClock();
      const fired: [number, number][] = [];
      for (const [i, { delayMs, cancelled }] of list.entries()) {
        const cancel = clock.after(delayMs, () => fired.push([clock.nowMs(), i]));
        if (cancelled) cancel();
      }
      while (clock.runNext());
      const expected = list
        .map(({ delayMs, cancelled }, i) => ({ delayMs, cancelled, i }))
        .filter(({ cancelled }) => !cancelled)
        .sort((a, b) => a.delayMs - b.delayMs || a.i - b.i)
        .map(({ delayMs, i }): [number, number] => [delayMs, i]);
      expect(fired).toEqual(expected);
    }),
  );
});

it('advances by the given time, and fires also timers that are set meanwhile', () => {
  const clock = new VirtualClock();
  const fired: number[] = [];
  const again = (): void => {
    fired.push(clock.nowMs());
    clock.after(10, again);
  };
  clock.after(10, again);
  clock.advance(35);
  expect(fired).toEqual([10, 20, 30]);
  expect(clock.nowMs()).toBe(35);
  clock.advance(5);
  expect(fired).toEqual([10, 20, 30, 40]);
});

it('returns false when there is no timer', () => {
  const clock = new VirtualClock();
  const cancel = clock.after(5, () => {});
  cancel();
  expect(clock.runNext()).toBe(false);
  expect(clock.nowMs()).toBe(0);
});
