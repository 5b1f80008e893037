import { expulsion, type WrongAnswer } from '../coordinator/auditing/audit.js';
import { concludeInquiries, inquire, onMemberMessage, withoutMembers } from '../coordinator/member-work.js';
import { expel, memberOf, NOTHING, onDoubt, say } from '../coordinator/membership/membership.js';
import { discardResults } from '../coordinator/scheduling/answers.js';
import { abandonStep, closeRange } from '../coordinator/scheduling/closing.js';
import { addToStep, continueStep, startStep } from '../coordinator/scheduling/distributed-step.js';
import { chooseNextStep } from '../coordinator/scheduling/next-step.js';
import { onMemberReady } from '../coordinator/scheduling/rehearsal.js';
import {
  forgetWeights,
  noteUpdate,
  type SchedulingState,
} from '../coordinator/scheduling/scheduling-state.js';
import type { Chosen } from '../coordinator/scheduling/step-tasks.js';
import type { TransitionResult } from '../shared/actor/transition.js';
import { leavesOf } from '../shared/data/step-shape.js';
import { assert } from '../shared/errors.js';
import { REPLICAS_MAX } from '../shared/optim/local-updates.js';
import type { Expel } from '../shared/protocol/messages.js';
import { leafCount } from '../shared/reduction/tree.js';
import type { ComputedPart, RelayEffect, RelayMessage, RelayState, RelayTask } from './relay-state.js';

/**
 * A relay towards those below it. It admits them, keeps them alive and serves them the data as a coordinator does, with the same
 * rooms. A step is what it was given of one: its leaves are assigned, dispatched, hedged and dispatched again as those of a
 * coordinator's step are. It updates no weights, keeps no checkpoints, and ends with the run above it.
 */
export function relay(
  state: RelayState,
  message: RelayMessage,
  nowMs: number,
): TransitionResult<RelayState, RelayEffect> {
  const effects = [...onMessage(state, message, nowMs), ...conclude(state, nowMs), ...advance(state, nowMs)];
  return { state, effects };
}

/** How many below can be given work. */
export function ableCount({ scheduling }: RelayState): number {
  return scheduling.able.size;
}

function onMessage(state: RelayState, message: RelayMessage, nowMs: number): readonly RelayEffect[] {
  const { scheduling } = state;
  switch (message.kind) {
    case 'compute':
      return onCompute(state, message);
    case 'expel':
      return onExpel(state, message, nowMs);
    case 'abandon':
      state.tasks = [];
      return abandonStep(scheduling);
    default: {
      const { effects, ready, wrong = [] } = onMemberMessage(state, message, nowMs);
      if (ready !== undefined) return [...effects, ...onMemberReady(scheduling, ready.id)];
      return [...effects, ...wrong.flatMap((one) => onWrong(state, one, nowMs))];
    }
  }
}

/** Leaves have come from above. What came with them decides which weights those below still have. */
function onCompute(state: RelayState, { step, range, brings }: RelayTask): RelayEffect[] {
  const { scheduling, tasks } = state;
  const isAlike = scheduling.settings.isLocal && brings === undefined;
  assert(
    tasks.every((task) => isAlike && task.step === step),
    'a relay is given one task at a time, or replicas of one round',
  );
  if (brings === 'weights') forgetWeights(scheduling);
  if (brings === 'update') {
    noteUpdate(scheduling, step, false);
    for (const worker of scheduling.workers.values())
      if (worker.weightsStep !== step - 1) worker.weightsStep = -1;
  }
  state.tasks = [...tasks, { step, range, brings }];
  return [];
}

/** Starts whatever can be started now. */
function advance(state: RelayState, nowMs: number): RelayEffect[] {
  const { scheduling, tasks } = state;
  const [first] = tasks;
  if (first === undefined || ableCount(state) === 0) return [];
  const begun = scheduling.current === undefined ? begin(state, first, nowMs) : [];
  for (const { range } of tasks) addToStep(scheduling, range);
  const { effects } = continueStep(scheduling, nowMs);
  return [...begun, ...effects, ...tasks.flatMap((task) => complete(state, task, nowMs))];
}

/** Dispatches the leaves of a task, and rehearses those below that have not answered yet. */
function begin(state: RelayState, { step, range }: RelayTask, nowMs: number): RelayEffect[] {
  const { scheduling, settings } = state;
  const leaves = leavesOf(settings, step);
  const batch = { samples: settings.batch, leaves: leafCount(settings.batch, settings.leafSize) };
  const stepsLeft = Number.POSITIVE_INFINITY;
  const { effects } = chooseNextStep(scheduling, { step, leaves, batch, stepsLeft }, nowMs);
  const confirmation = { mustConfirmAll: false, isRecheck: false };
  return [...effects, ...startStep(scheduling, { step, leaves, range, ...confirmation }, nowMs)];
}

/** Hands a task upwards, as soon as all of its leaves are here. */
function complete(state: RelayState, task: RelayTask, nowMs: number): RelayEffect[] {
  const closed = closeRange(state.scheduling, task.range, nowMs);
  if (closed === undefined) return [];
  state.tasks = state.tasks.filter((other) => other !== task);
  const { effects, chosen } = closed;
  const parts = chosen.map(({ range, answer: { memberId, partialSums, parts = [] } }): ComputedPart => {
    const name = memberOf(state.membership, memberId)?.name ?? memberId;
    return { memberId, name, range, partialSums, parts };
  });
  const { scheduling } = state;
  const concurrency = scheduling.settings.isLocal && { concurrency: concurrencyOf(scheduling) };
  return [...effects, { kind: 'computed', task, parts, computeMs: computeMs(state, chosen), ...concurrency }];
}

/** How many replicas those below compute at a time, those below relays included. */
function concurrencyOf({ workers, able }: SchedulingState): number {
  const all = [...able].reduce((sum, id) => sum + (workers.get(id)?.throughput?.concurrency ?? 1), 0);
  return Math.min(Math.max(1, all), REPLICAS_MAX);
}

/** The time that what counts has taken, by the measured speed of those below: the longest of their parts. */
function computeMs(state: RelayState, chosen: readonly Chosen[]): number {
  const { scheduling } = state;
  return chosen.reduce((longest, { range, answer }) => {
    const msPerLeaf = scheduling.workers.get(answer.memberId)?.throughput?.msPerLeaf ?? 0;
    return Math.max(longest, (range.to - range.from) * msPerLeaf);
  }, 0);
}

/** What somebody below has computed is wrong: it is expelled, and what it answered is computed again by others. */
function onWrong(state: RelayState, wrong: WrongAnswer, nowMs: number): readonly RelayEffect[] {
  return inquire(state, wrong, nowMs) ?? convict(state, wrong, nowMs);
}

/** Inquiries about relays below that have come to an end. */
function conclude(state: RelayState, nowMs: number): readonly RelayEffect[] {
  const { effects, conclusions } = concludeInquiries(state, nowMs);
  return [
    ...effects,
    ...conclusions.flatMap((one): readonly RelayEffect[] =>
      one.kind === 'relay' ? convict(state, one.wrong, nowMs) : [{ kind: 'report', event: one.event }],
    ),
  ];
}

/** It was found out above that somebody below was wrong: it is expelled, or the relay that it is below is told. */
function onExpel(state: RelayState, message: Expel, nowMs: number): readonly RelayEffect[] {
  const { membership } = state;
  const { step, range, hash, rightHash } = message;
  const [memberId = '', ...rest] = message.path.split('/');
  if (rest.length === 0)
    return convict(state, { memberId, step, range, hash, rightHash, parameter: 'a sum' }, nowMs);
  onDoubt(membership, memberId);
  return membership.members.has(memberId) ? [say(memberId, { ...message, path: rest.join('/') })] : [];
}

function convict(state: RelayState, wrong: WrongAnswer, nowMs: number): readonly RelayEffect[] {
  const { membership, scheduling } = state;
  const { memberId } = wrong;
  const member = memberOf(membership, memberId);
  const { event, reason } = expulsion(wrong, member?.name ?? memberId);
  const discarded = discardResults(scheduling, memberId);
  const outcome = member === undefined ? NOTHING : expel(membership, member, 'wrong', reason, nowMs);
  return [...discarded, { kind: 'report', event }, ...withoutMembers(state, outcome, nowMs)];
}
