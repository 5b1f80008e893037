import { describe, expect, it } from 'vitest';
import { coordinate } from '../../coordinator/transition.js';
import type { RelayEffect, RelayMessage, RelayState } from '../../relay/relay-state.js';
import { relay } from '../../relay/transition.js';
import { FAULTS, type Fault } from '../../simulation/plan.js';
import { simulate } from '../../simulation/simulation.js';
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
