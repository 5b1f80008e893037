import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { assert } from '../../shared/errors.js';
import type { LeafRange } from '../../shared/reduction/tree.js';
import { type Member, UNASKED_MAX } from '../state/member.js';
import type { RunSettings } from '../state/run-settings.js';
import type { Assignment } from './assignment.js';
import { type ExchangeLog, noExchanges } from './exchange-log.js';
import type { Inquiry } from './inquiry-state.js';
import { initialPlacement, type Placement } from './placement.js';
import type { RehearsalCheck, Rehearsals } from './rehearsal-state.js';
import type { DistributedStep } from './step-tasks.js';
import type { Throughput } from './throughput.js';

/** The scheduling room's part of the state: who computes what of the step under way, and how fast each worker is. */
export interface SchedulingState {
  readonly settings: Pick<
    RunSettings,
    'leavesPerGroup' | 'shardLevel' | 'audit' | 'placement' | 'exchange' | 'answerSegmentsMax' | 'data'
  > & {
    /** Local updates: leaves are replicas. Each is a task of its own, and worth an interruption. */
    readonly isLocal: boolean;
    /** Members that have the weights of one step are sent an update to those of the next. */
    readonly hasCodec: boolean;
  };
  /** By member id, in the order in which they connected. Only those whose member is ready are given work. */
  readonly workers: Map<string, WorkerRecord>;
  /** Ids of those that are ready, and of those of them whose sums can count: while a run waits, they are counted at each message. */
  readonly ready: Set<string>;
  readonly able: Set<string>;
  /** The distributed step under way. It stays until its sum is in the weights, closed from its last answer on. */
  current: DistributedStep | undefined;
  /** Relays whose sums were wrong in the step under way, as long as it is not known who below them was; see inquiry.ts. */
  inquiries: Inquiry[];
  /** In a run with a codec, the number of steps done whose last one has its encoded update in memory; -1: there is none. */
  updateStep: number;
  /** Who computes what, by the number of leaves in a batch: the last batch of an epoch may have fewer. */
  readonly assignments: Map<number, Assignment>;
  /** Which remote members are given work. */
  readonly placement: Placement;
  /** What exchanges take, by the number of members. */
  readonly exchanges: ExchangeLog;
  /** Decides what is audited and by whom. */
  readonly random: SeededRandom;
  /** The rehearsal whose answer is checked; undefined: none is. */
  check: RehearsalCheck | undefined;
  /** What is left of the time that rehearsals of all members may take, and since when. */
  rehearsalTime: { leftMs: number; readonly atMs: number };
  /** When the coordinator will be woken to look for stragglers; infinity when it need not be. */
  wakeAtMs: number;
  /** The longest time that an answer or a step on local threads alone has taken. */
  slowestMs: number;
  /** Since when the step under way waits for members that are not there, and when that is told next. */
  waiting: { readonly sinceMs: number; tellAtMs: number } | undefined;
  /** The same for the workers that the run waits for before its first step. */
  awaiting: { readonly sinceMs: number; tellAtMs: number } | undefined;
}

/** What this room knows of a member. */
export interface WorkerRecord {
  /** Changed by the membership room, only read here. */
  readonly member: Readonly<Member>;
  /** The step whose weights it holds; -1 before the first. */
  weightsStep: number;
  /** How often it was sent weights or an update. */
  deliveries: number;
  /** Undefined before its first answer. */
  throughput: Throughput | undefined;
  /** Tasks of steps that ended without its answer. A worker that has any is a straggler. */
  stragglerTasks: StragglerTask[];
  /** What is known from tasks whose answers nobody needs; see rehearsal.ts. */
  readonly rehearsals: Rehearsals;
  /** It has answered, so that steps may count on it; not any more once it was late too often. See lateness.ts. */
  hasRehearsed: boolean;
  /** Its latest sums have said who has computed them: it is a relay. */
  accounts: boolean;
  /** Rises with every late answer, and falls slowly with others. */
  lateness: number;
  /** What it was told last about its work; undefined before it was told anything. */
  announced: (Announcement & { readonly reason: string }) | undefined;
  /** Partial sums that it may still send, because they were asked for (and a few more). */
  answersDue: number;
  /** Segments that it has sent since its latest partial sums. */
  segments: number;
  /** Answers since then whose segments it has retracted. */
  retractions: number;
  /** Cancellations that it was sent, and those that it has acknowledged. */
  cancelsSent: number;
  cancelsAcknowledged: number;
  /** It was told to fetch the data that it lacks. */
  isFetching: boolean;
}

/** What a member was told about its work, and the figures behind it. */
export interface Announcement {
  readonly isActive: boolean;
  readonly aloneMs: number;
  readonly overheadMs: number;
  readonly atMs: number;
}

/** Bytes, both ways, that workers exchange in a step of which none has answered yet; and so many workers take part in any case. */
const UNTRIED_BYTES_MAX = 128 * 2 ** 20;
const UNTRIED_LEAST = 8;

/** Rehearsals of a member that do not count: its threads compile, its caches are cold. */
const WARM_UP_REHEARSALS = 1;

/** A task whose answer nobody needs: others were faster, or it was a rehearsal. */
export interface StragglerTask {
  readonly step: number;
  readonly range: LeafRange;
  readonly dispatchedMs: number;
  /** Of a rehearsal: so many answers to it do not count, and it follows again. */
  readonly rehearsal?: { readonly warming: number };
  /** The cancellation that it has to give it up by, the how manyth of those it was sent. */
  cancel?: number;
}

/** Nobody has been given anything yet. */
export function initialScheduling({
  local,
  leavesPerGroup,
  compression,
  shardLevel,
  audit,
  placement,
  exchange,
  answerSegmentsMax,
  data,
}: Pick<
  RunSettings,
  | 'local'
  | 'leavesPerGroup'
  | 'compression'
  | 'shardLevel'
  | 'audit'
  | 'placement'
  | 'exchange'
  | 'answerSegmentsMax'
  | 'data'
>): SchedulingState {
  const isLocal = local !== undefined;
  return {
    settings: {
      isLocal,
      hasCodec: compression !== undefined || local?.codec !== undefined,
      leavesPerGroup: isLocal ? 1 : leavesPerGroup,
      shardLevel,
      audit,
      placement,
      exchange,
      answerSegmentsMax,
      data,
    },
    workers: new Map(),
    ready: new Set(),
    able: new Set(),
    current: undefined,
    inquiries: [],
    updateStep: -1,
    assignments: new Map(),
    placement: initialPlacement(placement),
    exchanges: noExchanges(),
    random: new SeededRandom(audit.seed),
    check: undefined,
    rehearsalTime: { leftMs: 0, atMs: Number.NEGATIVE_INFINITY },
    wakeAtMs: Number.POSITIVE_INFINITY,
    slowestMs: 0,
    waiting: undefined,
    awaiting: undefined,
  };
}

/** A peer has connected; it is given work once it is ready. */
export function onMemberConnected({ workers }: SchedulingState, member: Readonly<Member>): void {
  workers.set(member.id, {
    member,
    weightsStep: -1,
    deliveries: 0,
    throughput: undefined,
    stragglerTasks: [],
    rehearsals: { answered: 0, isChecked: false, nextAtMs: Number.NEGATIVE_INFINITY, delayMs: 0 },
    hasRehearsed: member.sharesMemory,
    accounts: false,
    lateness: 0,
    announced: undefined,
    answersDue: UNASKED_MAX,
    segments: 0,
    retractions: 0,
    cancelsSent: 0,
    cancelsAcknowledged: 0,
    isFetching: false,
  });
}

/** Workers that can be given work, in the order in which they connected. */
export function readyWorkers({ workers }: SchedulingState): WorkerRecord[] {
  const ready: WorkerRecord[] = [];
  for (const worker of workers.values()) if (worker.member.phase === 'ready') ready.push(worker);
  return ready;
}

/**
 * Workers that are given the leaves of distributed steps. A worker that has answered nothing yet, or was late too often, is
 * not one of them while there are others: it is rehearsed first, so that no step waits for it.
 */
export function activeWorkers(part: SchedulingState): WorkerRecord[] {
  const able = ableWorkers(part);
  if (choosesHelpers(part)) {
    const { helpers } = part.placement;
    return able.filter(
      ({ member, hasRehearsed }) => hasRehearsed && (member.sharesMemory || helpers.has(member.id)),
    );
  }
  const rehearsed = able.filter(({ hasRehearsed }) => hasRehearsed);
  return rehearsed.length > 0 ? rehearsed : untriedWorkers(part, able);
}

/**
 * Where no worker has answered yet, so many are given leaves as their bytes do not occupy this machine's link for long: members
 * behind a long queue would seem silent, and what they owe would be given to others, too. The others are rehearsed meanwhile.
 */
function untriedWorkers(
  { settings: { exchange } }: SchedulingState,
  able: readonly WorkerRecord[],
): WorkerRecord[] {
  const most = Math.max(UNTRIED_LEAST, Math.floor(UNTRIED_BYTES_MAX / exchange.bytes));
  if (able.length <= most) return [...able];
  const prompt = able.filter((worker) => !isStraggler(worker));
  return (prompt.length > 0 ? prompt : able).slice(0, most);
}

/** Workers whose sums can count. */
export function ableWorkers(part: SchedulingState): WorkerRecord[] {
  return readyWorkers(part).filter(({ member }) => member.hasData);
}

/** How many workers the run waits for are here: those that can take part in its first step as soon as they are wanted. */
export function awaitedCount(part: SchedulingState): number {
  return (choosesHelpers(part) ? part.ready : part.able).size;
}

/** Whether remote workers are given work only where they make the run faster. */
export function choosesHelpers(part: SchedulingState): boolean {
  if (part.placement.policy !== 'auto') return false;
  // Local workers connect first.
  for (const { member } of part.workers.values())
    if (member.sharesMemory && member.phase === 'ready') return true;
  return false;
}

/**
 * Rehearsals of a worker that do not count. Where it is given work in any case, its first answer shows that it answers; and a
 * replica takes so long that what is slow about the first one hardly shows.
 */
export function warmUpRehearsals(part: SchedulingState): number {
  return choosesHelpers(part) && !part.settings.isLocal ? WARM_UP_REHEARSALS : 0;
}

/** Whether a remote worker could take part in the next step. */
export function hasHelp(part: SchedulingState): boolean {
  return activeWorkers(part).some((worker) => !worker.member.sharesMemory && !isStraggler(worker));
}

/** The distributed step under way. @throws AssertionError when there is none, or its sum is being computed */
export function openOf({ current }: SchedulingState): DistributedStep {
  assert(current !== undefined && !current.isClosed, 'no step is open');
  return current;
}

/** Nobody holds weights that still count: the run has gone back to an earlier state. */
export function forgetWeights(part: SchedulingState): void {
  for (const worker of part.workers.values()) worker.weightsStep = -1;
  part.updateStep = -1;
}

/**
 * The encoded update in memory is that of the last of so many steps. `isBroken`: a step that was not done has overwritten it.
 */
export function noteUpdate(part: SchedulingState, step: number, isBroken: boolean): void {
  part.updateStep = isBroken ? -1 : step;
}

/** Whether a thread of this process still computes a task that nobody needs, with the weights as they are now. */
export function hasLocalStragglers(part: SchedulingState): boolean {
  return readyWorkers(part).some((worker) => worker.member.sharesMemory && isStraggler(worker));
}

/** Remote workers that may still send answers of earlier steps. */
export function remoteStragglers(part: SchedulingState): readonly string[] {
  const stragglers = readyWorkers(part).filter(
    (worker) => !worker.member.sharesMemory && isStraggler(worker),
  );
  return stragglers.map(({ member }) => member.id);
}

/** Whether a member says who has computed its sums. */
export function accounts({ workers }: SchedulingState, id: string): boolean {
  return workers.get(id)?.accounts ?? false;
}

/** A worker has answered something that it was asked since it joined. */
export function hasAnswered({ hasRehearsed, rehearsals, throughput }: WorkerRecord): boolean {
  return hasRehearsed || rehearsals.answered > 0 || throughput !== undefined;
}

/** A worker owes answers of earlier steps: it cannot begin at once with what it is given. */
export function isStraggler({ stragglerTasks }: WorkerRecord): boolean {
  return stragglerTasks.length > 0;
}
