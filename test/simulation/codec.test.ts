import { describe, expect, it } from 'vitest';
import type { CoordinatorEffect } from '../../coordinator/state/messages.js';
import { coordinate } from '../../coordinator/transition.js';
import { COMPRESSIONS } from '../../shared/codec/codec.js';
import { simulate } from '../../simulation/simulation.js';
import type { Coordinate } from '../../simulation/virtual-coordinator.js';
import { CHECKS } from '../support/thoroughness.js';

const PLAN = { workers: 5, steps: 60, faults: true };
/** Seeds of each codec; UNISUM_SIMULATIONS sets another number, shared among the codecs. */
const RUNS = Math.ceil(Number(process.env.UNISUM_SIMULATIONS ?? (CHECKS ? 400 : 200)) / 4);
/** A mutant must be detected within so many seeds. */
const DETECTED_WITHIN = 60;

/** A coordinator whose state is changed before each transition, and whose effects are changed after it. */
function mutant(
  change: (state: Parameters<Coordinate>[0]) => void,
  replace: (effect: CoordinatorEffect) => CoordinatorEffect = (effect) => effect,
): Coordinate {
  return (state, message, nowMs) => {
    change(state);
    const { effects } = coordinate(state, message, nowMs);
    return { state, effects: effects.map(replace) };
  };
}

/** Bugs that only runs with a codec can have. */
const MUTANTS: Readonly<Record<string, Coordinate>> = {
  'an update is sent to workers that have missed a step': mutant((state) => {
    for (const worker of state.scheduling.workers.values())
      if (worker.weightsStep >= 0 && worker.weightsStep < state.training.step - 1)
        worker.weightsStep = state.training.step - 1;
  }),
  'the update of an earlier step counts as the latest': mutant((state) => {
    state.scheduling.updateStep = state.training.step;
  }),
  'shards are split between workers': mutant((state) => {
    Object.assign(state.scheduling.settings, { leavesPerGroup: 1 });
  }),
};

describe.each(COMPRESSIONS)('a simulated run with %s', (compress) => {
  it('ends with the weights of a run without faults, for every seed', async () => {
    for (let seed = 0; seed < RUNS; seed++) {
      const { finalHash, expectedHash } = await simulate({ ...PLAN, compress, seed });
      expect(finalHash, `seed ${seed}`).toBe(expectedHash);
    }
  }, 600_000);

  it('does so with hostile workers, and when it rolls back', async () => {
    let redone = 0;
    for (let seed = 0; seed < RUNS / 4; seed++) {
      await simulate({ ...PLAN, compress, seed, hostile: true });
      // The first answers of an unknown member are all confirmed: a lie that nobody confirms comes later.
      const liar = { audit: 0.3, every: 50 };
      const { redoneSteps } = await simulate({ ...PLAN, faults: false, steps: 200, compress, seed, liar });
      redone += redoneSteps;
    }
    expect(redone).toBeGreaterThan(0);
  }, 600_000);
});

describe('a simulated run with a codec', () => {
  it('sends updates to helpers, and weights to those that join', async () => {
    const lines: string[] = [];
    await simulate({ ...PLAN, faults: false, compress: 'int8', seed: 3 }, (line) => lines.push(line));
    const withUpdates = lines.filter((line) => line.endsWith('+ update')).length;
    const withWeights = lines.filter((line) => line.endsWith('+ weights')).length;
    expect(withWeights).toBeGreaterThan(0);
    expect(withUpdates).toBeGreaterThan(2 * withWeights);
  });

  it.each(Object.entries(MUTANTS))('is found to fail where %s', async (_, decide) => {
    const findings: string[] = [];
    for (let seed = 0; seed < DETECTED_WITHIN && findings.length === 0; seed++)
      await simulate({ ...PLAN, workers: 24, compress: 'int4', seed }, undefined, decide).catch((error) =>
        findings.push(String(error)),
      );
    expect(findings).toHaveLength(1);
  });
});
