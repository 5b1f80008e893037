import type { Command } from 'commander';
import type { Terminal } from '../terminal/terminal.js';

/** What a command receives besides its arguments. */
export interface CommandContext {
  readonly terminal: Terminal;
  /**
   * Aborted by Ctrl-C or SIGTERM: the command returns within a second, and the exit status becomes 130 or 143. Until a
   * command reads this, a signal ends the process at once; so it is read only when there is something to finish.
   */
  readonly interrupted: AbortSignal;
  /** Ends the command as by Ctrl-C, with its exit status. */
  interrupt(): void;
  /** Lets an interrupted command take as long as it needs to save, until the function that is returned is called. */
  hold(): () => void;
}

/** The module of a command: it declares arguments and options on `command` and sets the action. */
export interface CommandModule {
  define(command: Command, context: CommandContext): void;
}

/** One line of the table of commands. The module is loaded only when the command is used. */
export interface CommandEntry {
  readonly name: string;
  /** One line of `unisum --help`. */
  readonly summary: string;
  load(): Promise<CommandModule>;
}
