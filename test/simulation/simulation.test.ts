import { describe, expect, it } from 'vitest';
import { coordinate } from '../../coordinator/coordinator.js';
import type { CoordinatorMessage } from '../../coordinator/messages.js';
import { simulate } from '../../scripts/simulation/simulation.js';
import type { Coordinate } from '../../scripts/simulation/virtual-coordinator.js';

/** Seeds of each test; UNISUM_SIMULATIONS asks for more. */
const RUNS = Number(process.env.UNISUM_SIMULATIONS ?? 150);
const PLAN = { workers: 5, steps: 60, faults: true };

describe('whatever happens to nodes and network', () => {
  it('every run ends with the weights of an undisturbed one', () => {
    const faults: Record<string, number> = {};
    for (let seed = 0; seed < RUNS; seed++) {
      const result = simulate({ ...PLAN, seed });
      expect(result.finalHash, `seed ${seed}`).toBe(result.expectedHash);
      for (const [fault, times] of Object.entries(result.faults))
        faults[fault] = (faults[fault] ?? 0) + times;
    }
    for (const fault of ['cut', 'partition', 'pause', 'crash', 'lie'])
      expect(faults[fault], fault).toBeGreaterThan(9);
  }, 600_000);

  it('the same seed takes the same course', () => {
    const traceOf = (): string[] => {
      const lines: string[] = [];
      simulate({ ...PLAN, seed: 3 }, (line) => lines.push(line));
      return lines;
    };
    expect(traceOf()).toEqual(traceOf());
  });

  it('one worker is enough, and a thousand are not too many', () => {
    for (const workers of [1, 1000]) simulate({ seed: 1, workers, steps: 3, faults: false });
  });
});

type Sabotage = (state: Parameters<Coordinate>[0], message: CoordinatorMessage) => void;

/** The coordinator with something done to its state before each message. */
function before(sabotage: Sabotage): Coordinate {
  return (state, message, nowMs) => {
    sabotage(state, message);
    return coordinate(state, message, nowMs);
  };
}

/** Faults planted in the coordinator on purpose. */
const PLANTED: Readonly<Record<string, Coordinate>> = {
  'what a member leaves undone is forgotten': before((state, message) => {
    if (message.kind !== 'disconnected') return;
    for (const task of state.round?.held.get(message.id) ?? []) task.holders = [];
    state.round?.held.delete(message.id);
  }),
  'sums of another step are taken for those of this one': before((state, message) => {
    if (message.kind !== 'received' || message.message.kind !== 'partials' || state.round === undefined)
      return;
    const late = state.members.get(message.id)?.late;
    if (late?.length)
      Object.assign(message.message, { step: state.step, range: state.round.roots[0]?.range });
    late?.splice(0);
  }),
  'sums are counted whatever leaves they are of': before((state, message) => {
    if (message.kind !== 'received' || message.message.kind !== 'partials') return;
    const task = [...(state.round?.tasks.values() ?? [])].find(({ answers }) => answers.length > 0);
    if (task !== undefined && message.slots[0] !== undefined)
      Object.assign(task.answers[0] as object, {
        partials: task.answers[0]?.partials.map((partial, i) => ({
          ...partial,
          slot: message.slots[i] ?? partial.slot,
        })),
      });
  }),
  'weights are not sent to who joins': (state, message, nowMs) => {
    const step = coordinate(state, message, nowMs);
    for (const member of state.members.values()) if (state.nowMs > 2000) member.weightsStep = state.step + 1;
    return step;
  },
  'a member that left is still waited for': before((state, message) => {
    if (message.kind === 'disconnected') state.round?.held.delete(message.id);
  }),
  'what a member leaves undone is taken for done': before((state, message) => {
    if (message.kind !== 'disconnected') return;
    for (const task of state.round?.held.get(message.id) ?? [])
      task.answers.push({ memberId: message.id, isTrusted: false, partials: [], hash: undefined });
  }),
  'what differs is not looked into': before((_, message) => {
    if (message.kind === 'compared')
      Object.assign(message, { hashes: message.hashes.map((one) => ({ ...one, hash: 'same' })) });
  }),
  'late members are not hedged, and silence is no reason to drop them': before((state) => {
    if (state.round !== undefined) state.round.nextDueMs = Number.POSITIVE_INFINITY;
    for (const member of state.members.values()) member.heardAtMs = state.nowMs;
    state.sweptAtMs = state.nowMs;
  }),
};

describe('a fault planted in the coordinator is found:', () => {
  it.each(Object.entries(PLANTED))('%s', (_what, wrong) => {
    const findings: string[] = [];
    for (let seed = 0; seed < 60 && findings.length === 0; seed++) {
      try {
        simulate({ ...PLAN, seed }, undefined, wrong);
      } catch (error) {
        findings.push(String(error));
      }
    }
    expect(findings).toHaveLength(1);
  });
});
