import { expect, it } from 'vitest';
import { epochMs, systemClock } from '../../shared/actor/clock.js';

it('fires after the time, once, and not from within the call', async () => {
  const startMs = systemClock.nowMs();
  let fired = 0;
  await new Promise<void>((resolve) => {
    systemClock.after(2, () => {
      fired += 1;
      resolve();
    });
    expect(fired).toBe(0);
  });
  // A timer may be a fraction of a millisecond early by this clock.
  expect(systemClock.nowMs() - startMs).toBeGreaterThanOrEqual(1);
  expect(fired).toBe(1);
});

it('fires nothing that was cancelled', async () => {
  const fired: string[] = [];
  const cancel = systemClock.after(0, () => fired.push('cancelled'));
  cancel();
  await new Promise<void>((resolve) => systemClock.after(0, resolve));
  expect(fired).toEqual([]);
});

it('waits long where engines would fire at once', async () => {
  const fired: string[] = [];
  const cancel = systemClock.after(2 ** 40, () => fired.push('too early'));
  await new Promise<void>((resolve) => systemClock.after(5, resolve));
  cancel();
  expect(fired).toEqual([]);
});

it('knows the year', () => {
  expect(new Date(epochMs()).getFullYear()).toBeGreaterThanOrEqual(2025);
});
