import { type DistributedStep, result, rootsIn, type Task } from '../coordinator/scheduling/step-tasks.js';
import type { PartialSum } from '../shared/engine/step/partial-sum-addition.js';
import { exchangedNodes } from '../shared/reduction/shards.js';
import type { LeafRange } from '../shared/reduction/tree.js';

/** The buffers of what a member is sending of a range, if a segment has come of all of it. */
export type Arriving = (memberId: string, range: LeafRange) => readonly number[] | undefined;

/**
 * Partial sums that cover a range of leaves and of which a segment is here: of each task the answer that counts, or else any that has
 * come or is coming, or else those of its subtasks. They need not be those that count in the end.
 * @returns undefined while somebody owes the segment
 */
export function coverOf(
  current: DistributedStep,
  range: LeafRange,
  arriving: Arriving,
): readonly PartialSum[] | undefined {
  const sumsOf = (task: Task): readonly PartialSum[] | undefined => {
    const answer = result(task) ?? task.answers.find(({ partialSums }) => partialSums.length > 0);
    if (answer !== undefined) return answer.partialSums;
    for (const { memberId } of task.assignees) {
      const buffers = arriving(memberId, task.range);
      if (buffers === undefined) continue;
      const nodes = exchangedNodes(task.range, current.leaves, current.codec?.shardLevel);
      return nodes.map((node, i) => ({ node, buffer: buffers[i] as number }));
    }
    return task.subtasks.length === 0 ? undefined : allOf(task.subtasks);
  };
  const allOf = (tasks: readonly Task[]): readonly PartialSum[] | undefined => {
    const sums: PartialSum[] = [];
    for (const task of tasks) {
      const own = sumsOf(task);
      if (own === undefined) return undefined;
      sums.push(...own);
    }
    return sums;
  };
  const roots = rootsIn(current, range);
  return roots.length === 0 ? undefined : allOf(roots);
}
