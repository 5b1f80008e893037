import { CommanderError } from 'commander';
import { UserError } from '../../shared/errors.js';

/** Environment variable that asks for stack traces. */
export const STACK_VARIABLE = 'UNISUM_STACK';

/** How a command failed: what to print on stderr and the status to exit with (design section 10). */
export interface Failure {
  /** One line, or with a stack trace several. Empty when commander has printed already (`--help`). */
  text: string;
  exitCode: number;
}

/**
 * Turns whatever was thrown into one line. Only what nobody foresaw offers a stack trace: an error that the user can
 * mend is not explained by our call stack.
 */
export function describeFailure(error: unknown, wantsStack: boolean): Failure {
  if (error instanceof CommanderError) return describeUsage(error);
  if (error instanceof UserError)
    return { text: `unisum: ${oneLine(error.message)}`, exitCode: error.exitCode };
  if (wantsStack && error instanceof Error)
    return { text: `unisum: ${error.stack ?? error.message}`, exitCode: 1 };
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const hint = wantsStack ? '' : ` (a fault of the program; ${STACK_VARIABLE}=1 shows where)`;
  return { text: `unisum: ${oneLine(message)}${hint}`, exitCode: 1 };
}

/** Commander reports help and version as errors of status 0; all the rest is wrong usage. */
function describeUsage(error: CommanderError): Failure {
  if (error.exitCode === 0) return { text: '', exitCode: 0 };
  const message = oneLine(error.message.replace(/^error: /, ''));
  const mend = message.includes('Did you mean') ? '' : '; --help shows the usage';
  return { text: `unisum: ${message}${mend}`, exitCode: 2 };
}

function oneLine(message: string): string {
  return message.trim().replace(/\s*\n\s*/g, ' ');
}
