import type { Partial } from '../shared/engine/partials.js';
import type { Range } from '../shared/sum/leaves.js';
import { type Answer, type Round, result, type Task } from './round.js';

/** What counts in the end, each leaf once, and what nobody needs. */
export function harvest(round: Round): { chosen: { range: Range; answer: Answer }[]; idle: Partial[] } {
  const chosen: { range: Range; answer: Answer }[] = [];
  const unused = new Set([...round.tasks.values()].flatMap(({ answers }) => answers));
  const gather = (task: Task): void => {
    const answer = result(task);
    if (answer === undefined) return task.parts.forEach(gather);
    chosen.push({ range: task.range, answer });
    unused.delete(answer);
  };
  round.roots.forEach(gather);
  return { chosen, idle: [...unused].flatMap(({ partials }) => partials) };
}
