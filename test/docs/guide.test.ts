import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { findRecipe } from '../../scripts/commands/recipes.js';
import { commands } from '../../scripts/commands/table.js';
import { SMALL_NETS } from '../../scripts/explain/nets.js';

const FOLDER = join(import.meta.dirname, '../../docs/guide');
const PAGES = readdirSync(FOLDER).map((name) => [name, readFileSync(join(FOLDER, name), 'utf8')] as const);

/** Command lines in a page's shell blocks. */
function commandLines(text: string): string[] {
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block]) => block!.trim().split('\n'));
}

/** Parses a command line with the real options of its command, and runs nothing. */
async function parse(line: string): Promise<string[]> {
  const [, start, rest] = /^(npm start --|npm run -s unisum --) (.*)$/.exec(line) ?? [];
  expect(start, `${line}: not a command of this project`).toBeDefined();
  const words = rest!.split(' ');
  const [name, ...args] = start === 'npm start --' ? ['train', ...words] : words;
  const entry = commands.find((candidate) => candidate.name === name);
  expect(entry, `${line}: no such command`).toBeDefined();
  const command = new Command(name).exitOverride().configureOutput({ writeErr: () => undefined });
  const terminal = { say: () => undefined, result: () => undefined, stderr: process.stderr };
  (await entry!.load()).define(command, { terminal, interrupted: new AbortController().signal });
  command.action(() => undefined);
  await command.parseAsync(args, { from: 'user' });
  return [name!, ...command.args];
}

describe.each(PAGES)('the guide, %s', (_, text) => {
  it('links to files that are there', () => {
    const links = [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, link]) => link!);
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((link) => !existsSync(join(FOLDER, link)))).toEqual([]);
  });

  it('has command lines that the program understands', async () => {
    const lines = commandLines(text);
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) {
      const [command, subject] = await parse(line);
      if (command === 'train') expect(() => findRecipe(subject!)).not.toThrow();
      if (command === 'explain') expect(SMALL_NETS.map(({ name }) => name)).toContain(subject);
    }
  });
});

it('refuses what the program does not understand', async () => {
  await expect(parse('npm start -- mnist-mlp --epocs 5')).rejects.toThrow('unknown option');
});
