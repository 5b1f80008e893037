import { describe, expect, it } from 'vitest';
import { FAULTS, type Fault } from '../../scripts/simulation/plan.js';
import { simulate } from '../../scripts/simulation/simulation.js';
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
        await simulate({ ...PLAN, seed }, undefined, wrong);
      } catch (error) {
        findings.push(String(error));
      }
    }
    expect(findings).toHaveLength(1);
  });
});
