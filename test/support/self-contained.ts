import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Ended, temporaryFolder } from './process.js';
import { writeFiles } from './process-data.js';
import { programHere } from './program-here.js';

/*
 * A trained model holds all that prediction needs: its folder is moved to an empty directory, its recipe and its data are
 * deleted, and predict, eval --data and export say what they said before, to the bit.
 */
const ROOT = join(import.meta.dirname, '../..');

/** A folder with Unisum installed, whose package.json has no "type". */
export function project(files: Record<string, string | Uint8Array>): string {
  const folder = writeFiles(temporaryFolder(), { 'package.json': '{}', ...files });
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'unisum'));
  return folder;
}

/** Runs a command that succeeds. */
export async function unisum(folder: string, ...words: (string | number)[]): Promise<Ended> {
  const ended = await programHere(folder, ...words);
  expect(ended.status, ended.stderr).toBe(0);
  return ended;
}

/** The same questions are answered before and after the recipe and the data are gone. */
export async function answersTheSame(
  folder: string,
  recipe: string,
  options: string[],
  data: string,
  inputs: string[],
  backends: readonly string[] = ['auto', 'wasm'],
) {
  await unisum(folder, 'train', recipe, ...options, '--workers', 1, '--run-dir', 'run');
  const away = temporaryFolder();
  const asked = existsSync(join(ROOT, 'native')) ? backends : backends.filter((name) => name !== 'auto');
  const said = async (where: string, ...words: string[]): Promise<string> =>
    (await unisum(where, ...words)).stdout;
  const ask = async (where: string, model: string, backend: string) => {
    const answers = [
      await said(where, 'predict', model, ...inputs, '--json', '--backend', backend),
      await said(where, 'eval', model, '--data', data, '--json', '--backend', backend),
    ];
    await unisum(where, 'export', model, '--out', 'exported');
    const exported = ['model.json', 'model.safetensors'].map((name) =>
      readFileSync(join(where, 'exported', name)).toString('base64'),
    );
    return [...answers, ...exported];
  };
  const [first, ...others] = asked as [string, ...string[]];
  const table = await said(folder, 'predict', 'run', ...inputs, '--backend', first);
  const before = await ask(folder, 'run', first);
  // Files to predict and to measure are people's own; everything else goes.
  renameSync(join(folder, 'run'), join(away, 'moved'));
  for (const path of new Set([data, ...inputs].map((path) => path.split('/')[0] as string)))
    renameSync(join(folder, path), join(away, path));
  rmSync(join(folder, 'exported'), { recursive: true });
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  // Other backends say the same, too.
  for (const backend of others.length > 0 ? others : [first])
    expect(await ask(away, 'moved', backend), backend).toEqual(before);
  // An export is as good as its run.
  expect(await said(away, 'predict', 'exported', ...inputs)).toBe(table);
  return { away, predictions: table, evaluation: before[1] as string };
}
