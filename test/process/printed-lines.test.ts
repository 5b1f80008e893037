import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { start, temporaryFolder } from '../support/process.js';

const ROOT = join(import.meta.dirname, '../..');
const execute = promisify(execFile);
const TRAIN = ['train', 'iris', '--workers', 0, '--listen', '127.0.0.1:0', '--run-dir', 'r', '--json'];

/** What a shell makes of a line as it was printed. */
function shell(line: string, cwd: string) {
  const env = { ...process.env, npm_config_offline: 'true' };
  return execute('sh', ['-c', line], { cwd, env, timeout: 60_000 });
}

it('the join line works as printed in a checkout, and the run says how others can join', async () => {
  const run = start(TRAIN);
  const [, line = ''] = await run.prints(/join from this machine: {2}(npm run [^\n]+)\n/);
  const [hint] = await run.prints(/other machines cannot join[^\n]*\n/);
  expect(hint).toContain('--listen 0.0.0.0:0');
  await shell(line, ROOT);
  expect((await run.ended).status).toBe(0);
});

it('the join line works as printed where Unisum is installed', async () => {
  const folder = temporaryFolder();
  const installed = join(folder, 'node_modules', 'unisum');
  mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true });
  mkdirSync(installed);
  writeFileSync(join(folder, 'package.json'), '{}');
  for (const name of ['package.json', 'dist'])
    cpSync(join(ROOT, name), join(installed, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(installed, 'node_modules'));
  symlinkSync(join('..', 'unisum', 'dist', 'scripts', 'unisum.js'), join(folder, 'node_modules/.bin/unisum'));
  const program = join(installed, 'dist', 'scripts', 'unisum.js');
  // As npm does with the programs of a package.
  chmodSync(program, 0o755);
  const run = start(TRAIN, folder, { program });
  const [, line = ''] = await run.prints(/join from this machine: {2}(npx unisum [^\n]+)\n/);
  await run.prints(/watch the run: {2}npx unisum watch /);
  await shell(line, folder);
  expect((await run.ended).status).toBe(0);
});

it('paths are relative to the folder in which npm was called', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'few.csv'), `a,b,c\n${'1,2,x\n3,4,y\n5,7,x\n'.repeat(20)}`);
  const line = `npm --prefix '${ROOT}' run -s unisum -- inspect few.csv --target c --json`;
  const { stdout } = await shell(line, folder);
  expect(JSON.parse(stdout)).toMatchObject({ path: 'few.csv' });
});
