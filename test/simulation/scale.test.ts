import { expect, it } from 'vitest';
import { measureScale, USUAL_MACHINES } from '../../simulation/scale.js';

/* The weights are checked by measureScale itself. Virtual times are the same on every machine. */
const PLAN = { ...USUAL_MACHINES, steps: 5 };
const now = (): number => 0;

it('takes no longer with 1,000 workers through relays than 1.5 times a step of 100 workers', async () => {
  const star = await measureScale({ ...PLAN, workers: 100 }, now);
  expect(star).toMatchObject({ relays: 0, members: 100 });
  const relayed = await measureScale({ ...PLAN, workers: 1000, fanOut: 32 }, now);
  expect(relayed.members).toBe(32);
  expect(relayed.stepMs).toBeLessThan(1.5 * star.stepMs);
  expect(relayed.coordinatorBytes).toBeLessThan(star.coordinatorBytes);
});

it('gives leaves to as many of 1,000 workers as the link of the coordinator can serve', async () => {
  const star = await measureScale({ ...PLAN, workers: 1000, steps: 16 }, now);
  expect(star).toMatchObject({ relays: 0, members: 1000 });
  // With all of them a step takes 2.9 s: their vectors alone take 2 x 3.2 s of the link, less what overlaps.
  expect(star.stepMs).toBeLessThan(2000);
  expect(star.coordinatorBytes).toBeLessThan(300 * 2 * PLAN.vectorBytes);
});

it('loses less than a step when a relay is killed in the middle of one', async () => {
  const { stepMs, longestStepMs } = await measureScale(
    { ...PLAN, workers: 200, fanOut: 16, killsRelay: true },
    now,
  );
  expect(longestStepMs).toBeGreaterThan(stepMs);
  expect(longestStepMs).toBeLessThan(2 * stepMs);
});
