import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { UserError } from '../../shared/errors.js';
import { describeFailure, STACK_VARIABLE } from '../terminal/failure.js';
import { interruptedStatus } from '../terminal/interrupt.js';
import type { CommandContext, CommandEntry } from './command.js';

/**
 * Runs the command that `args` names.
 * @param args what follows the program's name on the command line
 * @param env environment; a variable decides about stack traces
 * @returns the exit status: 0 done, 1 failed, 2 wrong usage, 130 or 143 interrupted
 */
export async function runProgram(
  args: readonly string[],
  table: readonly CommandEntry[],
  context: CommandContext,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  try {
    if (args.length === 0) throw new UserError(`no command given: use ${commandNames(table)}, or --help`, 2);
    const program = await defineProgram(args, table, context);
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    // Work cut short by Ctrl-C may end in an error of its own; the user knows why.
    if (context.interrupted.aborted) return interruptedStatus(context.interrupted);
    const failure = describeFailure(error, Boolean(env[STACK_VARIABLE]));
    if (failure.text) context.terminal.say(failure.text);
    return failure.exitCode;
  }
  return context.interrupted.aborted ? interruptedStatus(context.interrupted) : 0;
}

/** "train, worker or bench" */
function commandNames(table: readonly CommandEntry[]): string {
  return table
    .map(({ name }) => name)
    .join(', ')
    .replace(/, ([^,]*)$/, ' or $1');
}

/** All commands by name and summary; only the one in use is loaded and knows its options. */
async function defineProgram(
  args: readonly string[],
  table: readonly CommandEntry[],
  context: CommandContext,
): Promise<Command> {
  const program = quiet(new Command('unisum'))
    .description('N machines, one sum: trains neural networks with the same bits for any number of workers')
    .version(packageVersion(), '-V, --version', 'print the version');
  const used = args[0] === 'help' ? args[1] : args[0];
  for (const entry of table) {
    const command = quiet(new Command(entry.name)).summary(entry.summary).description(entry.summary);
    if (entry.name === used) (await entry.load()).define(command, context);
    program.addCommand(command);
  }
  return program;
}

/** Commander throws where it would exit, and leaves the printing of errors to us. */
function quiet(command: Command): Command {
  return command
    .exitOverride()
    .helpOption('-h, --help', 'print this help')
    .configureOutput({ outputError: () => undefined });
}

/** Version in the nearest package.json above this file: of the checkout or of the installed package. */
function packageVersion(): string {
  for (let folder = new URL('.', import.meta.url); ; folder = new URL('..', folder)) {
    try {
      return (JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as { version: string })
        .version;
    } catch (error) {
      if (folder.pathname === '/' || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
