import { describe, expect, it } from 'vitest';
import { lossOf, referenceRun } from '../../simulation/arithmetic.js';
import { simulate } from '../../simulation/simulation.js';
import { MUTANTS_OF_BEST } from './mutants.js';

const PLAN = { workers: 5, steps: 60, faults: true, keepsBest: true };
/** Seeds; UNISUM_SIMULATIONS sets another number. */
const RUNS = Number(process.env.UNISUM_SIMULATIONS ?? 200);
/** A mutant must be detected within so many seeds. */
const DETECTED_WITHIN = 120;

describe('the reference of a run that ends with its best weights', () => {
  const leavesOf = () => 4;

  it('has the lowest loss of all evaluations until it stops', () => {
    for (let patience = 1; patience < 12; patience++) {
      const { weights, reason } = referenceRun(60, leavesOf, { evaluateEvery: 2, patience });
      const evaluated = Array.from({ length: 30 }, (_, i) => referenceRun(2 * i + 2, leavesOf).weights);
      const losses = evaluated.map(lossOf);
      const best = evaluated.indexOf(weights);
      const after = losses.slice(best + 1, best + 1 + patience);
      expect(after.every((loss) => loss > (losses[best] as number))).toBe(true);
      // At the last step the run is over anyway.
      expect(best + patience < losses.length - 1 ? 'stopped' : 'finished').toBe(reason);
    }
  });
});

describe('a run that ends with its best weights', () => {
  it('ends with those of a run without faults, for every seed', async () => {
    for (let seed = 0; seed < RUNS; seed++) {
      const { finalHash, expectedHash } = await simulate({ ...PLAN, seed });
      expect(finalHash, `seed ${seed}`).toBe(expectedHash);
    }
  }, 600_000);

  it('does so after a rollback', async () => {
    let redone = 0;
    for (let seed = 0; seed < 60; seed++) {
      const { finalHash, expectedHash, unnoticed, redoneSteps } = await simulate({
        ...PLAN,
        seed,
        faults: false,
        liar: { audit: 0.5, every: 8 },
      });
      if (unnoticed === 0) expect(finalHash, `seed ${seed}`).toBe(expectedHash);
      redone += redoneSteps;
    }
    expect(redone).toBeGreaterThan(20);
  });
});

describe('the simulation detects this mutant of the coordinator:', () => {
  it.each(Object.entries(MUTANTS_OF_BEST))('%s', async (_what, mutant) => {
    const detections: string[] = [];
    for (let seed = 0; seed < DETECTED_WITHIN && detections.length === 0; seed++) {
      try {
        await simulate({ ...PLAN, seed }, undefined, mutant);
      } catch (error) {
        detections.push(String(error));
      }
    }
    expect(detections).toHaveLength(1);
  });
});
