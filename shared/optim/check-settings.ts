import * as v from 'valibot';
import { UserError } from '../errors.js';
import { describeIssue, tellingIssue } from '../schema-issue.js';

const finite = v.pipe(v.number(), v.finite());

/** A learning rate: not negative. With 0 the weights do not change. */
export const LearningRate = v.pipe(finite, v.minValue(0));
/** A weight decay: not negative. */
export const Decay = v.pipe(finite, v.minValue(0));
/** The factor of a moving average: at least 0, less than 1. */
export const AverageFactor = v.pipe(finite, v.minValue(0), v.ltValue(1));
/** The decay of a moving average of the weights, between 0 and 1; left out: none is kept. See weight-average.ts. */
export const WeightAverage = v.optional(v.pipe(finite, v.gtValue(0), v.ltValue(1)));
/** More than 0. */
export const Positive = v.pipe(finite, v.gtValue(0));

/**
 * Checks settings of any origin with their schema.
 * @param what name for the message, such as "clipping"
 * @param key setting to name where the error is not of a single one
 * @param exitStatus 2 for settings from the command line
 * @throws UserError that names the wrong setting
 */
export function checkSettings<T>(
  schema: v.GenericSchema<unknown, T>,
  settings: unknown,
  { what, key, exitStatus = 1 }: { what: string; key: string; exitStatus?: 1 | 2 },
): T {
  const result = v.safeParse(schema, settings);
  if (result.success) return result.output;
  const issue = tellingIssue(result.issues);
  throw new UserError(`not a valid ${what}: ${describeIssue(schema, issue, key)}`, exitStatus);
}
