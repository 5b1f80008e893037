import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { TrainResult } from '../../trainer/result.js';
import { installedFolder } from '../support/installed-folder.js';
import { type Ended, start, temporaryFolder } from '../support/process.js';
import { writeFiles } from '../support/process-data.js';

/* Runs of one recipe file, however its path is typed: ./mine.mjs and mine.mjs are one recipe. */
const CODE = `
import { data, Graph, layers, losses, optimizers } from 'unisum';
const pack = (count) =>
  data.packSamples('line', {
    x: { shape: [1], values: Array.from({ length: count }, (_, i) => [i / count]) },
    y: { shape: [1], values: Array.from({ length: count }, (_, i) => [2 * i]) },
  });
export const recipe = {
  summary: 'a line',
  model() {
    const graph = new Graph();
    return graph.model(layers.dense(1)(graph.input('x', [1])), losses.meanSquaredError({ target: 'y' }));
  },
  data: async () => ({ train: pack(40), test: pack(8) }),
  ...{ optimizer: optimizers.adam(), batch: 8, leafSize: 4, epochs: 2 },
};`;

async function say(folder: string, ...words: (string | number)[]): Promise<Ended> {
  const ended = await start(words, folder).ended;
  expect(ended.status, ended.stderr).toBe(0);
  return ended;
}

it('two paths of one recipe file are one recipe, and other runs are told apart by their recipe', async () => {
  const folder = writeFiles(temporaryFolder(), { 'mine.mjs': CODE, 'other.mjs': CODE });
  const train = async (...words: (string | number)[]): Promise<TrainResult> =>
    JSON.parse((await say(folder, 'train', ...words, '--workers', 1, '--json')).stdout) as TrainResult;
  const first = await train('./mine.mjs', '--steps', 4);
  const second = await train('mine.mjs', '--steps', 4);
  const { stderr: compared } = await say(folder, 'runs', 'compare', first.runDir, second.runDir);
  expect(compared).toContain('all settings that decide the weights are equal');
  const bisected = await say(folder, 'bisect', first.runDir, second.runDir, '--recipe', 'mine.mjs', '--json');
  expect(JSON.parse(bisected.stdout)).toMatchObject({ parts: false, differences: [] });
  await train('other.mjs', '--steps', 4);
  // The latest run is one of the other file.
  const { runDir, steps } = await train('./mine.mjs', '--resume', '--steps', 6);
  expect([runDir, steps]).toEqual([second.runDir, 6]);
  const { status, stderr } = await start(['train', 'other.mjs', '--resume', first.runDir], folder).ended;
  expect(status).toBe(2);
  expect(stderr).toContain(`is a run of ./mine.mjs, not of other.mjs: name ./mine.mjs`);
  const absent = await start(['train', 'iris', '--resume'], folder).ended;
  expect(absent.stderr).toContain('there is no run of iris in runs/');
});

it('what a receipt names to check it with works as printed, and a run that cannot be computed is named', async () => {
  const folder = writeFiles(temporaryFolder(), { 'mine.mjs': CODE });
  await say(folder, 'train', 'mine.mjs', '--steps', 4, '--workers', 1, '--run-dir', 'r');
  const { stderr } = await say(folder, 'receipt', 'r', '--out', 'r.json');
  const [, words = ''] = /check it with: {2}.*?unisum -- (.*)\n/.exec(stderr) ?? [];
  expect(words).toBe('verify r.json --recipe mine.mjs');
  await say(folder, ...words.split(' '));
  expect(stderr).toMatch(/in a browser: {2}.*view r --recipe mine\.mjs\n/);
  const untrusted = await start(['view', 'r'], folder).ended;
  expect(untrusted.stderr).toMatch(/r, a run of mine\.mjs, cannot be computed again: .*add --recipe FILE/);
  appendFileSync(join(folder, 'mine.mjs'), '\nrecipe.optimizer = optimizers.sgd({ learningRate: 0.5 });\n');
  const changed = await start(['bisect', 'r', 'r', '--recipe', 'mine.mjs'], folder).ended;
  expect(changed.stderr).toMatch(
    /r, a run of mine\.mjs, cannot be computed again: line 1 .* records other settings/,
  );
});

it('a recipe in JavaScript may be in a package of any type, or in none', async () => {
  const types = {
    none: undefined,
    untyped: '{}',
    module: '{"type":"module"}',
    commonjs: '{"type":"commonjs"}',
  };
  const hashes = [];
  for (const manifest of Object.values(types)) {
    const files = { 'mine.js': CODE, ...(manifest !== undefined && { 'package.json': manifest }) };
    const words = ['train', 'mine.js', '--steps', 2, '--workers', 1, '--json'];
    const { stdout, stderr } = await say(writeFiles(temporaryFolder(), files), ...words);
    expect(stderr).not.toContain('Warning');
    hashes.push((JSON.parse(stdout) as TrainResult).weightsSha256);
  }
  expect(new Set(hashes).size).toBe(1);
  const cjs = CODE.replace(/import (.*) from 'unisum';/, "const $1 = require('unisum');").replace(
    'export const recipe',
    'exports.recipe',
  );
  const installed = installedFolder({ 'package.json': types.commonjs, 'mine.js': cjs });
  await say(installed, 'train', 'mine.js', '--steps', 2, '--workers', 1);
});

it('a mistake in the syntax of a recipe is told with its line', async () => {
  const wrong = CODE.replace('count }, (_, i) => [i', 'count }, (_, i => [i');
  const folder = writeFiles(temporaryFolder(), { 'mine.mjs': wrong, 'mine.ts': wrong });
  const lines = { 'mine.mjs': 'line 5', 'mine.ts': 'at or after line 3' };
  for (const [file, place] of Object.entries(lines)) {
    const { status, stderr } = await start(['train', file], folder).ended;
    const wanted = new RegExp(`^unisum: cannot load ${file}: ${place}: .*\\n$`);
    expect([status, stderr]).toEqual([1, expect.stringMatching(wanted)]);
  }
});
