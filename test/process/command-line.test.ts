import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** Paths of documents in a text. */
const DOCUMENT = /\b(?:docs\b[\w/.-]*|\w+\.md)\b/g;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Runs the program in the checkout as `npm run -s unisum -- ARGS` does. */
function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['scripts/run.mjs', ...args], { cwd: ROOT, encoding: 'utf8' });
}

describe('the program in the checkout', () => {
  it('prints version and help on stdout, and nothing else', () => {
    const version = run('--version');
    expect(version).toMatchObject({ status: 0, stdout: '0.1.0\n' });
    const help = run('train', '--help');
    expect(help.status).toBe(0);
    expect(help.stdout).toContain('mnist-mlp');
    expect(help.stderr).toBe('');
  });

  it('names only documents that exist in its help', () => {
    const documents = [['--help'], ['train', '--help']].flatMap(
      (args) => run(...args).stdout.match(DOCUMENT) ?? [],
    );
    expect(documents).toEqual(['README.md', 'docs', 'docs/guide/your-own.md']);
    for (const document of documents) expect(existsSync(join(ROOT, document)), document).toBe(true);
  });

  it('refuses wrong usage with one line on stderr and status 2', () => {
    expect(run('train', '--batch', '0')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: 'unisum: --batch takes a whole number from 1 to 1048576, not "0"\n',
    });
  });
});
