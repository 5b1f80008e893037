import { describe, expect, it } from 'vitest';
import { stepDurations } from './step-durations.js';

/* Durations of steps with unequal members under production's assignment and hedging, in virtual time. */

const LEAVES = 96;
/** Of a member of full speed. */
const MS_PER_LEAF = 4;
/** What messages take in a step, which no assignment changes. */
const EXCHANGE_MS = 2;

describe('a step of unequal members', () => {
  it('takes at most a tenth longer than the sum of their throughputs gives, with one member at a quarter of the speed', async () => {
    const steps = await stepDurations({ workers: 4, steps: 40, leaves: LEAVES, slow: { 'worker-4': 4 } });
    const speeds = 1 + 1 + 1 + 1 / 4;
    const idealMs = (LEAVES * MS_PER_LEAF) / speeds;
    for (const ms of steps.slice(10)) expect((ms - EXCHANGE_MS) / idealMs).toBeLessThan(1.1);
  });
});

describe('a step in which a member freezes', () => {
  it.each([2, 3, 4, 8])('takes at most twice as long as usual, with %i others', async (others) => {
    const steps = await stepDurations({
      workers: others + 1,
      steps: 24,
      leaves: LEAVES,
      freeze: { name: 'worker-1', inStep: 20 },
    });
    const usual = steps[18] as number;
    expect(steps[20]).toBeGreaterThan(1.2 * usual);
    expect(steps[20]).toBeLessThan(2 * usual);
    // The next step does not wait for the frozen member.
    expect(steps[21]).toBeLessThan((1.1 * usual * (others + 1)) / others + 5);
  });

  it('takes as long as the only other member needs for both shares, plus the quarter until the frozen one is overdue', async () => {
    const steps = await stepDurations({
      workers: 2,
      steps: 24,
      leaves: LEAVES,
      freeze: { name: 'worker-1', inStep: 20 },
    });
    // This is the least possible: before that time a late member cannot be told from a slightly slower one.
    expect((steps[20] as number) / (steps[18] as number)).toBeLessThan(2.35);
  });
});
