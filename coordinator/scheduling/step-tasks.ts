import type { PartialSum } from '../../shared/engine/step/partial-sum-addition.js';
import type { SumPart } from '../../shared/protocol/messages.js';
import { exchangedNodes } from '../../shared/reduction/shards.js';
import { isSameRange, type LeafRange, type TreeNode } from '../../shared/reduction/tree.js';
import type { Trust } from '../state/member.js';

/**
 * How an answer of a member counts. `none`: by itself. `some`: once another member has confirmed it, unless nobody else could.
 * `full`: never without. Where this machine computes, those in doubt cannot confirm each other: they may have agreed on what
 * to say.
 */
export type Doubt = 'none' | 'some' | 'full';

/** A member that was given a task and has not answered. */
export interface Assignee {
  readonly memberId: string;
  /** It is this machine. */
  readonly isTrusted: boolean;
  doubt: Doubt;
  readonly dispatchedMs: number;
  /** From then on its answer is overdue. */
  readonly dueMs: number;
  /** It had nothing else to do, so its answer tells its throughput. */
  readonly isAlone: boolean;
  /** Overdue, and its leaves were given to others as well. */
  isHedged: boolean;
}

/** A member's partial sums of a task. */
export interface Answer {
  readonly memberId: string;
  /** Computed on the coordinator's own machine: it decides where others differ. */
  readonly isTrusted: boolean;
  readonly doubt: Doubt;
  readonly partialSums: readonly PartialSum[];
  /** SHA-256 of the sums; undefined while there is nothing to compare them with. */
  hash: string | undefined;
  /** It counts as confirmed for its member: each answer counts once, however often it is compared. */
  isConfirmed: boolean;
  /** Of a relay: who has computed what of it. */
  readonly parts?: readonly SumPart[] | undefined;
  /** No answer of its member, but what a relay says of somebody below it: only the hash is known; see inquiry.ts. */
  readonly isClaim?: true;
}

/** A range of leaves to be computed. */
export interface Task {
  readonly id: number;
  readonly range: LeafRange;
  /** Answers of equal bits that are required: one, or two where the task is audited. */
  replicas: number;
  /** Nobody else could confirm an answer: one in which there is `some` doubt counts by itself. */
  standsAlone: boolean;
  /** This machine decides between members that differ, and confirms answers in doubt. */
  readonly isDecidedHere: boolean;
  assignees: Assignee[];
  answers: Answer[];
  /** The same leaves split among others, when the assignees of the whole are late or gone. Either will do. */
  subtasks: readonly Task[];
  readonly parent: Task | undefined;
}

/**
 * How a step is confirmed whose sums were not finite: each remote answer by this machine, or else by so many machines in all
 * as are more than half.
 */
export type Recheck =
  | { readonly by: 'this-machine' }
  | { readonly by: 'majority'; readonly agreeing: number };

/** What a step has to know of the codec of its run. */
export interface StepCodec {
  /** Of runs of single steps; see shared/reduction/shards.ts. */
  readonly shardLevel: number | undefined;
  /** A worker with the weights of the step before can be sent the update between the two. */
  readonly hasUpdate: boolean;
}

/** A step that is computed by members elsewhere too: who still owes which leaves, and what has arrived. */
export interface DistributedStep {
  readonly step: number;
  /** Leaves of this step's batch. */
  readonly leaves: number;
  readonly codec: StepCodec | undefined;
  readonly tasks: Map<number, Task>;
  /** Tasks that there have been, which gives each its id. */
  tasksMade: number;
  /** Tasks that cover the batch, each leaf once. */
  readonly roots: Task[];
  /** The roots that have no result yet. */
  readonly open: Set<Task>;
  /** Tasks that have too few assignees. */
  readonly unassigned: Set<Task>;
  /** By member id, the tasks that it owes. */
  readonly held: Map<string, Task[]>;
  readonly startedMs: number;
  /** Set where the sums of this step were not finite before. */
  readonly recheck: Recheck | undefined;
  /** This machine computes, so it decides; see Task. */
  readonly isDecidedHere: boolean;
  /** How answers of members count, by how far the members are believed. */
  readonly doubtIn: (trust: Trust) => Doubt;
  /** No assignee is due before. */
  nextDueMs: number;
  /** How often a remote member was given leaves. */
  exchanges: number;
  /** Workers that were given leaves of others that are late. */
  helpers: number;
  /** Every leaf has its answer: nothing that arrives counts any more. */
  isClosed: boolean;
  /** Set when it is closed: all of its sum rests on what this machine came to as well; or more than half of the machines. */
  isProven: boolean;
}

/** Why an answer does not count. The first two are no fault of the member's: others were faster. */
export type Refusal = 'another-step' | 'superfluous' | 'not-owed' | 'wrong-nodes' | 'incomplete';

/** A step of which nobody has been given anything yet. */
export function openStep(
  step: number,
  leaves: number,
  startedMs: number,
  {
    doubtIn,
    isDecidedHere,
    recheck,
    codec,
  }: Pick<DistributedStep, 'doubtIn' | 'isDecidedHere' | 'recheck' | 'codec'>,
): DistributedStep {
  return {
    step,
    leaves,
    codec,
    tasks: new Map(),
    tasksMade: 0,
    roots: [],
    open: new Set(),
    unassigned: new Set(),
    held: new Map(),
    startedMs,
    recheck,
    isDecidedHere,
    doubtIn,
    nextDueMs: Number.POSITIVE_INFINITY,
    exchanges: 0,
    helpers: 0,
    isClosed: false,
    isProven: false,
  };
}

/** Adds a part of the batch to the step. */
export function addRoot(current: DistributedStep, range: LeafRange, replicas: number): Task {
  const task = newTask(current, range, replicas, undefined);
  current.roots.push(task);
  refresh(current, task);
  return task;
}

/**
 * Adds a part of the batch that is computed again to find out whether what a relay says of it is right. The step is not covered
 * before that is known.
 */
export function addCheck(
  current: DistributedStep,
  range: LeafRange,
  claim: { readonly memberId: string; readonly hash: string },
): Task {
  const task = newTask(current, range, 2, undefined);
  task.answers.push({
    ...{ ...claim, isTrusted: false, doubt: 'full', partialSums: [] },
    ...{ isConfirmed: false, isClaim: true },
  });
  refresh(current, task);
  return task;
}

/** No answer that a member owes in this step counts any more unless it is confirmed, or nobody else could do that. */
export function doubtMember(current: DistributedStep, memberId: string): void {
  for (const task of current.held.get(memberId) ?? []) {
    for (const assignee of task.assignees)
      if (assignee.memberId === memberId && assignee.doubt === 'none') assignee.doubt = 'some';
    refresh(current, task);
  }
}

/** Takes parts of the batch out of the step, with what members owe of them. @returns a step of these parts alone */
export function takeOut(current: DistributedStep, roots: readonly Task[]): DistributedStep {
  const tasks = new Map([...current.tasks].filter(([, task]) => roots.includes(rootOf(task))));
  for (const root of roots) {
    const at = current.roots.indexOf(root);
    if (at >= 0) current.roots.splice(at, 1);
    current.open.delete(root);
  }
  for (const [id, task] of tasks) {
    current.tasks.delete(id);
    current.unassigned.delete(task);
  }
  for (const held of current.held.values())
    for (const task of tasks.values()) if (held.includes(task)) held.splice(held.indexOf(task), 1);
  return { ...current, tasks, roots: [...roots] };
}

/** Splits a task among others. Assignees of the whole keep it. */
export function split(current: DistributedStep, task: Task, ranges: readonly LeafRange[]): readonly Task[] {
  task.subtasks = ranges.map((range) => newTask(current, range, task.replicas, task));
  refresh(current, task);
  return task.subtasks;
}

/** Records that a member was given a task. */
export function addAssignee(current: DistributedStep, task: Task, assignee: Assignee): void {
  task.assignees.push(assignee);
  if (!assignee.isTrusted) current.exchanges += 1;
  const held = current.held.get(assignee.memberId);
  if (held === undefined) current.held.set(assignee.memberId, [task]);
  else held.push(task);
  current.nextDueMs = Math.min(current.nextDueMs, assignee.dueMs);
  refresh(current, task);
}

/** Partial sums that a member offers: their step and range, and which nodes of the tree they are. */
export interface OfferedSums {
  readonly memberId: string;
  readonly step: number;
  readonly range: LeafRange;
  readonly nodes: readonly TreeNode[];
}

/**
 * The task that partial sums are of, or why they do not count. They count when the member owes exactly this range in this
 * step and sends exactly the nodes that are exchanged of it.
 */
export function owedTask(
  current: DistributedStep,
  { memberId, step, range, nodes }: OfferedSums,
): Task | Refusal {
  if (step !== current.step) return 'another-step';
  const task = current.held.get(memberId)?.find((one) => isSameRange(one.range, range));
  if (task === undefined) return 'not-owed';
  return isWhole(nodes, range, current) ? task : 'wrong-nodes';
}

/** Takes a member's answer into the step, or returns why it does not count. */
export function takeAnswer(
  current: DistributedStep,
  { memberId, isTrusted, doubt, partialSums, parts }: Omit<Answer, 'hash' | 'isConfirmed'>,
  step: number,
  range: LeafRange,
): { task: Task; assignee: Assignee } | Refusal {
  const task = owedTask(current, { memberId, step, range, nodes: partialSums.map(({ node }) => node) });
  if (typeof task === 'string') return task;
  const assignee = removeAssignee(current, task, memberId) as Assignee;
  if (task.answers.length === 0 && isSettledAbove(task)) return 'superfluous';
  task.answers.push({
    ...{ memberId, isTrusted, doubt, partialSums, parts },
    ...{ hash: undefined, isConfirmed: false },
  });
  refresh(current, task);
  return { task, assignee };
}

/**
 * Takes back what a member owes. @returns these tasks, which are unassigned until they are dispatched again. What the member
 * has answered stays.
 */
export function releaseMember(current: DistributedStep, memberId: string): readonly Task[] {
  const tasks = [...(current.held.get(memberId) ?? [])];
  for (const task of tasks) {
    removeAssignee(current, task, memberId);
    refresh(current, task);
  }
  return tasks;
}

/** Takes out what a member has answered, in all tasks. @returns its partial sums */
export function discardAnswers(current: DistributedStep, memberId: string): PartialSum[] {
  const discarded: PartialSum[] = [];
  for (const task of current.tasks.values()) {
    const lost = task.answers.filter((answer) => answer.memberId === memberId && answer.isClaim !== true);
    if (lost.length === 0) continue;
    discarded.push(...lost.flatMap(({ partialSums }) => partialSums));
    task.answers = task.answers.filter((answer) => !lost.includes(answer));
    refresh(current, task);
  }
  return discarded;
}

/**
 * Brings the sets of unassigned and open tasks up to date after a change of this task. Its subtasks too: what was answered of
 * them while an answer to the whole counted was not taken, and is needed again when that answer does not count any more.
 */
export function refresh(current: DistributedStep, task: Task): void {
  if (missingAssignees(task) > 0 && !isSettledAbove(task)) current.unassigned.add(task);
  else current.unassigned.delete(task);
  const root = rootOf(task);
  if (!isSettled(root)) current.open.add(root);
  else if (current.open.delete(root)) dropUnassigned(current, root);
  for (const part of task.subtasks) refresh(current, part);
}

/** The parts of the batch that lie in a range. */
export function rootsIn({ roots }: DistributedStep, { from, to }: LeafRange): Task[] {
  return roots.filter(({ range }) => from <= range.from && range.to <= to);
}

/** How many more assignees a task needs. */
export function missingAssignees(task: Task): number {
  // The result of a comparison under way is not known yet.
  if (task.subtasks.length > 0 || isUncompared(task) || result(task) !== undefined) return 0;
  const given = task.answers.length + task.assignees.length;
  if (needsThisMachine(task)) return Math.max(1, task.replicas - given);
  if (isDisputed(task)) return Math.max(0, task.answers.length + 1 - given);
  return Math.max(0, Math.max(task.replicas, isBelieved(task) ? 1 : 2) - given);
}

/** Only an answer of this machine can decide a task or confirm its answers, and none is under way. */
export function needsThisMachine(task: Task): boolean {
  if (!task.isDecidedHere) return false;
  const given = [...task.answers, ...task.assignees];
  if (given.length === 0 || given.some(({ isTrusted }) => isTrusted)) return false;
  return isDisputed(task) || !isBelieved(task);
}

/** Nobody has to confirm what was asked, or somebody does who is believed. */
function isBelieved(task: Task): boolean {
  const given = [...task.answers, ...task.assignees];
  return given.length === 0 || given.some((one) => countsAlone(task, one));
}

/** Members have answered the same task with different bits. */
export function isDisputed({ answers }: Task): boolean {
  return answers.some(({ hash }) => hash !== undefined && hash !== answers[0]?.hash);
}

/** Several have answered the same task, and their bits have not been compared yet. */
export function isUncompared({ answers }: Task): boolean {
  return answers.length > 1 && answers.some(({ hash }) => hash === undefined);
}

/**
 * The answer that counts: the first of as many equal ones as are required; where some differ, the one that was computed
 * here, or else, where this machine computes nothing, the first that two agree on, or more where more are required.
 */
export function result(task: Task): Answer | undefined {
  const { answers, replicas } = task;
  if (isUncompared(task)) return undefined;
  const [first] = answers;
  const own = answers.find(({ isTrusted }) => isTrusted);
  if (first !== undefined && isDisputed(task))
    return (
      own ??
      (task.isDecidedHere
        ? undefined
        : answers.find((one) => equalTo(one, task).length >= Math.max(2, replicas)))
    );
  if (first === undefined || answers.length < replicas) return undefined;
  if (own !== undefined || answers.some((one) => countsAlone(task, one))) return first;
  return answers.length > 1 && !task.isDecidedHere ? first : undefined;
}

function countsAlone({ standsAlone }: Task, { doubt }: { readonly doubt: Doubt }): boolean {
  return doubt === 'none' || (doubt === 'some' && standsAlone);
}

/** The answers to a task that have the bits of this one, itself included. */
export function equalTo(answer: Answer, { answers }: Task): readonly Answer[] {
  return answers.filter(
    (other) => other === answer || (answer.hash !== undefined && other.hash === answer.hash),
  );
}

/** The step still needs this task, or one that it is a part of. */
export function isNeeded(current: DistributedStep, task: Task): boolean {
  return current.open.has(rootOf(task)) && !isSettledAbove(task);
}

/** Every leaf of the step has an answer that counts. */
export function isCovered(current: DistributedStep): boolean {
  return current.open.size === 0;
}

/**
 * An answer that was computed here needs no confirmation: it counts as soon as all other assignees of the task are overdue.
 * @returns whether it does
 */
export function acceptTrusted(current: DistributedStep, task: Task, nowMs: number): boolean {
  const isOverdue = task.assignees.every(({ dueMs }) => dueMs <= nowMs);
  if (!isOverdue || !task.answers.some(({ isTrusted }) => isTrusted)) return false;
  task.replicas = 1;
  refresh(current, task);
  return true;
}

/** An answer that counts. */
export interface Chosen {
  readonly range: LeafRange;
  readonly answer: Answer;
  /** It was computed here, or another member's was the same. */
  readonly isConfirmed: boolean;
  /** It was computed here too; or, in a step that is checked again without this machine, by more than half of the others. */
  readonly isProven: boolean;
}

/** The answers that count, each leaf once, and the partial sums that nobody needs. */
export function chosenAnswers(current: DistributedStep): { chosen: Chosen[]; unused: PartialSum[] } {
  const chosen: Chosen[] = [];
  const { recheck } = current;
  const unused = new Set([...current.tasks.values()].flatMap(({ answers }) => answers));
  const collect = (task: Task): void => {
    const answer = result(task);
    if (answer === undefined) return task.subtasks.forEach(collect);
    const equal = equalTo(answer, task);
    const isTrusted = equal.some((one) => one.isTrusted);
    const isProven = isTrusted || (recheck?.by === 'majority' && equal.length >= recheck.agreeing);
    chosen.push({ range: task.range, answer, isConfirmed: isTrusted || equal.length > 1, isProven });
    unused.delete(answer);
  };
  current.roots.forEach(collect);
  return { chosen, unused: [...unused].flatMap(({ partialSums }) => partialSums) };
}

function newTask(
  current: DistributedStep,
  range: LeafRange,
  replicas: number,
  parent: Task | undefined,
): Task {
  const task: Task = {
    id: current.tasksMade,
    range,
    replicas,
    standsAlone: false,
    isDecidedHere: current.isDecidedHere,
    assignees: [],
    answers: [],
    subtasks: [],
    parent,
  };
  current.tasksMade += 1;
  current.tasks.set(task.id, task);
  return task;
}

function removeAssignee(current: DistributedStep, task: Task, memberId: string): Assignee | undefined {
  const held = current.held.get(memberId);
  held?.splice(held.indexOf(task), 1);
  const index = task.assignees.findIndex((assignee) => assignee.memberId === memberId);
  return task.assignees.splice(index, 1)[0];
}

function rootOf(task: Task): Task {
  return task.parent === undefined ? task : rootOf(task.parent);
}

function isSettled(task: Task): boolean {
  if (result(task) !== undefined) return true;
  // A comparison under way may still overrule what its subtasks would give.
  return !isUncompared(task) && task.subtasks.length > 0 && task.subtasks.every(isSettled);
}

function isSettledAbove(task: Task): boolean {
  for (let above: Task | undefined = task; above !== undefined; above = above.parent)
    if (isSettled(above)) return true;
  return false;
}

function dropUnassigned({ unassigned }: DistributedStep, root: Task): void {
  for (const task of unassigned) if (rootOf(task) === root) unassigned.delete(task);
}

function isWhole(
  nodes: readonly TreeNode[],
  range: LeafRange,
  { leaves, codec }: Pick<DistributedStep, 'leaves' | 'codec'>,
): boolean {
  const expected = exchangedNodes(range, leaves, codec?.shardLevel);
  return (
    expected.length === nodes.length &&
    expected.every(({ level, index }, i) => level === nodes[i]?.level && index === nodes[i]?.index)
  );
}
