import { CommanderError } from 'commander';
import { UserError } from '../../shared/errors.js';

/** Environment variable that asks for stack traces. */
export const STACK_VARIABLE = 'UNISUM_STACK';

/** How a command failed: what to print on stderr, and the exit status. */
export interface Failure {
  /** One line; several with a stack trace, or when there are several problems. Empty after `--help`. */
  text: string;
  exitCode: number;
}

/**
 * Turns whatever was thrown into text. A stack trace is offered only for unexpected errors: it does not help with an
 * error that the user can fix.
 */
export function describeFailure(error: unknown, wantsStack: boolean): Failure {
  if (error instanceof CommanderError) return describeUsage(error);
  if (error instanceof UserError)
    return { text: `unisum: ${error.message.trim()}`, exitCode: error.exitCode };
  if (wantsStack && error instanceof Error)
    return { text: `unisum: ${error.stack ?? error.message}`, exitCode: 1 };
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const hint = wantsStack ? '' : ` (a bug in the program; ${STACK_VARIABLE}=1 shows where)`;
  return { text: `unisum: ${oneLine(message)}${hint}`, exitCode: 1 };
}

/** Commander reports help and version as errors with status 0. All others are wrong usage. */
function describeUsage(error: CommanderError): Failure {
  if (error.exitCode === 0) return { text: '', exitCode: 0 };
  const message = oneLine(error.message.replace(/^error: /, '')).replace(/\.$/, '');
  const fix = message.includes('Did you mean') ? '' : '; --help shows the usage';
  return { text: `unisum: ${message}${fix}`, exitCode: 2 };
}

function oneLine(message: string): string {
  return message.trim().replace(/\s*\n\s*/g, ' ');
}
