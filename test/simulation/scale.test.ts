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

it('loses less than a step when a relay is killed in the middle of one, and gives those who join late leaves', async () => {
  const { stepMs, killedWorkerMs, killedRelayMs, lateWorkerMs, lateRelayMs } = await measureScale(
    { ...PLAN, workers: 200, fanOut: 16, disturbs: true },
    now,
  );
  expect(killedRelayMs).toBeGreaterThan(0);
  expect(killedRelayMs).toBeLessThan(stepMs);
  expect(killedWorkerMs).toBeLessThan(stepMs);
  expect(lateWorkerMs).toBeLessThan(15 * stepMs);
  expect(lateRelayMs).toBeLessThan(10 * stepMs);
});

it('has replicas compute for many steps between two exchanges, and encodes vectors', async () => {
  const star = await measureScale({ ...PLAN, workers: 50 }, now);
  const local = await measureScale({ ...PLAN, workers: 50, localSteps: 30 }, now);
  expect(local.stepMs).toBeLessThan(1.2 * PLAN.computeMs);
  expect(local.coordinatorBytes).toBeCloseTo((3 / 30) * star.coordinatorBytes, -5);
  const int8 = await measureScale({ ...PLAN, workers: 8, compress: 'int8' }, now);
  expect(int8.coordinatorBytes).toBeLessThan((1 / 3) * 8 * 2 * PLAN.vectorBytes);
});

it('loses less than a round when a relay is killed in one: what it had is spread over all workers', async () => {
  const localSteps = 10;
  const plan = { ...PLAN, workers: 26, localSteps };
  const { stepMs, killedRelayMs } = await measureScale({ ...plan, fanOut: 8, disturbs: true }, now);
  // Relays of 8 and of 9: each is given as many replicas as there are workers below it.
  expect(stepMs).toBeLessThan(1.05 * (await measureScale(plan, now)).stepMs);
  expect(killedRelayMs).toBeLessThan(localSteps * stepMs);
});
