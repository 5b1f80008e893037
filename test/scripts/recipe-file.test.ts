import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { loadRecipeFile } from '../../scripts/commands/recipe-file.js';
import type { Predictor } from '../../shared/engine/passes/prediction.js';
import type { MeasuredData } from '../../trainer/recipe.js';
import { temporaryFolder } from '../support/process.js';
import { writeFiles } from '../support/process-data.js';

// Hooks of Node 20 are a compiled file, which test/process/recipe-file-runs.test.ts runs.
vi.mock('node:module', async (original) => ({
  ...{ registerHooks: undefined, ...(await original<object>()), register: () => {} },
}));

/** A recipe file with these functions. */
function recipeWith(functions: string) {
  const text = `
    const loss = 'loss';
    const set = { manifest: { name: 'x', samples: 1, chunkSamples: 1, recordBytes: 4, fields: {
      x: { dtype: 'f32', shape: [], offset: 0, scale: 1, shift: 0 } }, chunkHashes: ['${'0'.repeat(64)}'] }, chunk() {} };
    export const recipe = {
      summary: 'few', optimizer: { name: 'sgd', learningRate: 1 }, batch: 2, leafSize: 1, epochs: 1,
      data: async () => ({ train: set, test: set }),
      model: () => ({ loss }),
      ${functions}
    };`;
  return loadRecipeFile(join(writeFiles(temporaryFolder(), { 'mine.mjs': text }), 'mine.mjs'));
}

describe('a recipe file', () => {
  it('is loaded unchanged when it is correct', async () => {
    const { model, data, metrics, batch } = await recipeWith('metrics: async () => ({ good: 1 }),');
    const both = await data(undefined);
    expect(batch).toBe(2);
    expect(both.train.manifest.samples).toBe(1);
    expect(model(both)).toEqual({ loss: 'loss' });
    expect(await metrics?.({} as Predictor, both as MeasuredData, {})).toEqual({ good: 1 });
    expect((await recipeWith('')).metrics).toBeUndefined();
  });

  it.each<[string, RegExp]>([
    [
      'data: () => { throw new TypeError("disk on fire"); }',
      /^data\(\) in \S*mine\.mjs failed: TypeError: disk on fire; UNISUM_STACK=1 shows where$/,
    ],
    ['data: async () => { throw "never"; }', /^data\(\) in \S*mine\.mjs failed: never; /],
    [
      'data: async () => undefined',
      /^data\(\) in \S*mine\.mjs does not return a data set "train"; return \{ train, test \}$/,
    ],
    [
      'data: async () => ({ train: set, test: 1 })',
      /^data\(\) in \S*mine\.mjs does not return a data set "test"; return \{ train, test \}$/,
    ],
    [
      'data: async () => ({ train: set, test: { ...set, manifest: { name: "x" } } })',
      /^what data\(\) in \S*mine\.mjs returns as "test" is not a valid manifest of a data set: samples: .*; create it again$/,
    ],
    [
      'model: () => nonsense()',
      /^model\(\) in \S*mine\.mjs failed: ReferenceError: nonsense is not defined; /,
    ],
    [
      'model: () => undefined',
      /^model\(\) in \S*mine\.mjs does not return a model; end it with "return graph\.model\(output, loss\)"$/,
    ],
    [
      'model: () => ({ graph: 1, name: "dense", shape: [] })',
      /^model\(\) in \S*mine\.mjs does not return a model; /,
    ],
    ['metrics: () => { throw new Error("no"); }', /^metrics\(\) in \S*mine\.mjs failed: Error: no; /],
  ])('reports its path and the error: %s', async (functions, line) => {
    const recipe = await recipeWith(functions);
    const use = async () => {
      const data = await recipe.data(undefined);
      recipe.model(data);
      await recipe.metrics?.({} as Predictor, data as MeasuredData, {});
    };
    await expect(use()).rejects.toMatchObject({ name: 'UserError', message: expect.stringMatching(line) });
  });

  it.each([
    ['callbacks: [],', 'unknown key "callbacks"; the keys are: '],
    ['earlyStoping: {},', 'unknown key "earlyStoping"; did you mean earlyStopping?'],
    ['batch: 0,', 'batch: '],
  ])('refuses %s', async (field, message) => {
    await expect(recipeWith(field)).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(`mine.mjs: ${message}`),
    });
  });
});
