import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Runs the program in the checkout as `npm run -s unisum -- ARGS` does. */
function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['scripts/run.mjs', ...args], { cwd: ROOT, encoding: 'utf8' });
}

describe('the program in the checkout', () => {
  it('answers on stdout when asked, and says nothing else', () => {
    const version = run('--version');
    expect(version).toMatchObject({ status: 0, stdout: '0.1.0\n' });
    const help = run('train', '--help');
    expect(help.status).toBe(0);
    expect(help.stdout).toContain('mnist-mlp');
    expect(help.stderr).toBe('');
  });

  it('answers wrong usage with one line on stderr and status 2', () => {
    expect(run('train', '--batch', '0')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: 'unisum: --batch takes a whole number from 1 to 1048576, not "0"\n',
    });
  });
});
