import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/process.js';
import { writeFiles } from '../support/process-data.js';

/*
 * The program is bundled, and users' recipes import parts of it by path. A module that existed twice in a process would have two
 * classes of one name: the program would not recognise the errors and models of a recipe.
 */
const PROGRAM = join(import.meta.dirname, '../../dist/scripts/unisum.js');
/** Some fifteen are loaded. The program in pieces would be several hundred. */
const MODULES_MAX = 30;

/** A module that has each URL printed that is loaded after it. */
const PRINTER = `
import { register } from 'node:module';
const hooks = \`
  import { writeSync } from 'node:fs';
  export function load(url, context, next) {
    if (url.startsWith('file:')) writeSync(2, 'loaded ' + url + '\\\\n');
    return next(url, context);
  }\`;
register('data:text/javascript,' + encodeURIComponent(hooks));
`;

const RECIPE = `
import { UserError } from 'unisum/errors';
import { Graph } from 'unisum/graph';
import { dense } from 'unisum/layers/dense';
import { sparseCategoricalCrossentropy } from 'unisum/losses/sparse-categorical-crossentropy';
import { sgd } from 'unisum/optim/sgd';

export const recipe = {
  summary: 'refuses its data',
  model() {
    const graph = new Graph();
    return graph.model(dense(2)(graph.input('number', [1])), sparseCategoricalCrossentropy({ target: 'large' }));
  },
  data: async () => {
    throw new UserError('the data is missing: fetch it', 7);
  },
  optimizer: sgd({ learningRate: 0.1 }),
  ...{ batch: 16, leafSize: 4, epochs: 3 },
};
`;

it('a recipe shares the modules of the program, which are few', () => {
  const folder = writeFiles(temporaryFolder(), { 'recipe.mts': RECIPE, 'printer.mjs': PRINTER });
  const printer = pathToFileURL(join(folder, 'printer.mjs')).href;
  const args = ['--import', printer, PROGRAM, 'train', './recipe.mts'];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  const loaded = [...stderr.matchAll(/^loaded (.*)\n/gm)].map(([, url]) => url as string);
  const printed = stderr.replace(/^loaded .*\n/gm, '');
  expect({ status, printed }).toEqual({ status: 7, printed: 'unisum: the data is missing: fetch it\n' });
  expect(loaded).toContain(pathToFileURL(join(PROGRAM, '../../shared/graph/graph.js')).href);
  expect(loaded.length, loaded.join('\n')).toBeLessThan(MODULES_MAX);
});

it('the stack of an unexpected error leads to the source', () => {
  const text = RECIPE.replace(
    "throw new UserError('the data is missing: fetch it', 7)",
    "packSamples('numbers')",
  ).replace('\n', "\nimport { packSamples } from 'unisum/data/samples';\n");
  const folder = writeFiles(temporaryFolder(), { 'recipe.mts': text });
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, 'train', './recipe.mts'], {
    ...{ cwd: folder, encoding: 'utf8', env: { ...process.env, UNISUM_STACK: '1' } },
  });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^unisum: TypeError: /);
  expect(stderr).toMatch(/ at packSamples \(\S*\/shared\/data\/samples\.ts:\d+:\d+\)$/m);
});

it('only the start of the program is loaded for its help', () => {
  const folder = writeFiles(temporaryFolder(), { 'printer.mjs': PRINTER });
  const printer = pathToFileURL(join(folder, 'printer.mjs')).href;
  const args = ['--import', printer, PROGRAM, '--help'];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  const loaded = [...stderr.matchAll(/^loaded .*\/dist\/(.*)$/gm)].map(([, path]) => path);
  expect(status, stderr).toBe(0);
  expect(loaded.sort()).toEqual(['bundle/rolldown-runtime.js', 'bundle/start.js', 'scripts/unisum.js']);
});
