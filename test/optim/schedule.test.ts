import { describe, expect, it } from 'vitest';
import { cosineOfPi } from '../../shared/arithmetic/cosine.js';
import { UserError } from '../../shared/errors.js';
import {
  constant,
  cosineDecay,
  createSchedule,
  exponential,
  oneCycle,
  type ScheduleSettings,
  scheduleByName,
  stepDecay,
  warmRestarts,
} from '../../shared/optim/schedule.js';

const STEPS = 100;

/** The multiples of all steps of a run. */
function ratesOf(settings: ScheduleSettings, steps = STEPS): number[] {
  const rate = createSchedule(JSON.parse(JSON.stringify(settings)) as ScheduleSettings, steps);
  return Array.from({ length: steps }, (_, step) => rate(step));
}

/** Half a cosine from `high` to `low`, by Math.cos. */
const half = (low: number, high: number, x: number): number =>
  low + ((high - low) * (1 + Math.cos(Math.PI * x))) / 2;

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((x, i) => {
    expect(Math.abs(x - (expected[i] as number)), `step ${i}`).toBeLessThan(1e-14);
  });
}

describe('cosineOfPi', () => {
  it('is the cosine up to its last bits, and stays between -1 and 1', () => {
    for (let i = 0; i <= 10_000; i++) {
      const y = cosineOfPi(i / 10_000);
      expect(Math.abs(y - Math.cos((Math.PI * i) / 10_000))).toBeLessThan(4 * 2 ** -52);
      expect(Math.abs(y)).toBeLessThanOrEqual(1);
    }
  });

  it('clamps arguments to [0, 1]', () => {
    expect(cosineOfPi(-3)).toBe(cosineOfPi(0));
    expect(cosineOfPi(3)).toBe(cosineOfPi(1));
  });
});

describe('a schedule', () => {
  it('can be constant', () => {
    expect(ratesOf(constant())).toEqual(Array.from({ length: STEPS }, () => 1));
  });

  it('warms up linearly to the full rate', () => {
    const rates = ratesOf(constant({ warmup: 4 }));
    expect(rates.slice(0, 6)).toEqual([1 / 5, 2 / 5, 3 / 5, 4 / 5, 1, 1]);
  });

  it('decreases in steps', () => {
    const rates = ratesOf(stepDecay({ every: 30, factor: 0.5, warmup: 10 }));
    expect([rates[9], rates[10], rates[39], rates[40], rates[70]]).toEqual([10 / 11, 1, 1, 0.5, 0.25]);
  });

  it('decreases along a cosine to its floor, counted from the end of the warm-up', () => {
    const rates = ratesOf(cosineDecay({ warmup: 20, floor: 0.1 }));
    expectClose(
      rates.slice(20),
      Array.from({ length: 80 }, (_, i) => half(0.1, 1, i / 80)),
    );
  });

  it('restarts after growing periods', () => {
    const rates = ratesOf(warmRestarts({ period: 10, growth: 3, floor: 0.2 }));
    const periods = [
      [0, 10],
      [10, 30],
      [40, 90],
    ] as const;
    for (const [begin, length] of periods) {
      const end = Math.min(begin + length, STEPS);
      expectClose(
        rates.slice(begin, end),
        Array.from({ length: end - begin }, (_, i) => half(0.2, 1, i / length)),
      );
    }
  });

  it('is multiplied after every step, with decay or growth', () => {
    const up = ratesOf(exponential({ factor: 1.5, warmup: 1 }), 40);
    expect(up.slice(0, 4)).toEqual([0.5, 1, 1.5, 2.25]);
    expect((up[39] as number) / 1.5 ** 38).toBeCloseTo(1, 12);
    const down = ratesOf(exponential({ factor: 0.5 }), 5);
    expect(down).toEqual([1, 0.5, 0.25, 0.125, 0.0625]);
  });

  it('rises and falls once', () => {
    const rates = ratesOf(oneCycle({ rise: 0.25, start: 0.1, floor: 0.01 }));
    expectClose(rates, [
      ...Array.from({ length: 25 }, (_, i) => half(0.1, 1, 1 - i / 25)),
      ...Array.from({ length: 75 }, (_, i) => half(0.01, 1, i / 75)),
    ]);
    expect(Math.max(...rates)).toBe(rates[25]);
  });

  it.each(['constant', 'step', 'cosine', 'warmRestarts', 'oneCycle', 'exponential'])(
    'keeps %s between 0 and 1 over short and long runs',
    (name) => {
      for (const steps of [1, 2, 7, 5000]) {
        for (const rate of ratesOf(scheduleByName(name), steps)) {
          expect(rate).toBeGreaterThanOrEqual(0);
          expect(rate).toBeLessThanOrEqual(1);
        }
      }
    },
  );
});

describe('an invalid schedule', () => {
  it('is refused with the list of names', () => {
    expect(() => scheduleByName('cosinus')).toThrow(UserError);
    expect(() => scheduleByName('cosinus')).toThrow(/choose one of constant, step, cosine/);
  });

  it.each([
    [{ ...cosineDecay(), floor: 2 }, /floor/],
    [{ ...stepDecay(), every: 0 }, /every/],
    [{ ...constant(), warmup: -1 }, /warmup/],
    [{ name: 'cosinus' }, /not a valid schedule/],
  ])('%j', (settings, message) => {
    expect(() => createSchedule(settings as ScheduleSettings, 10)).toThrow(UserError);
    expect(() => createSchedule(settings as ScheduleSettings, 10)).toThrow(message);
  });
});
