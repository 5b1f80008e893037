import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { findRecipe } from '../../scripts/commands/recipes.js';
import { commands } from '../../scripts/commands/table.js';
import { SMALL_NETS } from '../../scripts/reports/explain/nets.js';
import { ROOT } from './pages.js';

const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

/**
 * Checks that a command line of a page would be understood, and runs nothing: the program's commands are parsed with their
 * real options, names of recipes and networks exist, and so do npm scripts and files.
 * @throws Error that says what is wrong with it
 */
export async function checkCommandLine(line: string): Promise<void> {
  const words = wordsOf(line);
  while (/^UNISUM_[A-Z_]+=/.test(words[0] ?? '')) words.shift();
  const [first = '', second = '', ...rest] = words;
  if (first === 'npm' && second === 'run') return checkScript(line, rest);
  if (first === 'npm') return checkScript(line, [second, ...rest]);
  if (first === 'npx' && second === 'unisum') return checkProgram(line, rest);
  // What serves and bundles the pages of others.
  if (first === 'npx' && second === 'vite') return;
  if (first === 'npx' && second === 'vitest') return checkFiles(line, rest.slice(1));
  if (first === 'npx' && second === 'tsx') return checkFiles(line, rest.slice(0, 1));
  if (first.startsWith('.') && second === '') return checkFiles(line, [first]);
  if (first === 'srun') return checkCommandLine(line.slice(line.indexOf('npm ')));
  if (['kubectl', 'podman', 'docker', 'nomad', 'salloc', 'scontrol'].includes(first))
    return checkFiles(
      line,
      words.filter((word) => word.startsWith('examples/')),
    );
  throw new Error(`${line}: not a command of this project`);
}

/** `npm start -- ARGS`, `npm run -s unisum -- COMMAND ARGS` or another script of package.json. */
async function checkScript(line: string, words: readonly string[]): Promise<void> {
  const [name = '', ...rest] = words.filter((word) => word !== '-s');
  if (MANIFEST.scripts[name] === undefined) throw new Error(`${line}: package.json has no script ${name}`);
  const separator = rest.indexOf('--');
  if (separator > 0) throw new Error(`${line}: options come after --`);
  const args = separator < 0 ? [] : rest.slice(1);
  if (separator < 0 && rest.length > 0) throw new Error(`${line}: options come after --`);
  if (name === 'start') return checkProgram(line, ['train', ...args]);
  if (name === 'recipes') return checkProgram(line, ['recipes', ...args]);
  if (name === 'unisum') return checkProgram(line, args);
}

async function checkProgram(line: string, [name = '', ...args]: readonly string[]): Promise<void> {
  if (name === '--help' || name === '--version') return;
  // A placeholder in the list of commands.
  if (name === 'COMMAND') return;
  const entry = commands.find((candidate) => candidate.name === name);
  if (entry === undefined) throw new Error(`${line}: there is no command ${name}`);
  if (args.includes('--help')) return;
  const command = new Command(name).exitOverride().configureOutput({
    writeErr: () => undefined,
    writeOut: () => undefined,
  });
  const terminal = {
    say: () => undefined,
    print: () => undefined,
    result: () => undefined,
    stderr: process.stderr,
  };
  (await entry.load()).define(command, {
    terminal,
    interrupted: new AbortController().signal,
    interrupt: () => {},
    hold: () => () => {},
  });
  for (const one of [command, ...command.commands]) one.exitOverride().action(() => undefined);
  await command.parseAsync(args, { from: 'user' });
  const [subject] = command.args;
  if (subject === undefined) return;
  // A file of the reader's, which the page describes.
  if (name === 'train' && !subject.startsWith('./')) findRecipe(subject);
  if (name === 'explain' && !SMALL_NETS.some((net) => net.name === subject))
    throw new Error(`${line}: there is no network ${subject}`);
}

function checkFiles(line: string, paths: readonly string[]): void {
  for (const path of paths) {
    if (!existsSync(join(ROOT, path))) throw new Error(`${line}: there is no ${path}`);
  }
}

/** Words of a line as a shell would split it; single quotes only. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}
