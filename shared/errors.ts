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
