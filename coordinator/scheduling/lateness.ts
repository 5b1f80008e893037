import { isStraggler, readyWorkers, type SchedulingState, type WorkerRecord } from './scheduling-state.js';

/*
 * A worker that is late again and again, or never answers, costs the others nothing: hedging bounds what one late answer
 * costs, a worker that is late too often is given no leaves until it has rehearsed once more, each time after a longer wait,
 * and one that owes an answer for minutes is expelled.
 */

/** How far an answer in time makes up for a late one: a worker may be late once in so many steps. */
const FORGIVEN = 1 / 32;
/** What a worker that others wait for may take beyond that: this part of it, and what timers need. */
const TOLERATED_PART = 1 / 10;
const TOLERATED_MS = 5;
/** This much lateness, and a worker rehearses again; then one more late answer is too much. */
const LATENESS_MAX = 2;
/** How long such a worker is not rehearsed, at first and at most. */
const DEMOTED_FIRST_MS = 500;
const DEMOTED_MAX_MS = 600_000;
/** A worker that owes an answer for so long is expelled ... */
const UNANSWERED_MS = 120_000;
/** ... unless answers take long here: then it has so many times as long. */
const UNANSWERED_TIMES = 100;

/** A worker has answered a step in time. */
export function onPrompt(worker: WorkerRecord): void {
  worker.hasRehearsed = true;
  worker.lateness = Math.max(0, worker.lateness - FORGIVEN);
  if (worker.lateness === 0) worker.rehearsals.delayMs = 0;
}

/** A step has ended without the answer of a worker that was overdue. */
export function onLate(worker: WorkerRecord, nowMs: number): void {
  addLateness(worker, 1, nowMs);
}

/**
 * A worker has answered in time, and everybody else has waited for it. Of an unsteady worker much is in time: this may have taken
 * longer than was expected of it, and longer than the others would have taken for all of the step.
 * @param dueMs what was expected of it, or what the others would have taken if that is longer
 */
export function onAwaited(worker: WorkerRecord, elapsedMs: number, dueMs: number, nowMs: number): void {
  const excess = (elapsedMs - TOLERATED_MS) / dueMs - 1 - TOLERATED_PART;
  if (excess > 0) addLateness(worker, excess, nowMs);
}

/** @param lateness in steps that were held up */
function addLateness(worker: WorkerRecord, lateness: number, nowMs: number): void {
  const { rehearsals, member } = worker;
  worker.lateness += lateness;
  if (member.sharesMemory || worker.lateness < LATENESS_MAX) return;
  worker.lateness -= 1;
  worker.hasRehearsed = false;
  rehearsals.answered = Math.min(rehearsals.answered, 1);
  rehearsals.isChecked = false;
  rehearsals.delayMs = Math.min(2 * Math.max(rehearsals.delayMs, DEMOTED_FIRST_MS / 2), DEMOTED_MAX_MS);
  rehearsals.nextAtMs = nowMs + rehearsals.delayMs;
}

/** Remote workers that owe an answer for so long that they will never send it, and for how long that is. */
export function unanswering(
  part: SchedulingState,
  nowMs: number,
): { readonly ids: readonly string[]; readonly afterMs: number } {
  const afterMs = Math.max(UNANSWERED_MS, UNANSWERED_TIMES * part.slowestMs);
  const ids = readyWorkers(part)
    .filter((worker) => !worker.member.sharesMemory && isStraggler(worker))
    .filter(({ stragglerTasks: [oldest] }) => nowMs - (oldest?.dispatchedMs ?? nowMs) > afterMs)
    .map(({ member }) => member.id);
  return { ids, afterMs };
}
