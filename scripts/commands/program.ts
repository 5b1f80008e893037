import { Command } from 'commander';
import { UserError } from '../../shared/errors.js';
import { documentPath, packageVersion } from '../../trainer/package-files.js';
import { describeFailure, STACK_VARIABLE } from '../terminal/failure.js';
import { interruptedStatus } from '../terminal/interrupt.js';
import type { CommandContext, CommandEntry } from './command.js';

/**
 * Runs the command that `args` names.
 * @param args what follows the program's name on the command line
 * @param env environment; STACK_VARIABLE asks for stack traces
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
    // An interrupted command may fail in its own way; the user knows why.
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

/** All commands by name and summary. Only the requested one is loaded and has its options. */
async function defineProgram(
  args: readonly string[],
  table: readonly CommandEntry[],
  context: CommandContext,
): Promise<Command> {
  const program = quiet(new Command('unisum'))
    .description(
      'Trains neural networks on any number of machines, with the same bits for any number of workers.',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', () => `\nGuides: ${documentPath('README.md')} and ${documentPath('docs')}`);
  const used = args[0] === 'help' ? args[1] : args[0];
  for (const entry of table) {
    const command = quiet(new Command(entry.name)).summary(entry.summary).description(entry.summary);
    if (entry.name === used) {
      (await entry.load()).define(command, context);
      unquoteDefaults(command);
    }
    program.addCommand(command);
  }
  return program;
}

/** Commander throws in place of exiting, and leaves the printing of errors to us. */
function quiet(command: Command): Command {
  return command
    .exitOverride()
    .helpOption('-h, --help', 'print this help')
    .configureOutput({ outputError: () => undefined });
}

/** Help shows default values as they are typed: (default: 10s), not (default: "10s"). */
function unquoteDefaults({ options, registeredArguments, commands }: Command): void {
  for (const value of [...options, ...registeredArguments])
    if (typeof value.defaultValue === 'string') value.defaultValueDescription ??= value.defaultValue;
  for (const command of commands) unquoteDefaults(command);
}
