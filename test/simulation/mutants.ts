import type { CoordinatorState } from '../../coordinator/coordinator-state.js';
import { CHECK } from '../../coordinator/scheduling/rehearsal-check.js';
import type { CoordinatorEffect, CoordinatorMessage } from '../../coordinator/state/messages.js';
import { coordinate } from '../../coordinator/transition.js';
import type { Coordinate } from '../../simulation/virtual-coordinator.js';

type Change = (state: CoordinatorState, message: CoordinatorMessage, nowMs: number) => void;

/** A coordinator whose state, or the message that it receives, is changed before each transition. */
export function before(change: Change): Coordinate {
  return (state, message, nowMs) => {
    change(state, message, nowMs);
    return coordinate(state, message, nowMs);
  };
}

/** A coordinator whose effects are replaced, or left out. */
function instead(
  replace: (
    effect: CoordinatorEffect,
    message: CoordinatorMessage,
    state: CoordinatorState,
  ) => readonly CoordinatorEffect[],
): Coordinate {
  return (state, message, nowMs) => {
    const { effects } = coordinate(state, message, nowMs);
    return { state, effects: effects.flatMap((effect) => replace(effect, message, state)) };
  };
}

/** Deliberate bugs of the coordinator, each of which the simulation must detect. */
export const MUTANTS: Readonly<Record<string, Coordinate>> = {
  'the tasks of a member that leaves are forgotten': before((state, message) => {
    if (message.kind !== 'disconnected') return;
    for (const task of state.scheduling.current?.held.get(message.id) ?? []) task.assignees = [];
    state.scheduling.current?.held.delete(message.id);
  }),
  'a task that is dispatched again is not sent': instead((effect, message) => {
    const isRepeated =
      message.kind === 'disconnected' && effect.kind === 'send' && effect.message.kind === 'work';
    return isRepeated ? [] : [effect];
  }),
  'a member that has left is still awaited': before((state, message) => {
    if (message.kind === 'disconnected') state.scheduling.current?.held.delete(message.id);
  }),
  'the tasks of a member that leaves count as answered': before((state, message) => {
    if (message.kind !== 'disconnected') return;
    for (const task of state.scheduling.current?.held.get(message.id) ?? [])
      task.answers.push({
        ...{ memberId: message.id, isTrusted: false, doubt: 'none', partialSums: [] },
        hash: undefined,
        isConfirmed: false,
      });
  }),
  'sums of an earlier step count in the current one': before((state, message) => {
    if (
      message.kind !== 'received' ||
      message.message.kind !== 'partial-sums' ||
      state.scheduling.current === undefined
    )
      return;
    const stragglerTasks = state.scheduling.workers.get(message.id)?.stragglerTasks;
    if (stragglerTasks?.length)
      Object.assign(message.message, {
        step: state.training.step,
        range: state.scheduling.current.roots[0]?.range,
      });
    stragglerTasks?.splice(0);
  }),
  'sums count for other leaves than their own': before((state, message) => {
    if (message.kind !== 'received' || message.message.kind !== 'partial-sums') return;
    const task = [...(state.scheduling.current?.tasks.values() ?? [])].find(
      ({ answers }) => answers.length > 0,
    );
    if (task !== undefined && message.buffers[0] !== undefined)
      Object.assign(task.answers[0] as object, {
        partialSums: task.answers[0]?.partialSums.map((partialSum, i) => ({
          ...partialSum,
          buffer: message.buffers[i] ?? partialSum.buffer,
        })),
      });
  }),
  'a late duplicate counts as well': before((state, message) => {
    if (message.kind !== 'received' || message.message.kind !== 'partial-sums') return;
    const { range } = message.message;
    const done = state.scheduling.current?.roots.find(
      (root) => root.answers.length > 0 && root.range.from === range.from,
    );
    if (done !== undefined && message.message.step === state.training.step)
      state.scheduling.current?.roots.push(done);
  }),
  'a partial sum is left out at the end of a distributed step': instead((effect) =>
    effect.kind === 'finish' && effect.step === 5
      ? [{ ...effect, arrived: effect.arrived.slice(1) }]
      : [effect],
  ),
  'a share is left out of an execution': instead((effect) =>
    effect.kind === 'execute' && effect.shares.length > 1
      ? [{ ...effect, shares: effect.shares.slice(1) }]
      : [effect],
  ),
  'a member that joins is not sent the weights': (state, message, nowMs) => {
    const result = coordinate(state, message, nowMs);
    for (const worker of state.scheduling.workers.values())
      if (nowMs > 2000) worker.weightsStep = state.training.step + 1;
    return result;
  },
  'work is sent twice to the same member': instead((effect) =>
    effect.kind === 'send' && effect.message.kind === 'work' && effect.message.step === 7
      ? [effect, effect]
      : [effect],
  ),
  'late sums are never released': instead((effect) => (effect.kind === 'release' ? [] : [effect])),
  'sums are released while they are needed': instead((effect) =>
    effect.kind === 'compare'
      ? [
          effect,
          { kind: 'release', buffers: effect.answers[0]?.partialSums.map(({ buffer }) => buffer) ?? [] },
        ]
      : [effect],
  ),
  'differing answers are taken for equal': before((_, message) => {
    if (message.kind === 'compared')
      Object.assign(message, { hashes: message.hashes.map((one) => ({ ...one, hash: 'same' })) });
  }),
  'of two differing answers the first counts as right': before((_, message) => {
    if (message.kind !== 'compared' || message.parameter === undefined) return;
    const [first, ...others] = message.hashes;
    Object.assign(message, {
      hashes: [first, ...others.map((one) => ({ ...one, hash: `${one.hash} ${one.memberId}` }))],
    });
  }),
  'a checkpoint names a later step than its own': instead((effect) =>
    effect.kind === 'checkpoint'
      ? [{ ...effect, progress: { ...effect.progress, step: effect.progress.step + 1 } }]
      : [effect],
  ),
  'all shares of an execution are of the same leaves': instead((effect) =>
    effect.kind === 'execute' && effect.shares.length > 1
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
  'an execution is not interrupted when a member has rehearsed': instead((effect, message) =>
    effect.kind === 'interrupt-execution' && message.kind === 'received' ? [] : [effect],
  ),
  'a failed save is taken for durable': before((_, message) => {
    if (message.kind === 'saved' && 'problem' in message.outcome)
      Object.assign(message, { outcome: { weightsSha256: '', sha256: '' } });
  }),
  'stragglers are not hedged, and silent members are not dropped': before((state, _, nowMs) => {
    if (state.scheduling.current !== undefined) state.scheduling.current.nextDueMs = Number.POSITIVE_INFINITY;
    for (const member of state.membership.members.values()) member.heardAtMs = nowMs;
    state.membership.sweptAtMs = nowMs;
  }),
};

/** Deliberate bugs in keeping and restoring the best weights; detecting them takes a run that ends with them. */
export const MUTANTS_OF_BEST: Readonly<Record<string, Coordinate>> = {
  'the best weights are not kept': instead((effect) => (effect.kind === 'keep-best' ? [] : [effect])),
  'only the first evaluation is kept as the best': instead((effect, _, state) =>
    effect.kind === 'keep-best' && state.training.step > 10 ? [] : [effect],
  ),
  'the weights of every evaluation are kept as the best': instead((effect, message) =>
    effect.kind === 'notice' || message.kind !== 'evaluated' ? [effect] : [effect, { kind: 'keep-best' }],
  ),
  'a run ends with its last weights instead of its best': instead((effect) =>
    effect.kind === 'restore-best' ? [] : [effect],
  ),
  'a restarted run forgets its best evaluation': before((state) => {
    if (state.training.step > 0 && !state.training.hasBegun) state.evaluation.best = null;
  }),
  'a run stops one evaluation late': before((state) => {
    const { stopping } = state.evaluation;
    if (stopping !== undefined && stopping.wait === state.settings.earlyStopping?.patience)
      state.evaluation.stopping = { ...stopping, wait: stopping.wait - 1 };
  }),
};

/** Deliberate bugs that only hostile workers show, with what the simulation reports. */
export const MUTANTS_WITH_HOSTILE: Readonly<Record<string, readonly [Coordinate, RegExp]>> = {
  'a sum that is not finite ends the run before it was confirmed': [
    before((state, message) => {
      if (message.kind === 'finished' && state.scheduling.current !== undefined)
        state.scheduling.current.isProven = true;
    }),
    /ended as diverged/,
  ],
  'the leaves of a member that answers pings but no work are not dispatched to others': [
    before((state) => {
      if (state.scheduling.current !== undefined)
        state.scheduling.current.nextDueMs = Number.POSITIVE_INFINITY;
    }),
    /makes no progress/,
  ],
};

/** Deliberate bugs in the check of rehearsals; detecting them takes hostile newcomers whose work is not audited. */
export const MUTANTS_OF_REHEARSALS: Readonly<Record<string, readonly [Coordinate, RegExp]>> = {
  'the answer of a newcomer to its rehearsal is not checked': [
    instead((effect) => (effect.kind === 'compare' && effect.task === CHECK ? [] : [effect])),
    /was wrong in the checked rehearsal/,
  ],
  'a wrong answer of a newcomer to its rehearsal is taken for right': [
    before((_, message) => {
      if (message.kind !== 'compared' || message.task !== CHECK) return;
      Object.assign(message, { hashes: message.hashes.map((one) => ({ ...one, hash: 'same' })) });
    }),
    /was wrong in the checked rehearsal/,
  ],
};

/** Deliberate bugs in the rollback after an expulsion; detecting them takes a liar and a partial audit. */
export const MUTANTS_WITH_LIAR: Readonly<Record<string, Coordinate>> = {
  'unverified sums of the expelled member stay in the weights': before((state, message) => {
    if (message.kind === 'compared') state.auditing.unverifiedSince.clear();
  }),
  'the run does not roll back far enough': before((state, message) => {
    if (message.kind !== 'compared') return;
    for (const name of state.auditing.unverifiedSince.keys())
      state.auditing.unverifiedSince.set(name, state.training.step - 1);
  }),
  'only the unverified sums of the latest step are remembered': before((state, message) => {
    if (message.kind === 'finished') state.auditing.unverifiedSince.clear();
  }),
  'the step number is rolled back, the weights are not': instead((effect) =>
    effect.kind === 'restore-snapshot' ? [] : [effect],
  ),
  'weights are not sent again after a rollback': (state, message, nowMs) => {
    const { effects } = coordinate(state, message, nowMs);
    if (!effects.some(({ kind }) => kind === 'restore-snapshot')) return { state, effects };
    return {
      state,
      effects: effects.map((effect) => (effect.kind === 'send' ? { ...effect, attachment: 'none' } : effect)),
    };
  },
  'weights are replaced while local workers compute': before((state, message) => {
    if (message.kind !== 'compared') return;
    const isLocal = (id: string): boolean => state.membership.members.get(id)?.sharesMemory ?? false;
    for (const worker of state.scheduling.workers.values())
      if (worker.member.sharesMemory) worker.stragglerTasks = [];
    for (const task of state.scheduling.current?.tasks.values() ?? [])
      task.assignees = task.assignees.filter(({ memberId }) => !isLocal(memberId));
  }),
};
