import { UserError } from '../errors.js';
import type { Plan } from '../graph/plan.js';

/**
 * Leaves that are never split between threads or workers: 1, unless the model takes statistics over groups of samples.
 * @throws UserError when leaves do not fit into the groups
 */
export function granuleOf({ group }: Pick<Plan, 'group'>, leafSize: number): number {
  if (group === 1) return 1;
  if (group % leafSize !== 0) {
    throw new UserError(
      `the model normalises groups of ${group} samples, which leaves of ${leafSize} do not divide; ` +
        'choose another --leaf, or another virtualBatchSize of its layers',
    );
  }
  return group / leafSize;
}
