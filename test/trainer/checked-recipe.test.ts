import { describe, expect, it } from 'vitest';
import { packSamples } from '../../shared/data/samples.js';
import { Graph } from '../../shared/graph/graph.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import { adam } from '../../shared/optim/adam.js';
import { checkedRecipe } from '../../trainer/checked-recipe.js';
import type { MeasuredData, Recipe } from '../../trainer/recipe.js';
import { train } from '../../trainer/training-run.js';

const samples = () =>
  packSamples('few', {
    x: { shape: [2], values: [0, 1, 2, 3].map((i) => [i, 1]) },
    y: { shape: [], values: [0, 1, 0, 1], dtype: 'i32' },
  });

/** A recipe with some settings of any kind, as JavaScript allows. */
const recipeWith = (settings: object): Recipe => ({
  summary: 'few',
  model() {
    const graph = new Graph();
    const output = dense(2, { activation: 'softmax' })(graph.input('x', [2]));
    return graph.model(output, sparseCategoricalCrossentropy({ target: 'y' }));
  },
  data: async () => ({ train: samples(), test: samples() }),
  ...{ optimizer: adam(), batch: 2, leafSize: 1, epochs: 1 },
  ...settings,
});

describe('a recipe in a program', () => {
  it.each<[object, string]>([
    [{ epoch: 3 }, 'the recipe: unknown key "epoch"; did you mean epochs?'],
    [{ epoch: 3, epochs: undefined }, 'the recipe: unknown key "epoch"; did you mean epochs?'],
    [{ callbacks: [] }, 'the recipe: unknown key "callbacks"'],
    [{ earlyStoping: {} }, 'did you mean earlyStopping?'],
    [{ optimizer: undefined }, 'the recipe: optimizer: '],
    [{ optimizer: 'adam' }, 'the recipe: optimizer: '],
    [{ data: undefined }, 'the recipe: data: must be a function'],
    [{ epochs: 0 }, 'the recipe: epochs: '],
    [{ epochs: '3' }, 'the recipe: epochs: '],
    [{ batch: 8.5 }, 'the recipe: batch: '],
    [{ steps: -1 }, 'the recipe: steps: '],
    [{ evaluateEvery: 0 }, 'the recipe: evaluateEvery: '],
    [{ goal: { metric: 'testLoss', atmost: 1 } }, 'the recipe: goal'],
    [{ metrics: ['f1'] }, 'the recipe: metrics: must be a function'],
  ])('with %j is refused before anything is read', async (settings, message) => {
    await expect(train(recipeWith(settings), { runDir: 'none', workers: 1 })).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(message),
    });
  });

  it.each<[string, object, string]>([
    ['nothing', { data: async () => undefined }, 'data() does not return a data set "train"'],
    ['null', { data: async () => null }, 'data() does not return a data set "train"'],
    ['a data set', { data: async () => samples() }, 'data() does not return a data set "train"'],
    ['tests', { data: async () => ({ train: samples(), tests: samples() }) }, 'did you mean test?'],
    ['val', { data: async () => ({ train: samples(), val: samples() }) }, 'did you mean validation?'],
    ['a text as classes', { data: async () => ({ train: samples(), classes: 'ab' }) }, 'not a list of names'],
    ['equal classes', { data: async () => ({ train: samples(), classes: ['a', 'a'] }) }, 'called "a"'],
  ])('whose data() returns %s is refused', async (_, settings, message) => {
    await expect(checkedRecipe(recipeWith(settings), '').data(undefined)).rejects.toThrow(message);
  });

  it('may return more for its own functions', async () => {
    const recipe = recipeWith({ data: async () => ({ train: samples(), weights: [1, 2] }) });
    expect(await checkedRecipe(recipe, '').data(undefined)).toHaveProperty('weights');
  });

  it.each<[string, object, string]>([
    ['a promise', { model: async () => ({}) }, 'model() is asynchronous'],
    ['nothing', { model: () => undefined }, 'model() does not return a model'],
    ['a list', { model: () => [] }, 'model() does not return a model'],
  ])('whose model() returns %s is refused', (_, settings, message) => {
    expect(() => checkedRecipe(recipeWith(settings), '').model({ train: samples() })).toThrow(message);
  });

  it('needs a name for each class, and a class for each name', () => {
    const { model } = checkedRecipe(recipeWith({}), 'mine.js');
    const data = { train: samples() };
    expect(() => model({ ...data, classes: ['no', 'yes'] })).not.toThrow();
    expect(() => model({ ...data, classes: ['no'] })).toThrow(
      'the data in mine.js has 1 classes, and the output dense/softmax has 2; give the last layer classes.length units',
    );
  });

  it.each<[unknown, string]>([
    [undefined, 'metrics() returns no object'],
    [[1], 'metrics() returns no object'],
    [{ good: 'x' }, 'metrics() returns "good", which is not a number'],
  ])('whose metrics() returns %j is refused', async (result, message) => {
    const { metrics } = checkedRecipe(recipeWith({ metrics: async () => result }), '');
    await expect(metrics?.({} as never, {} as MeasuredData, {})).rejects.toThrow(message);
  });
});
