import { describe, expect, it } from 'vitest';
import { simulate } from '../../scripts/simulation/simulation.js';
import { PLANTED_BESIDE_LIARS } from './planted.js';

const PLAN = { workers: 5, steps: 100 };
/** Seeds among which a planted fault shows. */
const FOUND_WITHIN = 60;

describe('a worker that lies where part of the work is audited', () => {
  it('one time in 50, at a tenth, is expelled, and the final hash is right', async () => {
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

  // The simulation itself holds each step after an expulsion to the promise: nothing of the expelled is left in it.
  it.each([
    ['while nobody else fails', false, { audit: 0.3, every: 8 }],
    ['while others come and go, and it does too', true, { audit: 0.5, every: 4 }],
  ])(
    'is undone whenever it is found, %s',
    async (_what, faults, liar) => {
      let [found, redone, unseen] = [0, 0, 0];
      for (let seed = 0; seed < 60; seed++) {
        const { expelled, redoneSteps, unnoticed, finalHash, expectedHash } = await simulate({
          ...PLAN,
          seed,
          faults,
          liar,
        });
        // Who is never found has had luck; that there is such a thing is why a fraction is no proof.
        expect(finalHash === expectedHash, `seed ${seed}`).toBe(unnoticed === 0);
        found += expelled;
        redone += redoneSteps;
        unseen += unnoticed > 0 ? 1 : 0;
      }
      expect(found).toBeGreaterThan(10);
      expect(redone).toBeGreaterThan(20);
      expect(unseen).toBeLessThan(12);
    },
    120_000,
  );

  it.each(Object.entries(PLANTED_BESIDE_LIARS))('shows that %s, if it does', async (_what, wrong) => {
    const findings: string[] = [];
    for (let seed = 0; seed < FOUND_WITHIN && findings.length === 0; seed++) {
      try {
        await simulate({ ...PLAN, seed, faults: false, liar: { audit: 0.3, every: 8 } }, undefined, wrong);
      } catch (error) {
        findings.push(String(error));
      }
    }
    expect(findings).toHaveLength(1);
  });
});
