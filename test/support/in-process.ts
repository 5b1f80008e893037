import { Writable } from 'node:stream';
import { Command } from 'commander';
import { define as defineBisect } from '../../scripts/commands/bisect.js';
import type { CommandContext } from '../../scripts/commands/command.js';
import { define as defineEval } from '../../scripts/commands/eval.js';
import { define as defineReceipt } from '../../scripts/commands/receipt.js';
import { define as defineSweep } from '../../scripts/commands/sweep.js';
import { define as defineTrain } from '../../scripts/commands/train.js';
import { define as defineVerify } from '../../scripts/commands/verify.js';
import { UserError } from '../../shared/errors.js';

/** How a command of this process ended. */
export interface Outcome {
  /** Everything that it printed for people. */
  readonly text: string;
  /** What `--json` prints. */
  readonly result: Readonly<Record<string, unknown>> | undefined;
  /** Why it failed; undefined: it did not. */
  readonly problem: string | undefined;
}

/** What a test does while a command runs. */
interface Watching {
  /** Is told every line for people; may interrupt the command. */
  readonly onLine?: (line: string, interrupt: () => void) => void;
}

/** `unisum train` in this process. @param words of the command line */
export function trainHere(words: readonly (string | number)[], watching: Watching = {}): Promise<Outcome> {
  return call(defineTrain, [...words, '--json'], watching);
}

/** `unisum verify --json` in this process, with one worker. @param words of the command line */
export function verifyHere(words: readonly (string | number)[]): Promise<Outcome> {
  return call(defineVerify, [...words, '--workers', 1, '--json'], {});
}

/** `unisum eval --json` in this process. @param words of the command line */
export function evalHere(words: readonly (string | number)[]): Promise<Outcome> {
  return call(defineEval, [...words, '--json'], {});
}

/** `unisum sweep --json` in this process. @param words of the command line */
export function sweepHere(words: readonly (string | number)[], watching: Watching = {}): Promise<Outcome> {
  return call(defineSweep, [...words, '--json'], watching);
}

/** `unisum bisect --json` in this process, with one worker. @param words of the command line */
export function bisectHere(words: readonly (string | number)[]): Promise<Outcome> {
  return call(defineBisect, [...words, '--workers', 1, '--json'], {});
}

/** `unisum receipt --json` in this process. @param words of the command line */
export function receiptHere(words: readonly (string | number)[]): Promise<Outcome> {
  return call(defineReceipt, [...words, '--json'], {});
}

async function call(
  define: typeof defineTrain,
  words: readonly (string | number)[],
  { onLine }: Watching,
): Promise<Outcome> {
  const controller = new AbortController();
  let text = '';
  const say = (line: string): void => {
    text += `${line}\n`;
    onLine?.(line, () => controller.abort('SIGINT'));
  };
  const stderr = new Writable({
    decodeStrings: false,
    write: (chunk: string, _, done) => {
      for (const line of chunk.trimEnd().split('\n')) say(line);
      done();
    },
  }) as unknown as NodeJS.WriteStream;
  let result: Outcome['result'];
  const context: CommandContext = {
    terminal: {
      say,
      print: say,
      result: (value) => {
        result = JSON.parse(JSON.stringify(value)) as Outcome['result'];
      },
      stderr,
    },
    interrupted: controller.signal,
    interrupt: () => {},
    hold: () => () => {},
  };
  const command = new Command().exitOverride();
  define(command, context);
  try {
    await command.parseAsync(words.map(String), { from: 'user' });
    return { text, result, problem: undefined };
  } catch (error) {
    if (error instanceof UserError) return { text, result, problem: error.message };
    throw error;
  }
}
