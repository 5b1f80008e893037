import { execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { installedFolder } from '../../support/installed-folder.js';

const ROOT = join(import.meta.dirname, '../../..');
const GUIDE = readFileSync(join(ROOT, 'docs/guide/library.md'), 'utf8');

const SETTINGS = {
  compilerOptions: {
    ...{ target: 'ES2022', module: 'NodeNext', strict: true, noEmit: true, types: ['node'] },
    ...{ exactOptionalPropertyTypes: true, skipLibCheck: false },
  },
  files: ['digits.mts'],
};

it("the guide's program is type-checked, trains, stops early, loads and predicts", () => {
  const [, program = ''] = /`digits\.mts`:\n\n```ts\n([\s\S]*?)```/.exec(GUIDE) ?? [];
  expect(program.split('\n').length).toBeLessThanOrEqual(26);
  const folder = installedFolder({ 'digits.mts': program, 'tsconfig.json': JSON.stringify(SETTINGS) });
  symlinkSync(join(ROOT, 'node_modules/@types'), join(folder, 'node_modules/@types'));
  execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/lib/tsc.js')], {
    cwd: folder,
    stdio: 'pipe',
  });
  const tsx = join(ROOT, 'node_modules/tsx/dist/cli.mjs');
  const output = execFileSync(process.execPath, [tsx, 'digits.mts'], { cwd: folder, encoding: 'utf8' });
  expect(output).toMatch(/^1 \{ testLoss: 0\.\d+, testAccuracy: 0\.\d+ \}/);
  expect(output).toMatch(/\nstopped [0-9a-f]{64} \[/);
  expect(output.match(/class: '\d'/g)).toHaveLength(5);
});
