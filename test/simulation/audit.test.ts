import { describe, expect, it } from 'vitest';
import { simulate } from '../../simulation/simulation.js';
import { MUTANTS_WITH_LIAR } from './mutants.js';

const PLAN = { workers: 5, steps: 100 };
/** A mutant must be detected within so many seeds. */
const DETECTED_WITHIN = 60;

describe('a worker that lies while part of the work is audited', () => {
  it('once in 50 answers, with a tenth audited, is expelled, and the final hash is right', async () => {
    for (let seed = 0; seed < 6; seed++) {
      const result = await simulate({
        workers: 5,
        steps: 3000,
        seed,
        faults: false,
        liar: { audit: 0.1, every: 50 },
      });
      const { expelled, unnoticed, finalHash, expectedHash } = result;
      expect({ expelled, unnoticed }, `seed ${seed}`).toEqual({ expelled: 1, unnoticed: 0 });
      expect(finalHash, `seed ${seed}`).toBe(expectedHash);
    }
  }, 120_000);

  // The simulation checks at every step after an expulsion that no wrong sum of the expelled member is left in the weights.
  it.each([
    ['without other faults', false, { audit: 0.3, every: 8 }],
    ['while workers join and leave, the liar too', true, { audit: 0.2, every: 8 }],
  ])(
    'leaves nothing in the weights once it is expelled, %s',
    async (_what, faults, liar) => {
      let [found, redone, unseen] = [0, 0, 0];
      for (let seed = 0; seed < 90; seed++) {
        const { expelled, redoneSteps, unnoticed, finalHash, expectedHash } = await simulate({
          ...{ ...PLAN, steps: 300 },
          ...{ seed, faults, liar },
        });
        // A liar may remain undetected by luck: auditing a fraction proves nothing about the rest.
        expect(finalHash === expectedHash, `seed ${seed}`).toBe(unnoticed === 0);
        found += expelled;
        redone += redoneSteps;
        unseen += unnoticed > 0 ? 1 : 0;
      }
      expect(found).toBeGreaterThan(10);
      expect(redone).toBeGreaterThan(10);
      expect(unseen).toBeLessThan(12);
    },
    120_000,
  );

  it.each(Object.entries(MUTANTS_WITH_LIAR))('shows the mutant: %s', async (_what, mutant) => {
    const detections: string[] = [];
    for (let seed = 0; seed < DETECTED_WITHIN && detections.length === 0; seed++) {
      try {
        await simulate({ ...PLAN, seed, faults: false, liar: { audit: 0.3, every: 8 } }, undefined, mutant);
      } catch (error) {
        detections.push(String(error));
      }
    }
    expect(detections).toHaveLength(1);
  });
});
