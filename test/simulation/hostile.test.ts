import { describe, expect, it } from 'vitest';
import { type Fault, HOSTILE_FAULTS } from '../../simulation/plan.js';
import { simulate } from '../../simulation/simulation.js';
import { MUTANTS_OF_REHEARSALS, MUTANTS_WITH_HOSTILE } from './mutants.js';

const PLAN = { workers: 5, steps: 100, faults: true, hostile: true };
/** Seeds; UNISUM_SIMULATIONS sets another number. */
const RUNS = Number(process.env.UNISUM_SIMULATIONS ?? 200);
/** A mutant must be detected within so many seeds. */
const DETECTED_WITHIN = 100;

describe('hostile workers', () => {
  it('change nothing where everything is audited and a worker is local, for every seed, also if they agree on what to say', async () => {
    const total: Partial<Record<Fault, number>> = {};
    let expelled = 0;
    for (let seed = 0; seed < RUNS; seed++) {
      const result = await simulate({ ...PLAN, seed, keepsBest: seed % 2 === 0 });
      expect(result.finalHash, `seed ${seed}`).toBe(result.expectedHash);
      expelled += result.expelled;
      for (const fault of HOSTILE_FAULTS) total[fault] = (total[fault] ?? 0) + (result.faults[fault] ?? 0);
    }
    for (const fault of HOSTILE_FAULTS) expect(total[fault], fault).toBeGreaterThan(9);
    expect(expelled).toBeGreaterThan(RUNS / 5);
  }, 1_200_000);

  it('change nothing where half of the work is audited, unless a wrong sum is never detected', async () => {
    let undetected = 0;
    for (let seed = 0; seed < 60; seed++) {
      const result = await simulate({ ...PLAN, seed, faults: false, liar: { audit: 0.5, every: 50 } });
      const { unnoticed, finalHash, expectedHash } = result;
      expect(finalHash === expectedHash, `seed ${seed}`).toBe(unnoticed === 0);
      undetected += unnoticed > 0 ? 1 : 0;
    }
    expect(undetected).toBeLessThan(6);
  }, 120_000);
});

/** Runs that once went wrong, before hostile workers did more than then: seed, steps, fraction audited, and whether they end with their best weights. */
const FAILED = {
  'a restarted coordinator forgot which sums were unverified, and its snapshots': [
    [1079, 100, 0.3, false],
    [1078, 200, 0.1, true],
  ],
  'a coordinator that crashed between a rollback and its save resumed from the state that was undone': [
    [1580, 200, 0.1, true],
    [305_995, 100, 0.3, true],
    [301_666, 100, 0.3, true],
    [302_606, 100, 0.3, true],
    [304_500, 100, 0.3, true],
    [304_695, 100, 0.3, true],
    [305_917, 100, 0.3, true],
    [301_822, 100, 0.3, false],
  ],
} as const;

describe('hostile workers beside a local one', () => {
  it.each([
    [
      2_110_398,
      'a step was computed again; what waited at the local worker of the first time was answered, and taken for a fault',
    ],
  ])('seed %i: %s', async (seed) => {
    const plan = { ...PLAN, seed, steps: 60, liar: { audit: 0.1, every: 50 } };
    const { finalHash, expectedHash } = await simulate(plan);
    expect(finalHash).toBe(expectedHash);
  });
});

describe('hostile workers whose work is not audited', () => {
  it.each([
    [23, 'a step that was computed again had other tasks, and a right rehearsal was taken for wrong'],
  ])('seed %i: %s', async (seed) => {
    const plan = { ...PLAN, seed, faults: false, liar: { audit: 0, every: 50 } };
    const { unnoticed, finalHash, expectedHash } = await simulate(plan);
    expect(finalHash === expectedHash).toBe(unnoticed === 0);
  });
});

describe('hostile workers, restarts of the coordinator and partial audits', () => {
  it.each(Object.entries(FAILED).flatMap(([what, runs]) => runs.map((run) => [what, ...run] as const)))(
    '%s: seed %i, %i steps, audit %d, best %s',
    async (_what, seed, steps, audit, keepsBest) => {
      const liar = { audit, every: 50 };
      const { unnoticed, finalHash, expectedHash } = await simulate({
        ...PLAN,
        seed,
        steps,
        keepsBest,
        liar,
      });
      if (unnoticed === 0 || !keepsBest) expect(finalHash === expectedHash).toBe(unnoticed === 0);
    },
  );

  it('leave nothing of an expelled worker in the weights, for every seed', async () => {
    const total: Partial<Record<Fault, number>> = {};
    let [expelled, redone] = [0, 0];
    for (let seed = 0; seed < RUNS; seed++) {
      const liar = { audit: seed % 3 === 0 ? 0.1 : 0.3, every: 50 };
      const keepsBest = seed % 2 === 0;
      const result = await simulate({ ...PLAN, seed, steps: 200, keepsBest, liar });
      const { unnoticed, finalHash, expectedHash } = result;
      // That it goes on, and that no wrong sum of an expelled worker is left, is checked at every step.
      // The best weights may be older than a wrong sum that nobody noticed.
      if (unnoticed === 0 || !keepsBest)
        expect(finalHash === expectedHash, `seed ${seed}`).toBe(unnoticed === 0);
      expelled += result.expelled;
      redone += result.redoneSteps;
      for (const fault of [
        'coordinator-crash',
        'power-loss',
        'return',
        'alias',
        'not-finite',
        'no-answer',
      ] as const)
        total[fault] = (total[fault] ?? 0) + (result.faults[fault] ?? 0);
    }
    for (const [fault, count] of Object.entries(total)) expect(count, fault).toBeGreaterThan(9);
    expect(expelled).toBeGreaterThan(RUNS / 5);
    expect(redone).toBeGreaterThan(RUNS / 10);
  }, 1_200_000);
});

describe('the simulation with hostile workers detects this mutant of the coordinator:', () => {
  const mutants = [
    ...Object.entries(MUTANTS_WITH_HOSTILE).map((one) => [...one, 0.5] as const),
    ...Object.entries(MUTANTS_OF_REHEARSALS).map((one) => [...one, 0] as const),
  ];
  it.each(mutants)('%s', async (_what, [mutant, report], audit) => {
    const detections: string[] = [];
    for (let seed = 0; seed < DETECTED_WITHIN && detections.length === 0; seed++) {
      try {
        await simulate({ ...PLAN, seed, faults: false, liar: { audit, every: 50 } }, undefined, mutant);
      } catch (error) {
        detections.push(String(error));
      }
    }
    expect(detections[0]).toMatch(report);
  });
});
