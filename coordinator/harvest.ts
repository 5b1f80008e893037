import type { Partial } from '../shared/engine/partials.js';
import type { Range } from '../shared/sum/leaves.js';
import { type Answer, type Round, result, type Task } from './round.js';

/** Sums that count. */
export interface Chosen {
  readonly range: Range;
  readonly answer: Answer;
  /** They were computed here, or another member came to the same. */
  readonly isConfirmed: boolean;
}

/** What counts in the end, each leaf once, and what nobody needs. */
export function harvest(round: Round): { chosen: Chosen[]; idle: Partial[] } {
  const chosen: Chosen[] = [];
  const unused = new Set([...round.tasks.values()].flatMap(({ answers }) => answers));
  const gather = (task: Task): void => {
    const answer = result(task);
    if (answer === undefined) return task.parts.forEach(gather);
    const isShared = task.answers.some((one) => one !== answer && one.hash === answer.hash);
    chosen.push({ range: task.range, answer, isConfirmed: answer.isTrusted || isShared });
    unused.delete(answer);
  };
  round.roots.forEach(gather);
  return { chosen, idle: [...unused].flatMap(({ partials }) => partials) };
}
