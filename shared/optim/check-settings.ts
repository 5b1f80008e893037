import * as v from 'valibot';
import { UserError } from '../errors.js';

/**
 * Settings, wherever they come from, as their schema knows them.
 * @param what for people, such as "clipping"
 * @param key named where the fault is of no single setting
 * @param exitStatus 2 where they were typed
 * @throws UserError that names the setting that is wrong
 */
export function checkSettings<T>(
  schema: v.GenericSchema<unknown, T>,
  settings: unknown,
  { what, key, exitStatus = 1 }: { what: string; key: string; exitStatus?: 1 | 2 },
): T {
  const result = v.safeParse(schema, settings);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new UserError(`not a valid ${what}: ${v.getDotPath(issue) ?? key}: ${issue.message}`, exitStatus);
}
