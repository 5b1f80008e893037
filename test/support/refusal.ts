import { expect } from 'vitest';
import { UserError } from '../../shared/errors.js';

/** The message of the UserError with which an attempt fails; it must be one line. */
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
