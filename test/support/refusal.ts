import { expect } from 'vitest';
import { UserError } from '../../shared/errors.js';

/** What something that cannot be done is refused with: one line for whoever asked for it. */
export async function refusalOf(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  const { message } = error as UserError;
  expect(message).not.toContain('\n');
  return message;
}
