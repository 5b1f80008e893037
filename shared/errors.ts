/**
 * An error that the user can fix: a wrong option, a missing file, a refused token. Its message is one line that says what
 * is wrong and what to do. Commands print it without a stack trace and exit with `exitCode`.
 */
export class UserError extends Error {
  constructor(
    message: string,
    /** 1: the command failed; 2: wrong usage. */
    readonly exitCode: 1 | 2 = 1,
  ) {
    super(message);
    this.name = 'UserError';
  }
}

/** What an error says. Libraries and users' code also throw what is no Error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A part of the program violated another part's precondition: a bug, never the user's mistake. */
export class AssertionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AssertionError';
  }
}

/**
 * Assertions stay on in production: a wrong sum that nobody notices costs more than a stop.
 * @throws AssertionError with `message` when `condition` is false
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
