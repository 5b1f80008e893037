import type { Partial } from '../shared/engine/partials.js';
import { isSameRange, maximalSubtrees, type Node, type Range } from '../shared/sum/leaves.js';

/** A member that was handed a task and has not answered. */
export interface Holder {
  readonly memberId: string;
  readonly handedMs: number;
  /** From then on it counts as late. */
  readonly dueMs: number;
  /** It had nothing else to do: its answer can be timed. */
  readonly isAlone: boolean;
  /** Late, and for that its leaves were given to others too. */
  isHedged: boolean;
}

/** What a member made of a task. */
export interface Answer {
  readonly memberId: string;
  /** Computed on the coordinator's own machine: it decides where others differ. */
  readonly isTrusted: boolean;
  readonly partials: readonly Partial[];
  /** SHA-256 of the sums; undefined while there is nothing to compare them with. */
  hash: string | undefined;
}

/** A range of leaves of a round, on its way. */
export interface Task {
  readonly id: number;
  readonly range: Range;
  /** Answers of equal bits that it takes: one, or two where the work is audited. */
  wanted: number;
  holders: Holder[];
  answers: Answer[];
  /** The same leaves cut among others, when those who had the whole were late or gone: either will do. */
  parts: readonly Task[];
  readonly parent: Task | undefined;
}

/** The life of one step: who still owes which leaves, and what has arrived. */
export interface Round {
  readonly step: number;
  /** Leaves of this step's batch. */
  readonly leaves: number;
  readonly tasks: Map<number, Task>;
  /** Tasks that cover the batch, each leaf once. */
  readonly roots: Task[];
  /** The roots among them that have no result yet. */
  readonly open: Set<Task>;
  /** Tasks that wait for somebody to take them. */
  readonly needy: Set<Task>;
  readonly held: Map<string, Task[]>;
  /** No holder is due before. */
  nextDueMs: number;
}

/** Why an answer was not counted. The first two without blame: others were faster. */
export type Refusal = 'another-step' | 'superfluous' | 'not-owed' | 'wrong-nodes';

/** Opens the round of a step; nobody has anything of it yet. */
export function openRound(step: number, leaves: number): Round {
  return {
    step,
    leaves,
    tasks: new Map(),
    roots: [],
    open: new Set(),
    needy: new Set(),
    held: new Map(),
    nextDueMs: Number.POSITIVE_INFINITY,
  };
}

/** Adds a part of the batch to the round. */
export function addRoot(round: Round, range: Range, wanted: number): Task {
  const task = newTask(round, range, wanted, undefined);
  round.roots.push(task);
  refresh(round, task);
  return task;
}

/** Cuts a task among others; whoever has the whole of it keeps it. */
export function cutUp(round: Round, task: Task, ranges: readonly Range[]): readonly Task[] {
  task.parts = ranges.map((range) => newTask(round, range, task.wanted, task));
  refresh(round, task);
  for (const part of task.parts) refresh(round, part);
  return task.parts;
}

/** Records that a member was handed a task. */
export function hold(round: Round, task: Task, holder: Holder): void {
  task.holders.push(holder);
  const held = round.held.get(holder.memberId);
  if (held === undefined) round.held.set(holder.memberId, [task]);
  else held.push(task);
  round.nextDueMs = Math.min(round.nextDueMs, holder.dueMs);
  refresh(round, task);
}

/** Sums that a member brings: of which step and range, and which nodes of the tree they are. */
export interface Offer {
  readonly memberId: string;
  readonly step: number;
  readonly range: Range;
  readonly nodes: readonly Node[];
}

/**
 * The task that sums are of, or why they do not count. They do when the member owes exactly this range in this step, and
 * brings exactly the maximal aligned subtrees of it.
 */
export function owedTask(round: Round, { memberId, step, range, nodes }: Offer): Task | Refusal {
  if (step !== round.step) return 'another-step';
  const task = round.held.get(memberId)?.find((one) => isSameRange(one.range, range));
  if (task === undefined) return 'not-owed';
  return isWhole(nodes, range, round.leaves) ? task : 'wrong-nodes';
}

/** Takes a member's answer into the round, or says why not. */
export function takeAnswer(
  round: Round,
  { memberId, isTrusted, partials }: Omit<Answer, 'hash'>,
  step: number,
  range: Range,
): { task: Task; holder: Holder } | Refusal {
  const task = owedTask(round, { memberId, step, range, nodes: partials.map(({ node }) => node) });
  if (typeof task === 'string') return task;
  const holder = letGo(round, task, memberId) as Holder;
  if (task.answers.length === 0 && isSettledAbove(task)) return 'superfluous';
  task.answers.push({ memberId, isTrusted, partials, hash: undefined });
  refresh(round, task);
  return { task, holder };
}

/**
 * Takes back what a member owes; these tasks, which are returned, are needy until they are handed out again. What it
 * answered stays.
 */
export function releaseMember(round: Round, memberId: string): readonly Task[] {
  const tasks = [...(round.held.get(memberId) ?? [])];
  for (const task of tasks) {
    letGo(round, task, memberId);
    refresh(round, task);
  }
  return tasks;
}

/** Takes out what a member has answered, everywhere. Returns it. */
export function disown(round: Round, memberId: string): Partial[] {
  const disowned: Partial[] = [];
  for (const task of round.tasks.values()) {
    const lost = task.answers.filter((answer) => answer.memberId === memberId);
    if (lost.length === 0) continue;
    disowned.push(...lost.flatMap(({ partials }) => partials));
    task.answers = task.answers.filter((answer) => answer.memberId !== memberId);
    refresh(round, task);
  }
  return disowned;
}

/** Looks anew at a task, and at those above it, after something in it has changed. */
export function refresh(round: Round, task: Task): void {
  if (missing(task) > 0 && !isSettledAbove(task)) round.needy.add(task);
  else round.needy.delete(task);
  const root = rootOf(task);
  if (!isSettled(root)) round.open.add(root);
  else if (round.open.delete(root)) forgetNeeds(round, root);
}

/** How many more members a task must be handed to. */
export function missing(task: Task): number {
  // What a comparison under way will show is not known yet.
  if (task.parts.length > 0 || isUncompared(task) || result(task) !== undefined) return 0;
  const wanted = isDisputed(task) ? task.answers.length + 1 : task.wanted;
  return Math.max(0, wanted - task.answers.length - task.holders.length);
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
 * The answer that counts: the first of as many with the same bits as are wanted; where some differ, the one that was
 * computed here, or else the first that two agree on.
 */
export function result(task: Task): Answer | undefined {
  const { answers, wanted } = task;
  if (isUncompared(task)) return undefined;
  if (!isDisputed(task)) return answers.length >= wanted ? answers[0] : undefined;
  return (
    answers.find(({ isTrusted }) => isTrusted) ??
    answers.find((one) => answers.some((other) => other !== one && other.hash === one.hash))
  );
}

/** The batch still waits for this task, or for one that it is a part of. */
export function isWanted(round: Round, task: Task): boolean {
  return round.open.has(rootOf(task)) && !isSettledAbove(task);
}

/** All leaves of the step have arrived. */
export function isCovered(round: Round): boolean {
  return round.open.size === 0;
}

function newTask(round: Round, range: Range, wanted: number, parent: Task | undefined): Task {
  const task: Task = { id: round.tasks.size, range, wanted, holders: [], answers: [], parts: [], parent };
  round.tasks.set(task.id, task);
  return task;
}

function letGo(round: Round, task: Task, memberId: string): Holder | undefined {
  const held = round.held.get(memberId);
  held?.splice(held.indexOf(task), 1);
  const index = task.holders.findIndex((holder) => holder.memberId === memberId);
  return task.holders.splice(index, 1)[0];
}

function rootOf(task: Task): Task {
  return task.parent === undefined ? task : rootOf(task.parent);
}

function isSettled(task: Task): boolean {
  if (result(task) !== undefined) return true;
  // A comparison under way may still overthrow what its parts would give.
  return !isUncompared(task) && task.parts.length > 0 && task.parts.every(isSettled);
}

function isSettledAbove(task: Task): boolean {
  for (let above: Task | undefined = task; above !== undefined; above = above.parent)
    if (isSettled(above)) return true;
  return false;
}

function forgetNeeds({ needy }: Round, root: Task): void {
  for (const task of needy) if (rootOf(task) === root) needy.delete(task);
}

function isWhole(nodes: readonly Node[], range: Range, leaves: number): boolean {
  const expected = maximalSubtrees(range, leaves);
  return (
    expected.length === nodes.length &&
    expected.every(({ level, index }, i) => level === nodes[i]?.level && index === nodes[i]?.index)
  );
}
