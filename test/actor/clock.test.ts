import { expect, it } from 'vitest';
import { epochMs, systemClock } from '../../shared/actor/clock.js';

it('fires once, after the delay, and not from within the call', async () => {
  const startMs = systemClock.nowMs();
  let fired = 0;
  await new Promise<void>((resolve) => {
    systemClock.after(2, () => {
      fired += 1;
      resolve();
    });
    expect(fired).toBe(0);
  });
  // A timer may be a fraction of a millisecond early on this clock.
  expect(systemClock.nowMs() - startMs).toBeGreaterThanOrEqual(1);
  expect(fired).toBe(1);
});

it('does not fire a cancelled timer', async () => {
  const fired: string[] = [];
  const cancel = systemClock.after(0, () => fired.push('cancelled'));
  cancel();
  await new Promise<void>((resolve) => systemClock.after(0, resolve));
  expect(fired).toEqual([]);
});

it('waits for a delay that exceeds the limit of JavaScript engines', async () => {
  const fired: string[] = [];
  const cancel = systemClock.after(2 ** 40, () => fired.push('too early'));
  await new Promise<void>((resolve) => systemClock.after(5, resolve));
  cancel();
  expect(fired).toEqual([]);
});

it('returns the time since 1970', () => {
  expect(new Date(epochMs()).getFullYear()).toBeGreaterThanOrEqual(2025);
});
