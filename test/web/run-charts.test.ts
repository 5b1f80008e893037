import { expect, it } from 'vitest';
import type { CoursePoint } from '../../shared/protocol/watch-messages.js';
import { currentRate, rateChart } from '../../web/page/run-charts.js';

/** A course of steps of 10 samples, at these times. */
const courseAt = (times: readonly number[]): CoursePoint[] =>
  times.map((seconds, i) => ({ step: i + 1, loss: 1, samples: 10 * (i + 1), seconds }));

it('measures a rate over half a second at least, also where steps are told together', () => {
  // Ten steps are computed in a second, and told within microseconds at its end.
  const times = Array.from({ length: 60 }, (_, i) => 1 + Math.floor(i / 10) + (i % 10) * 1e-6);
  const course = courseAt(times);
  const rates = rateChart(course).curves[0]?.values ?? [];
  expect(rates.length).toBeGreaterThan(40);
  for (const rate of [...rates, currentRate(course)]) {
    expect(rate).toBeGreaterThan(50);
    expect(rate).toBeLessThan(250);
  }
});

it('measures a rate over eight steps where they are long', () => {
  const course = courseAt([1, 2, 3, 4, 5, 6, 7, 8, 9, 10.0, 12]);
  expect(rateChart(course)).toMatchObject({ x: [9, 10, 11], curves: [{ values: [10, 10, 80 / 9] }] });
  expect(currentRate(courseAt([1, 2]))).toBe(10);
});
