/* The members of a run as people see them, from what each room knows of them. */
import { leavesOf, samplesOf } from '../shared/data/step-shape.js';
import {
  MEMBERS_SHOWN_MAX,
  type MemberRow,
  type MembersNews,
  SHARES_SHOWN_MAX,
  type ShareRow,
} from '../shared/protocol/member-news.js';
import type { CoordinatorState } from './coordinator-state.js';
import type { WorkerRecord } from './scheduling/scheduling-state.js';
import { result, type Task } from './scheduling/step-tasks.js';

const MEMBER_PHASES: readonly string[] = ['preparing', 'ready'];

/** The members as they are now, those that have computed the most first, and who computes what of the step under way. */
export function memberTable(state: CoordinatorState, nowMs: number): MembersNews {
  const { training, membership, scheduling } = state;
  const workers = [...scheduling.workers.values()].filter(
    ({ member }) => membership.members.has(member.id) && MEMBER_PHASES.includes(member.phase),
  );
  workers.sort((a, b) => b.member.samples - a.member.samples);
  const step = Math.min(training.step, state.settings.steps - 1);
  const leaves = leavesOf(state.settings, step);
  return {
    kind: 'members',
    step,
    members: workers.slice(0, MEMBERS_SHOWN_MAX).map((worker) => row(state, worker, leaves, nowMs)),
    leftOut: Math.max(0, workers.length - MEMBERS_SHOWN_MAX),
    leaves,
    shares: sharesNow(state).slice(0, SHARES_SHOWN_MAX),
  };
}

function row(
  state: CoordinatorState,
  { member, throughput, announced }: WorkerRecord,
  leaves: number,
  nowMs: number,
): MemberRow {
  const { settings, training } = state;
  const { id, name, address, backend, threads, samples, standing, roundTripMs, sharesMemory } = member;
  const samplesPerLeaf = samplesOf(settings, training.step) / leaves;
  const msPerLeaf = (sharesMemory ? localMsPerLeaf(state, id) : undefined) ?? throughput?.msPerLeaf;
  const exchangeMs = sharesMemory ? undefined : throughput?.overheadMs;
  const perLeaf = samplesPerLeaf * (throughput?.concurrency ?? 1);
  const isActive = announced === undefined ? settings.placement === 'all' : announced.isActive;
  return {
    ...{ id, name, backend: backend === '' ? 'unknown' : backend, threads },
    ...(address !== '' && !sharesMemory && { address }),
    state:
      member.phase === 'preparing' ? 'preparing' : sharesMemory ? 'here' : isActive ? 'active' : 'standby',
    ...(announced !== undefined && { reason: announced.reason }),
    samples,
    ...(msPerLeaf !== undefined && msPerLeaf > 0 && { speed: (1000 * perLeaf) / msPerLeaf }),
    ...(roundTripMs !== undefined && { roundTripMs: Math.max(0, roundTripMs) }),
    ...(exchangeMs !== undefined && { exchangeMs: Math.max(0, exchangeMs) }),
    // Bytes per millisecond, as megabits per second.
    ...(exchangeMs !== undefined &&
      exchangeMs > 0 && { megabits: (8 * settings.exchange.bytes) / exchangeMs / 1000 }),
    ...(!sharesMemory && { silentMs: Math.max(0, nowMs - member.heardAtMs) }),
    ...{ confirmed: standing.confirmed, expelled: standing.wrong + standing.silent },
    seconds: Math.max(0, nowMs - member.joinedAtMs) / 1000,
  };
}

/** All threads of this process take the time of a step for their parts of it. */
function localMsPerLeaf({ training }: CoordinatorState, id: string): number | undefined {
  const share = training.executing.find(({ memberId }) => memberId === id);
  if (share === undefined || training.msPerStep === undefined) return undefined;
  return training.msPerStep / (share.range.to - share.range.from);
}

/** Who computes which leaves: of the distributed step under way, or of the execution. */
function sharesNow({ training, scheduling }: CoordinatorState): ShareRow[] {
  const { current } = scheduling;
  if (current === undefined)
    return training.executing.map(({ memberId, range }) => ({ member: memberId, ...range, isDone: false }));
  const rows: ShareRow[] = [];
  const collect = (task: Task): void => {
    const answer = result(task);
    if (answer === undefined && task.subtasks.length > 0) return task.subtasks.forEach(collect);
    const member = answer?.memberId ?? task.assignees[0]?.memberId ?? task.answers[0]?.memberId;
    if (member !== undefined) rows.push({ member, ...task.range, isDone: answer !== undefined });
  };
  current.roots.forEach(collect);
  return rows;
}
