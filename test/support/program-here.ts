import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import type { CommandContext } from '../../scripts/commands/command.js';
import { type Ended, temporaryFolder } from './process.js';

/** The compiled modules, so that recipes which import the package share them. */
const COMMANDS = join(import.meta.dirname, '../../dist/scripts/commands');

let last: Promise<unknown> = Promise.resolve();

/**
 * `unisum WORDS` to its end, in this process: the same program without the start of a process, which takes most of the time of a
 * short command. For commands that need no signal, no limit and no crash. One runs at a time, as the working directory is that of
 * the process.
 */
export function programHere(folder: string, ...words: (string | number)[]): Promise<Ended> {
  const ended = last.then(() => runIn(folder, words.map(String)));
  last = ended.catch(() => undefined);
  return ended;
}

/** Runs `unisum WORDS` in a new folder, in this process. */
export function runHere(...words: (string | number)[]): Promise<Ended> {
  return programHere(temporaryFolder(), ...words);
}

async function runIn(folder: string, words: readonly string[]): Promise<Ended> {
  const load = (name: string) => import(pathToFileURL(join(COMMANDS, name)).href);
  const { runProgram } = (await load('program.js')) as typeof import('../../scripts/commands/program.js');
  const { commands } = (await load('table.js')) as typeof import('../../scripts/commands/table.js');
  let [stdout, stderr] = ['', ''];
  const drawn = new Writable({
    decodeStrings: false,
    write: (chunk: string, _, done) => {
      stderr += chunk;
      done();
    },
  }) as unknown as NodeJS.WriteStream;
  const context: CommandContext = {
    terminal: {
      say: (line) => {
        stderr += `${line}\n`;
      },
      print: (text) => {
        stdout += text;
      },
      result: (value) => {
        stdout += `${JSON.stringify(value)}\n`;
      },
      stderr: drawn,
    },
    interrupted: new AbortController().signal,
    interrupt: () => undefined,
    hold: () => () => undefined,
  };
  const before = process.cwd();
  process.chdir(folder);
  try {
    const status = await runProgram(words, commands, context, process.env);
    return { status, signal: null, stdout, stderr };
  } finally {
    process.chdir(before);
  }
}
