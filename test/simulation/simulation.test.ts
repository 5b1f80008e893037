import { describe, expect, it } from 'vitest';
import { flipped } from '../../scripts/simulation/harm.js';
import { FAULTS, type Fault } from '../../scripts/simulation/plan.js';
import { simulate } from '../../scripts/simulation/simulation.js';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { PLANTED } from './planted.js';

/** Seeds of each test; UNISUM_SIMULATIONS asks for more. */
const RUNS = Number(process.env.UNISUM_SIMULATIONS ?? 400);
const PLAN = { workers: 5, steps: 60, faults: true };
/** Seeds among which a planted fault shows. */
const FOUND_WITHIN = 120;

describe('whatever happens to nodes and network', () => {
  it('every run ends with the weights of an undisturbed one', async () => {
    const total: Partial<Record<Fault, number>> = {};
    for (let seed = 0; seed < RUNS; seed++) {
      const { finalHash, expectedHash, faults } = await simulate({ ...PLAN, seed });
      expect(finalHash, `seed ${seed}`).toBe(expectedHash);
      for (const fault of FAULTS) total[fault] = (total[fault] ?? 0) + (faults[fault] ?? 0);
    }
    for (const fault of FAULTS) expect(total[fault], fault).toBeGreaterThan(9);
  }, 1_200_000);

  // Seeds among the first 100,000 that have failed, and what was wrong.
  it.each([[8146, 'two machines err in the same sums at once, each in a bit of its own']])(
    'seed %i: %s',
    async (seed) => {
      const { finalHash, expectedHash } = await simulate({ ...PLAN, seed });
      expect(finalHash).toBe(expectedHash);
    },
  );

  it('no two errors are alike', () => {
    const random = new SeededRandom(1);
    const wrong = Array.from(
      { length: 200 },
      () => flipped({ isFlawed: false, flipsNext: true }, [7], random)[0],
    );
    expect(new Set([7, ...wrong]).size).toBe(201);
  });

  it('the same seed takes the same course', async () => {
    const traceOf = async (): Promise<string[]> => {
      const lines: string[] = [];
      await simulate({ ...PLAN, seed: 3 }, (line) => lines.push(line));
      return lines;
    };
    expect(await traceOf()).toEqual(await traceOf());
  });

  it('one worker is enough, and a thousand are not too many', async () => {
    for (const workers of [1, 1000]) await simulate({ seed: 1, workers, steps: 3, faults: false });
  });
});

describe('a fault planted in the coordinator is found:', () => {
  it.each(Object.entries(PLANTED))('%s', async (_what, wrong) => {
    const findings: string[] = [];
    for (let seed = 0; seed < FOUND_WITHIN && findings.length === 0; seed++) {
      try {
        const { finalHash, expectedHash } = await simulate({ ...PLAN, seed }, undefined, wrong);
        if (finalHash !== expectedHash) findings.push(`seed ${seed} ends with other weights`);
      } catch (error) {
        findings.push(String(error));
      }
    }
    expect(findings).toHaveLength(1);
  });
});
