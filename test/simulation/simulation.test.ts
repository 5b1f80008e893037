import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { flipped } from '../../simulation/faults.js';
import { FAULTS, type Fault } from '../../simulation/plan.js';
import { simulate } from '../../simulation/simulation.js';
import { CHECKS } from '../support/thoroughness.js';
import { MUTANTS } from './mutants.js';

/** Seeds of each test; UNISUM_SIMULATIONS sets another number. */
const RUNS = Number(process.env.UNISUM_SIMULATIONS ?? (CHECKS ? 400 : 200));
const PLAN = { workers: 5, steps: 60, faults: true };
/** A mutant must be detected within so many seeds. */
const DETECTED_WITHIN = 120;

describe('a run with faults', () => {
  it('ends with the weights of a run without faults, for every seed', async () => {
    const total: Partial<Record<Fault, number>> = {};
    for (let seed = 0; seed < RUNS; seed++) {
      const { finalHash, expectedHash, faults } = await simulate({ ...PLAN, seed });
      expect(finalHash, `seed ${seed}`).toBe(expectedHash);
      for (const fault of FAULTS) total[fault] = (total[fault] ?? 0) + (faults[fault] ?? 0);
    }
    for (const fault of FAULTS) expect(total[fault], fault).toBeGreaterThan(3);
  }, 1_200_000);

  // Seeds that have failed, and the cause.
  it.each([
    [8146, 'none', 'two machines compute wrong results of the same sums at once, each its own'],
    [703_344, 'none', 'a machine that is restarted five times before it answers is refused for a time'],
    [809_356, 'int8', 'the same, where a run has a codec'],
  ] as const)('seed %i, codec %s: %s', async (seed, compress, _what) => {
    const { finalHash, expectedHash } = await simulate({ ...PLAN, seed, compress });
    expect(finalHash).toBe(expectedHash);
  });

  it('has no two equal errors', () => {
    const random = new SeededRandom(1);
    const wrong = Array.from(
      { length: 200 },
      () => flipped({ isFlawed: false, flipsNext: true }, [7], random)[0],
    );
    expect(new Set([7, ...wrong]).size).toBe(201);
  });

  it('takes the same course with the same seed', async () => {
    const traceOf = async (): Promise<string[]> => {
      const lines: string[] = [];
      await simulate({ ...PLAN, seed: 3 }, (line) => lines.push(line));
      return lines;
    };
    expect(await traceOf()).toEqual(await traceOf());
  });
});

describe('a run without faults', () => {
  it.each([1, 1000])('ends with %i workers', async (workers) => {
    await simulate({ seed: 1, workers, steps: 3, faults: false });
  });
});

describe('the simulation detects this mutant of the coordinator:', () => {
  it.each(Object.entries(MUTANTS))('%s', async (_what, mutant) => {
    const detections: string[] = [];
    for (let seed = 0; seed < DETECTED_WITHIN && detections.length === 0; seed++) {
      try {
        const { finalHash, expectedHash } = await simulate({ ...PLAN, seed }, undefined, mutant);
        if (finalHash !== expectedHash) detections.push(`seed ${seed} ends with other weights`);
      } catch (error) {
        detections.push(String(error));
      }
    }
    expect(detections).toHaveLength(1);
  });
});
