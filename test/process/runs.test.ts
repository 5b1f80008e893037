import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { runProgram } from '../../scripts/commands/program.js';
import { commands } from '../../scripts/commands/table.js';
import type { TrainResult } from '../../trainer/result.js';
import { temporaryFolder } from '../support/process.js';
import { runHere } from '../support/program-here.js';

/** Runs a command in this process. */
async function command(...args: string[]): Promise<{ status: number; lines: string[]; result: unknown }> {
  const lines: string[] = [];
  let result: unknown;
  const terminal = {
    say: (line: string) => void lines.push(line),
    print: () => undefined,
    result: (value: object) => {
      result = value;
    },
    stderr: process.stderr,
  };
  const interrupted = new AbortController().signal;
  const context = { terminal, interrupted, interrupt: () => {}, hold: () => () => {} };
  return { status: await runProgram(args, commands, context, {}), lines, result };
}

it('a run ends with its page, and runs lists, shows, exports and removes it', async () => {
  const folder = temporaryFolder();
  const place = ['--in', folder, '--json'];
  const path = join(folder, 'a');
  const trained = await runHere('train', 'iris', '--workers', 1, '--steps', 4, '--json', '--run-dir', path);
  const { weightsSha256, metrics } = JSON.parse(trained.stdout) as TrainResult;
  const page = readFileSync(join(path, 'run.html'), 'utf8');
  expect(page).toContain(weightsSha256);
  const expected = { name: 'a', recipe: 'iris', state: 'finished', steps: 4, weightsSha256, metrics };
  expect((await command('runs', 'list', ...place)).result).toMatchObject({
    runs: [expected],
    unreadable: [],
  });
  const list = join(folder, 'runs.html');
  await command('runs', 'list', '--html', list, ...place);
  expect(readFileSync(list, 'utf8')).toContain(`1 run in ${folder}`);
  expect(readFileSync(list, 'utf8')).toContain('"links":["a/run.html"]');
  const elsewhere = join(folder, 'pages of runs', 'list.html');
  mkdirSync(dirname(elsewhere));
  await command('runs', 'list', '--html', elsewhere, ...place);
  expect(readFileSync(elsewhere, 'utf8')).toContain('"links":["../a/run.html"]');
  expect(await command('runs', 'list', '--html', list, '--in', temporaryFolder())).toMatchObject({
    status: 1,
    lines: [expect.stringMatching(/^unisum: there is no run in .* to write a page of \(--in DIR names/)],
  });
  expect((await command('runs', 'show', 'a', ...place)).result).toMatchObject({
    ...{ ...expected, settings: { recipe: 'iris', seed: '0' }, otherSettings: { workers: '1' } },
  });
  const again = await command('report', 'a', '--out', join(folder, 'page.html'), ...place);
  expect(again.status, again.lines.join('\n')).toBe(0);
  expect(readFileSync(join(folder, 'page.html'), 'utf8')).toBe(page);
  const out = join(folder, 'table');
  await command('runs', 'export', 'a', '--format', 'csv', '--out', out, ...place);
  expect(readFileSync(join(out, 'metrics.csv'), 'utf8')).toMatch(
    /^step,loss\/training,accuracy\/training,loss\/test,/,
  );
  expect(await command('runs', 'show', 'b', ...place)).toMatchObject({
    status: 2,
    lines: [expect.stringMatching(/^unisum: there is no run b, neither here nor in /)],
  });
  expect(await command('runs', 'clean', ...place)).toMatchObject({
    status: 2,
    lines: ['unisum: say what to remove: --finished, --diverged or --untrained'],
  });
  const kept = await command('runs', 'clean', '--diverged', '--untrained', '--yes', ...place);
  expect(kept.result).toEqual({ removed: [], bytes: 0 });
  expect((await command('runs', 'clean', '--finished', '--yes', ...place)).status).toBe(0);
  expect(existsSync(path)).toBe(false);
});
