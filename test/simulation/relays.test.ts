import { describe, expect, it } from 'vitest';
import { coordinate } from '../../coordinator/transition.js';
import type { RelayEffect, RelayMessage, RelayState } from '../../relay/relay-state.js';
import { relay } from '../../relay/transition.js';
import { referenceRun } from '../../simulation/arithmetic.js';
import { FAULTS, type Fault, type Misbehaviour } from '../../simulation/plan.js';
import { simulate } from '../../simulation/simulation.js';
import { VirtualCluster } from '../../simulation/virtual-cluster.js';
import type { Relay } from '../../simulation/virtual-relay.js';

/** Seeds of each kind of run; UNISUM_SIMULATIONS sets another number. */
const RUNS = Number(process.env.UNISUM_SIMULATIONS ?? 40);
const PLAN = { workers: 6, steps: 60, relays: 3, faults: true };
/** A mutant must be detected within so many seeds. */
const DETECTED_WITHIN = 60;

/** Faults that a relay can have. */
const INJECTED: readonly Fault[] = ['cut', 'half-open', 'partition', 'pause', 'crash', 'restart', 'leave'];

describe('a run with relays and faults', () => {
  it.each(['none', 'int8'] as const)(
    'ends with the weights of a run without, codec %s',
    async (compress) => {
      const total: Partial<Record<Fault, number>> = {};
      let throughRelays = 0;
      for (let seed = 0; seed < RUNS; seed++) {
        const { finalHash, expectedHash, faults } = await simulate({ ...PLAN, seed, compress }, (line) => {
          if (/relay-\d+ -> coordinator: partial-sums/.test(line)) throughRelays += 1;
        });
        expect(finalHash, `seed ${seed}`).toBe(expectedHash);
        for (const fault of FAULTS) total[fault] = (total[fault] ?? 0) + (faults[fault] ?? 0);
      }
      for (const fault of INJECTED) expect(total[fault], fault).toBeGreaterThan(3);
      expect(throughRelays).toBeGreaterThan(2 * RUNS);
    },
    600_000,
  );
});

describe('a run of local updates with relays and faults', () => {
  it.each(['none', 'int4'] as const)(
    'ends with the weights of a run without, codec %s',
    async (compress) => {
      let atOnce = 0;
      for (let seed = 0; seed < RUNS; seed++) {
        const given = new Map<string, number>();
        const local = { replicas: 6, steps: 30 };
        const { finalHash, expectedHash } = await simulate({ ...PLAN, seed, compress, local }, (line) => {
          // Replicas that a relay has handed on and that are not answered.
          const [, relayName, step] = /(relay-\d+) -> worker-\d+: work (\d+)/.exec(line) ?? [];
          const [, toRelay] = /worker-\d+ -> (relay-\d+): partial-sums/.exec(line) ?? [];
          if (relayName !== undefined && step !== undefined) {
            given.set(relayName, (given.get(relayName) ?? 0) + 1);
            if ((given.get(relayName) as number) > 1) atOnce += 1;
          }
          if (toRelay !== undefined) given.set(toRelay, 0);
        });
        expect(finalHash, `seed ${seed}`).toBe(expectedHash);
      }
      expect(atOnce).toBeGreaterThan(RUNS);
    },
    600_000,
  );

  it.each([
    [
      5_000_111,
      'a second cancellation of a round was acknowledged with the first, and an answer counted as unasked',
    ],
  ])('seed %i: %s', async (seed) => {
    const plan = { ...PLAN, workers: 5, seed, local: { replicas: 8, steps: 30 } };
    const { finalHash, expectedHash } = await simulate(plan);
    expect(finalHash).toBe(expectedHash);
  });
});

/** A relay that is changed before each transition, or whose effects are. */
function mutant(
  change: (state: RelayState, message: RelayMessage) => RelayMessage,
  replace: (effect: RelayEffect) => RelayEffect = (effect) => effect,
): Relay {
  return (state, message, nowMs) => {
    const result = relay(state, change(state, message), nowMs);
    return { state: result.state, effects: result.effects.map(replace) };
  };
}

const unchanged = (_state: RelayState, message: RelayMessage): RelayMessage => message;

/** Deliberate bugs of relays. */
const MUTANTS: Readonly<Record<string, Relay>> = {
  'a partial sum is added twice, in place of another': mutant(unchanged, (effect) => {
    if (effect.kind !== 'computed') return effect;
    const first = effect.parts[0]?.partialSums[0];
    const parts = effect.parts.map((part, i) =>
      i === 1 && first
        ? { ...part, partialSums: part.partialSums.map((sum) => ({ ...sum, buffer: first.buffer })) }
        : part,
    );
    return { ...effect, parts };
  }),
  'a part of the sums is forwarded twice': mutant(unchanged, (effect) =>
    effect.kind === 'computed'
      ? { ...effect, parts: [...effect.parts, ...effect.parts.slice(0, 1)] }
      : effect,
  ),
  'a part of the sums is left out': mutant(unchanged, (effect) =>
    effect.kind === 'computed' && effect.parts.length > 1
      ? { ...effect, parts: effect.parts.slice(1) }
      : effect,
  ),
  'segments of weights are not passed on': mutant(unchanged, (effect) =>
    effect.kind === 'send' && effect.attachment === 'weights' ? { ...effect, attachment: 'none' } : effect,
  ),
  'it answers for one that is gone': mutant((state, message) => {
    if (message.kind !== 'disconnected') return message;
    for (const task of state.scheduling.current?.held.get(message.id) ?? [])
      task.answers.push({
        ...{ memberId: message.id, isTrusted: false, doubt: 'none', isConfirmed: false, partialSums: [] },
        hash: undefined,
      });
    return message;
  }),
  'the leaves of one that is gone are forgotten': mutant((state, message) => {
    if (message.kind !== 'disconnected') return message;
    for (const task of state.scheduling.current?.held.get(message.id) ?? []) task.assignees = [];
    state.scheduling.current?.held.delete(message.id);
    return message;
  }),
  'those below keep the weights of an earlier step': mutant((state, message) => {
    if (message.kind !== 'compute') return message;
    for (const worker of state.scheduling.workers.values())
      if (worker.weightsStep >= 0) worker.weightsStep = message.step;
    return { ...message, brings: undefined };
  }),
};

describe('the simulation detects this mutant of a relay:', () => {
  it.each(Object.entries(MUTANTS))('%s', async (_what, decideRelay) => {
    let detected: string | undefined;
    for (let seed = 0; detected === undefined && seed < DETECTED_WITHIN; seed++)
      await simulate({ ...PLAN, seed }, undefined, coordinate, decideRelay).catch((error: Error) => {
        detected = error.message;
      });
    expect(detected).toBeDefined();
  });
});

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
