import { describe, expect, it } from 'vitest';
import { stepsOf } from './pacing.js';

/* How long steps take when members are unequal, with the production's assignment and hedging, in virtual time. */

const LEAVES = 96;
/** Of a step that nobody holds up, per leaf, on one member of full speed. */
const MS_PER_LEAF = 4;

describe('a step among unequal members', () => {
  it('takes at most a tenth longer than the sum of their speeds would have it: one at a quarter of three others', async () => {
    const steps = await stepsOf({ workers: 4, steps: 40, leaves: LEAVES, slow: { 'node-4': 4 } });
    const speeds = 1 + 1 + 1 + 1 / 4;
    const idealMs = (LEAVES * MS_PER_LEAF) / speeds;
    for (const ms of steps.slice(10)) expect(ms / idealMs).toBeLessThan(1.1);
  });
});

describe('a step in which a member freezes', () => {
  it.each([2, 3, 4, 8])('takes at most twice as long as usual, with %i others', async (others) => {
    const steps = await stepsOf({
      workers: others + 1,
      steps: 24,
      leaves: LEAVES,
      freeze: { name: 'node-1', inStep: 20 },
    });
    const usual = steps[18] as number;
    expect(steps[20]).toBeGreaterThan(1.2 * usual);
    expect(steps[20]).toBeLessThan(2 * usual);
    // Nor is anybody waited for afterwards.
    expect(steps[21]).toBeLessThan((1.1 * usual * (others + 1)) / others + 5);
  });

  it('takes as long as the only other one needs for both shares, and the quarter until it was late', async () => {
    const steps = await stepsOf({
      workers: 2,
      steps: 24,
      leaves: LEAVES,
      freeze: { name: 'node-1', inStep: 20 },
    });
    // No sooner, whoever decides: it cannot be known earlier that the other is late and not just a little slower.
    expect((steps[20] as number) / (steps[18] as number)).toBeLessThan(2.35);
  });
});
