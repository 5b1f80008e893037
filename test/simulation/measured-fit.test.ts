import { expect, it } from 'vitest';
import {
  fitMachines,
  leaveOneOutErrors,
  type MeasuredStep,
  predictedMs,
} from '../../simulation/measured-fit.js';

const RIGHT = { msPerSample: 0.02, exchangeMs: 11, linkMsPerMb: 80, sharedMsPerMb: 2 };

/** Steps of a machine that is as the model says. */
const STEPS = [1, 2, 3, 4, 6].flatMap((members) =>
  [128, 512, 2048].map((batch): MeasuredStep => {
    const step = { members, cores: 2, batch, megabytes: members * (members === 3 ? 1.2 : 0.8), stepMs: 1 };
    return { ...step, stepMs: predictedMs(RIGHT, step) };
  }),
);

it('finds the parameters of a machine again, and predicts steps that were left out', () => {
  const fitted = fitMachines(STEPS);
  for (const name of Object.keys(RIGHT) as (keyof typeof RIGHT)[])
    expect(fitted[name] / RIGHT[name]).toBeCloseTo(1, 3);
  for (const error of leaveOneOutErrors(STEPS)) expect(Math.abs(error)).toBeLessThan(1e-3);
});

it('shows a step that is not as the model says', () => {
  const odd = STEPS.map((step, i) => (i === 7 ? { ...step, stepMs: 2 * step.stepMs } : step));
  const errors = leaveOneOutErrors(odd).map(Math.abs);
  expect(errors.indexOf(Math.max(...errors))).toBe(7);
  expect(errors[7]).toBeGreaterThan(0.4);
});

it('has nothing take less than no time', () => {
  const shrinking = STEPS.map((step) => ({ ...step, stepMs: step.stepMs / step.members }));
  for (const value of Object.values(fitMachines(shrinking))) expect(value).toBeGreaterThanOrEqual(0);
});
