import { coordinate } from '../../coordinator/coordinator.js';
import type { CoordinatorEffect, CoordinatorMessage } from '../../coordinator/messages.js';
import type { CoordinatorState } from '../../coordinator/state.js';
import type { Coordinate } from '../../scripts/simulation/virtual-coordinator.js';

type Sabotage = (state: CoordinatorState, message: CoordinatorMessage) => void;

/** The coordinator with something done to its state, or to what it is told, before each message. */
function before(sabotage: Sabotage): Coordinate {
  return (state, message, nowMs) => {
    sabotage(state, message);
    return coordinate(state, message, nowMs);
  };
}

/** The coordinator whose effects are others, or not all there. */
function instead(
  alter: (
    effect: CoordinatorEffect,
    message: CoordinatorMessage,
    state: CoordinatorState,
  ) => readonly CoordinatorEffect[],
): Coordinate {
  return (state, message, nowMs) => {
    const { effects } = coordinate(state, message, nowMs);
    return { state, effects: effects.flatMap((effect) => alter(effect, message, state)) };
  };
}

/** Faults planted in the coordinator on purpose. */
export const PLANTED: Readonly<Record<string, Coordinate>> = {
  'what a member leaves undone is forgotten': before((state, message) => {
    if (message.kind !== 'disconnected') return;
    for (const task of state.round?.held.get(message.id) ?? []) task.holders = [];
    state.round?.held.delete(message.id);
  }),
  'what is handed out again is not sent': instead((effect, message) => {
    const isAgain =
      message.kind === 'disconnected' && effect.kind === 'send' && effect.message.kind === 'work';
    return isAgain ? [] : [effect];
  }),
  'a member that left is still waited for': before((state, message) => {
    if (message.kind === 'disconnected') state.round?.held.delete(message.id);
  }),
  'what a member leaves undone is taken for done': before((state, message) => {
    if (message.kind !== 'disconnected') return;
    for (const task of state.round?.held.get(message.id) ?? [])
      task.answers.push({ memberId: message.id, isTrusted: false, partials: [], hash: undefined });
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
  'a late duplicate is counted as well': before((state, message) => {
    if (message.kind !== 'received' || message.message.kind !== 'partials') return;
    const { range } = message.message;
    const done = state.round?.roots.find((root) => root.answers.length > 0 && root.range.from === range.from);
    if (done !== undefined && message.message.step === state.step) state.round?.roots.push(done);
  }),
  'a leaf is left out at the end of a round': instead((effect) =>
    effect.kind === 'finish' && effect.step === 5
      ? [{ ...effect, arrived: effect.arrived.slice(1) }]
      : [effect],
  ),
  'a leaf is left out of a stride': instead((effect) =>
    effect.kind === 'stride' && effect.shares.length > 1
      ? [{ ...effect, shares: effect.shares.slice(1) }]
      : [effect],
  ),
  'weights are not sent to who joins': (state, message, nowMs) => {
    const step = coordinate(state, message, nowMs);
    for (const member of state.members.values()) if (state.nowMs > 2000) member.weightsStep = state.step + 1;
    return step;
  },
  'work is handed out twice to the same member': instead((effect) =>
    effect.kind === 'send' && effect.message.kind === 'work' && effect.message.step === 7
      ? [effect, effect]
      : [effect],
  ),
  'sums that are late are kept for ever': instead((effect) => (effect.kind === 'release' ? [] : [effect])),
  'sums are given back though they are needed': instead((effect) =>
    effect.kind === 'compare'
      ? [effect, { kind: 'release', slots: effect.answers[0]?.partials.map(({ slot }) => slot) ?? [] }]
      : [effect],
  ),
  'what differs is not looked into': before((_, message) => {
    if (message.kind === 'compared')
      Object.assign(message, { hashes: message.hashes.map((one) => ({ ...one, hash: 'same' })) });
  }),
  'of two that differ the first is right': before((_, message) => {
    if (message.kind !== 'compared' || message.parameter === undefined) return;
    const [first, ...others] = message.hashes;
    Object.assign(message, {
      hashes: [first, ...others.map((one) => ({ ...one, hash: `${one.hash} ${one.memberId}` }))],
    });
  }),
  'a checkpoint says that it is of a later step': instead((effect) =>
    effect.kind === 'checkpoint'
      ? [{ ...effect, progress: { ...effect.progress, step: effect.progress.step + 1 } }]
      : [effect],
  ),
  'a stride leaves out the leaves of another': instead((effect) =>
    effect.kind === 'stride' && effect.shares.length > 1
      ? [
          {
            ...effect,
            shares: effect.shares.map((share) => ({
              ...share,
              range: effect.shares[0]?.range ?? share.range,
            })),
          },
        ]
      : [effect],
  ),
  'answers are not compared': instead((effect) => (effect.kind === 'compare' ? [] : [effect])),
  'late members are not hedged, and silence is no reason to drop them': before((state) => {
    if (state.round !== undefined) state.round.nextDueMs = Number.POSITIVE_INFINITY;
    for (const member of state.members.values()) member.heardAtMs = state.nowMs;
    state.sweptAtMs = state.nowMs;
  }),
};

/** Faults planted in what becomes of the earlier work of a member that was found to be wrong. */
export const PLANTED_BESIDE_LIARS: Readonly<Record<string, Coordinate>> = {
  'what it said before stays in the weights': before((state, message) => {
    if (message.kind === 'compared') state.believedSince.clear();
  }),
  'the run does not go back far enough': before((state, message) => {
    if (message.kind !== 'compared') return;
    for (const name of state.believedSince.keys()) state.believedSince.set(name, state.step - 1);
  }),
  'only what nobody could confirm is remembered of the latest step': before((state, message) => {
    if (message.kind === 'finished') state.believedSince.clear();
  }),
  'the steps go back, the weights do not': instead((effect) => (effect.kind === 'restore' ? [] : [effect])),
  'weights are not sent anew after going back': (state, message, nowMs) => {
    const { effects } = coordinate(state, message, nowMs);
    if (!effects.some(({ kind }) => kind === 'restore')) return { state, effects };
    return {
      state,
      effects: effects.map((effect) => (effect.kind === 'send' ? { ...effect, attachment: 'none' } : effect)),
    };
  },
  'weights are replaced under threads that compute': before((state, message) => {
    if (message.kind !== 'compared') return;
    const isLocal = (id: string): boolean => state.members.get(id)?.sharesMemory ?? false;
    for (const member of state.members.values()) if (member.sharesMemory) member.late = [];
    for (const task of state.round?.tasks.values() ?? [])
      task.holders = task.holders.filter(({ memberId }) => !isLocal(memberId));
  }),
};
