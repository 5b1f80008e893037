import { describe, expect, it } from 'vitest';
import { CODECS } from '../../shared/codec/codec.js';
import { simulate } from '../../simulation/simulation.js';
import { before } from './mutants.js';

const PLAN = { workers: 5, steps: 30, faults: true };
/** Seeds of each codec; UNISUM_SIMULATIONS sets another number, shared among the codecs. */
const RUNS = Math.ceil(Number(process.env.UNISUM_SIMULATIONS ?? 400) / 40);
/** A mutant must be detected within so many seeds. */
const DETECTED_WITHIN = 60;

/** Four replicas are a full tree; five are not, and their last result has another name in it. */
const SHAPES = [4, 5].map((replicas) => ({ replicas, steps: 3 }));

describe.each(CODECS)('simulated rounds of local updates with %s', (compress) => {
  it('end with the weights of a run without faults, for every seed', async () => {
    for (let seed = 0; seed < RUNS; seed++)
      for (const local of SHAPES)
        await simulate({
          ...PLAN,
          local,
          compress,
          seed,
          hostile: seed % 4 === 1,
          keepsBest: seed % 4 === 2,
        });
  }, 600_000);
});

it('seed 4500837: sums were on their way when their worker acknowledged a cancellation', async () => {
  const local = { replicas: 4, steps: 30 };
  const plan = { ...PLAN, steps: 60, local, compress: 'int4', seed: 4_500_837 } as const;
  const { finalHash, expectedHash } = await simulate(plan);
  expect(finalHash).toBe(expectedHash);
});

describe('simulated rounds with a codec', () => {
  const [local] = SHAPES as [(typeof SHAPES)[0]];

  it('roll back to the residual of an earlier round', async () => {
    let redone = 0;
    for (let seed = 0; redone === 0 && seed < DETECTED_WITHIN; seed++) {
      const liar = { audit: 0.3, every: 20 };
      const plan = { ...PLAN, faults: false, steps: 100, local, compress: 'int4', seed, liar } as const;
      redone += (await simulate(plan)).redoneSteps;
    }
    expect(redone).toBeGreaterThan(0);
  }, 600_000);

  it('send updates to members that have the state of the round before', async () => {
    const lines: string[] = [];
    // As many members as replicas: everyone takes part in every round.
    const plan = { ...PLAN, workers: 4, faults: false, local, compress: 'int8', seed: 3 } as const;
    await simulate(plan, (line) => lines.push(line));
    const count = (what: string): number => lines.filter((line) => line.endsWith(`+ ${what}`)).length;
    expect(count('weights')).toBeGreaterThan(0);
    expect(count('update')).toBeGreaterThan(2 * count('weights'));
  });

  it('are found to fail where an update is sent to members that have missed a round', async () => {
    const mutant = before(({ scheduling, training }) => {
      for (const worker of scheduling.workers.values())
        if (worker.weightsStep >= 0 && worker.weightsStep < training.step - 1)
          worker.weightsStep = training.step - 1;
    });
    const findings: string[] = [];
    for (let seed = 0; seed < DETECTED_WITHIN && findings.length === 0; seed++)
      await simulate({ ...PLAN, local, compress: 'int4', seed }, undefined, mutant).catch((error) =>
        findings.push(String(error)),
      );
    expect(findings).toHaveLength(1);
  });
});
