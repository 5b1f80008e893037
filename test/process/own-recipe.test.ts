import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { TrainResult } from '../../scripts/training/result.js';
import { run, start, temporaryFolder } from '../support/process.js';
import { writeFiles } from '../support/process-data.js';

const ROOT = join(import.meta.dirname, '../..');

/** A folder in which Unisum is installed as a package. */
function elsewhere(files: Record<string, string>): string {
  const folder = writeFiles(temporaryFolder(), { 'package.json': '{ "type": "module" }', ...files });
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'unisum'));
  return folder;
}

it("the guide's own network learns its spirals, to the same bits by 1 and 3 workers", async () => {
  const guide = readFileSync(join(ROOT, 'docs/guide/your-own.md'), 'utf8');
  const [, code] = /```ts\n([\s\S]*?)```/.exec(guide)!;
  const folder = elsewhere({ 'spirals.ts': code! });
  const results: TrainResult[] = [];
  for (const workers of [1, 3]) {
    const options = ['--workers', workers, '--json'];
    const { status, stdout, stderr } = await start(['train', './spirals.ts', ...options], folder).ended;
    expect(status, stderr).toBe(0);
    results.push(JSON.parse(stdout) as TrainResult);
  }
  expect(results[1]!.weightsSha256).toBe(results[0]!.weightsSha256);
  expect(results[0]!.metrics.testAccuracy).toBeGreaterThan(0.95);
});

it('a file that is no recipe is told in one line', async () => {
  const folder = elsewhere({
    'empty.js': 'export const other = 1;',
    'half.ts': 'export const recipe: object = { summary: "x", batch: 0 };',
    'broken.ts': 'export const recipe = {',
    'throws.js': 'throw new Error("not today");',
  });
  const told = async (name: string): Promise<string> => {
    const { status, stderr } = await start(['train', `./${name}`], folder).ended;
    expect(status).toBeGreaterThan(0);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    return stderr;
  };
  expect(await told('nowhere.ts')).toBe('unisum: there is no recipe file ./nowhere.ts; check the path\n');
  expect(await told('empty.js')).toContain('./empty.js exports no recipe; write "export const recipe');
  expect(await told('half.ts')).toMatch(/the recipe in .\/half.ts is incomplete: model: /);
  expect(await told('broken.ts')).toContain('cannot load ./broken.ts: ');
  expect(await told('throws.js')).toBe('unisum: cannot load ./throws.js: not today\n');
  expect((await run('train', 'mnist-mpl')).stderr).toContain('did you mean mnist-mlp?');
});
