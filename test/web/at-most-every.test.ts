import { expect, it } from 'vitest';
import { VirtualClock } from '../../shared/actor/virtual-clock.js';
import { atMostEvery } from '../../web/worker/at-most-every.js';

it('acts at once, and then once a period for all calls in it, after the last of them', () => {
  const clock = new VirtualClock();
  let computed = 0;
  const told: number[] = [];
  let periodMs = 250;
  const report = atMostEvery(
    () => periodMs,
    clock,
    () => told.push(computed),
  );
  for (let ms = 0; ms < 600; ms += 10) {
    computed += 1;
    report();
    clock.advance(10);
  }
  clock.advance(1000);
  expect(told).toEqual([1, 25, 50, 60]);
  computed += 1;
  report();
  expect(told.at(-1)).toBe(61);
  periodMs = 1000;
  clock.advance(250);
  report();
  expect(told.length).toBe(6);
  computed += 1;
  report();
  clock.advance(999);
  expect(told.at(-1)).toBe(61);
  clock.advance(1);
  expect(told.at(-1)).toBe(62);
});
