import { describe, expect, it } from 'vitest';
import { coordinate } from '../../coordinator/transition.js';
import { referenceRun } from '../../simulation/arithmetic.js';
import type { Misbehaviour } from '../../simulation/plan.js';
import { simulate } from '../../simulation/simulation.js';
import { VirtualCluster } from '../../simulation/virtual-cluster.js';

/* Wrong sums below relays: who is named, and who stays. */

/** Seeds of hostile runs; UNISUM_SIMULATIONS sets another number. */
const RUNS = Number(process.env.UNISUM_SIMULATIONS ?? 40);
const PLAN = { workers: 6, steps: 60, relays: 3, faults: true };

/** A run that its coordinator audits, on a quiet network: two workers of its own, and three and a liar below a relay, or two. */
async function audited({
  relayed = {},
  below = {},
  depth = 1,
  ...rest
}: {
  readonly relayed?: Partial<Misbehaviour>;
  readonly below?: Partial<Misbehaviour>;
  readonly depth?: number;
  readonly audit?: number;
  readonly steps?: number;
  readonly local?: { readonly replicas: number; readonly steps: number };
  readonly compress?: 'int8';
  readonly locals?: number;
}) {
  const { audit = 1, steps = 40, locals = 1, local, compress } = rest;
  const lines: string[] = [];
  const misbehaviours = [{ wrongChance: 0, ...relayed }];
  const cluster = new VirtualCluster(
    {
      ...{ seed: 5, steps, workers: 6, relays: depth, locals, minWorkers: 1, audit },
      ...(local === undefined ? { leaves: 24 } : { local }),
      ...(compress && { compress }),
      ...{ misbehaviours, isStrict: audit === 1, saveEvery: 0, placement: 'all', faults: ['lie'] },
      ...{ faultEveryMs: 1, coordinatorFaultChance: 0 },
    },
    {
      timing: () => ({
        segmentWaitMs: () => 0,
        delayMs: () => 1,
        closeNoticeMs: () => 1,
        silenceMs: 10_000,
      }),
      msPerLeaf: () => 1,
      trace: (line) => lines.push(line),
      decide: coordinate,
    },
  );
  for (let i = 1; i <= locals; i++) cluster.join(`local-${i}`, { sharesMemory: true });
  for (let i = 1; i <= 2; i++) cluster.join(`direct-${i}`);
  const relays = Array.from({ length: depth }, (_, i) =>
    cluster.join(`relay-${i + 1}`, {
      relays: true,
      minWorkers: i === depth - 1 ? 4 : 1,
      above: i === 0 ? undefined : `relay-${i}`,
      misbehaviour: { wrongChance: 0, ...relayed },
    }),
  );
  const above = `relay-${depth}`;
  const honest = Array.from({ length: 3 }, (_, i) => cluster.join(`worker-${i + 1}`, { above }));
  const liar = cluster.join('liar', { above, misbehaviour: { wrongChance: 0, ...below } });
  await cluster.run(600_000);
  const expected = referenceRun(steps, (step) => cluster.leavesOf(step), undefined, cluster.codec);
  return {
    ...{ relays, honest, liar, lines },
    isRight: cluster.coordinator.executor.weights === expected.weights,
    expelled: lines.flatMap(
      (line) => /coordinator: \{"event":"expelled".*"member":"([^"]+)"/.exec(line)?.[1] ?? [],
    ),
  };
}

describe('a coordinator that audits the sums of a relay', () => {
  it.each([
    ['all of them', {}],
    ['all of them, with a codec', { compress: 'int8' }],
    ['all replicas of local updates', { local: { replicas: 8, steps: 10 } }],
    ['replicas of local updates, with a codec', { local: { replicas: 8, steps: 10 }, compress: 'int8' }],
    ['a third of them, and goes back', { audit: 0.3, steps: 300 }],
    ['all of them, without a worker of its own', { locals: 0 }],
    ['those of a relay below a relay', { depth: 2 }],
    ['those of three relays one below the other', { depth: 3, steps: 200 }],
  ] as const)('names who below was wrong, and keeps the relay: %s', async (_what, changes) => {
    const found = await audited({ ...changes, below: { wrongChance: 1 / 4, liesAfter: 12 } });
    const { relays, honest, liar, expelled, isRight } = found;
    expect(expelled[0]).toBe('liar (below relay-1)');
    expect(new Set(expelled)).toEqual(new Set(['liar (below relay-1)']));
    expect(liar.isDead).toBe(true);
    expect([...relays, ...honest].filter(({ isDead }) => isDead)).toEqual([]);
    expect(isRight).toBe(true);
  });

  it.each([
    [
      5_101_042,
      'a relay below which somebody had been wrong was the only member left, and waited for another to confirm it',
    ],
  ])('seed %i: %s', async (seed) => {
    const plan = { workers: 5, steps: 60, relays: 2, faults: true, seed, liar: { audit: 0.3, every: 50 } };
    const { unnoticed, finalHash, expectedHash } = await simulate(plan);
    expect(finalHash === expectedHash).toBe(unnoticed === 0);
  });

  it('lets nothing of hostile workers below relays count where everything is audited', async () => {
    for (let seed = 0; seed < RUNS; seed++) {
      const { finalHash, expectedHash } = await simulate({ ...PLAN, seed, hostile: true });
      expect(finalHash, `seed ${seed}`).toBe(expectedHash);
    }
  }, 600_000);

  it('expels a relay that adds up wrongly, and nobody below it', async () => {
    const { relays, honest, expelled, isRight } = await audited({
      relayed: { wrongChance: 1, liesAfter: 12 },
    });
    expect(expelled).toEqual(['relay-1']);
    expect(relays[0]?.isDead).toBe(true);
    expect(honest.filter(({ isFlawed }) => isFlawed)).toEqual([]);
    expect(isRight).toBe(true);
  });

  it('refuses a relay that leaves out a segment of its sums, and goes on without it', async () => {
    const { lines, isRight } = await audited({ relayed: { deceit: 'drops segments' } });
    expect(lines.some((line) => /relay-1 ended: refused: .*\(incomplete\)/.test(line))).toBe(true);
    expect(isRight).toBe(true);
  });

  it('bears with a relay that blames others a bounded number of times, and bans none of them', async () => {
    const { relays, expelled, isRight, lines } = await audited({
      ...{ relayed: { wrongChance: 1, liesAfter: 12, deceit: 'blames others' }, steps: 400 },
    });
    const blamed = expelled.filter((name) => name.endsWith('(below relay-1)'));
    expect(blamed.length).toBeGreaterThan(0);
    expect(blamed.length).toBeLessThanOrEqual(8);
    expect(relays[0]?.state.phase).not.toBe('working');
    expect(lines.some((line) => /coordinator -> (worker-|liar).*refuse/.test(line))).toBe(false);
    expect(isRight).toBe(true);
  });
});

describe('a relay that audits', () => {
  it('expels, and names, the worker below it that was wrong, and stays itself', async () => {
    const lines: string[] = [];
    const cluster = new VirtualCluster(
      {
        ...{ seed: 5, steps: 30, workers: 4, relays: 1, locals: 1, minWorkers: 1, audit: 1, leaves: 24 },
        ...{ misbehaviours: [], isStrict: true, saveEvery: 0, placement: 'all', faults: ['lie'] },
        ...{ faultEveryMs: 1, coordinatorFaultChance: 0 },
      },
      {
        timing: () => ({
          segmentWaitMs: () => 0,
          delayMs: () => 1,
          closeNoticeMs: () => 1,
          silenceMs: 10_000,
        }),
        msPerLeaf: () => 1,
        trace: (line) => lines.push(line),
        decide: coordinate,
      },
    );
    cluster.join('local-1', { sharesMemory: true });
    cluster.join('relay-1', { relays: true, minWorkers: 4 });
    for (let i = 1; i <= 3; i++) cluster.join(`worker-${i}`, { above: 'relay-1' });
    const liar = cluster.join('liar', {
      above: 'relay-1',
      misbehaviour: { wrongChance: 1, liesAfter: 4 },
    });
    await cluster.run(60_000);
    expect(liar.isDead).toBe(true);
    expect(cluster.named('relay-1').isDead).toBe(false);
    expect(lines.some((line) => /relay-1: .*"expelled".*"liar"/.test(line))).toBe(true);
    expect(cluster.coordinator.executor.weights).toBe(
      referenceRun(30, (step) => cluster.leavesOf(step)).weights,
    );
  });
});
