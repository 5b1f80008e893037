import type { Plan } from '../../compiler/plan.js';
import { UserError } from '../../errors.js';

/**
 * How many consecutive leaves are never split between threads or workers: 1, unless the model computes statistics over
 * groups of samples.
 * @throws UserError when the leaf size does not divide the group
 */
export function leavesPerGroupOf({ group }: Pick<Plan, 'group'>, leafSize: number): number {
  if (group === 1) return 1;
  if (group % leafSize !== 0) {
    throw new UserError(
      `the model normalises groups of ${group} samples, which leaves of ${leafSize} do not divide; ` +
        'choose another --leaf-size, or another virtualBatchSize of its layers',
    );
  }
  return group / leafSize;
}
