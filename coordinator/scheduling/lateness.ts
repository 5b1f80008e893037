import { isStraggler, readyWorkers, type SchedulingState, type WorkerRecord } from './scheduling-state.js';

/*
 * A worker that is late again and again, or never answers, costs the others nothing: hedging bounds what one late answer
 * costs, a worker that is late too often is given no leaves until it has rehearsed once more, each time after a longer wait,
 * and one that owes an answer for minutes is expelled.
 */

/** How far an answer in time makes up for a late one: a worker may be late once in so many steps. */
const FORGIVEN = 1 / 32;
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
  const { rehearsals, member } = worker;
  worker.lateness += 1;
  if (member.sharesMemory || worker.lateness < LATENESS_MAX) return;
  worker.lateness = LATENESS_MAX - 1;
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
