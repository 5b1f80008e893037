import type { Command } from 'commander';
import type { Terminal } from '../terminal/terminal.js';

/** What a running command is given besides its arguments. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Aborted by Ctrl-C or SIGTERM: save, leave cleanly and return. The exit status becomes 130, or 143. */
  readonly interrupted: AbortSignal;
}

/** A command's file: it declares its arguments and options on `command` and sets the action. */
export interface CommandModule {
  define(command: Command, context: CommandContext): void;
}

/** One line of the table of commands. The file behind it is loaded only when the command is used. */
export interface CommandEntry {
  readonly name: string;
  /** One line of `unisum --help`. */
  readonly summary: string;
  load(): Promise<CommandModule>;
}
