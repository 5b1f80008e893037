/**
 * Something the user can mend: a wrong option, a missing file, a refused token. Its message is one line that says
 * what is wrong and what to do; commands print it without a stack trace and exit with `exitCode`.
 */
export class UserError extends Error {
  constructor(
    message: string,
    /** 1 = the work failed, 2 = wrong usage (design section 10). */
    readonly exitCode: 1 | 2 = 1,
  ) {
    super(message);
    this.name = 'UserError';
  }
}

/** A promise between two parts of the program is broken: a bug here, never the user's doing. */
export class AssertionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AssertionError';
  }
}

/**
 * Assertions stay on in production: a wrong sum that goes on silently costs more than a stop.
 * @throws AssertionError with `message` when `condition` is false
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
