import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RECIPES } from '../../scripts/commands/recipes.js';
import { isReached } from '../../trainer/recipe-check.js';
import { temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { runHere } from '../support/program-here.js';
import { madeUpRecordings } from '../support/recordings.js';
import { checksOr } from '../support/thoroughness.js';

/** Groups of recipes, with the data that they learn from in tests. */
const GROUPS = {
  'on images': {
    recipes: [
      ...['mnist-mlp', 'mnist-cnn', 'fashion-cnn', 'mnist-vae'],
      ...['vanishing', 'exploding', 'cured', 'residual'],
      ...[
        'overfitting',
        'overfitting-dropout',
        'overfitting-l2',
        'overfitting-batchnorm',
        'overfitting-moved',
      ],
    ],
    data: () => writeFiles(temporaryFolder(), smallData()),
  },
  'with losses of their own': {
    recipes: ['mnist-siamese', 'mnist-diffusion'],
    data: () => writeFiles(temporaryFolder(), smallData()),
  },
  'on some digits': {
    recipes: ['first-digits', 'other-digits'],
    data: () => writeFiles(temporaryFolder(), smallData()),
  },
  'on canvases': {
    recipes: ['detect-digits'],
    data: () => writeFiles(temporaryFolder(), smallData()),
  },
  'on a table': { recipes: ['iris'], data: undefined },
  'on a text': {
    recipes: ['char-gpt', 'char-lstm'],
    data: () => {
      const text = Array.from({ length: 200 }, (_, i) => `${i} times ${i} is ${i * i}\n`).join('');
      return join(writeFiles(temporaryFolder(), { 'squares.txt': text }), 'squares.txt');
    },
  },
  'on recordings': {
    recipes: ['speech-digits', 'speech-digits-newcomer'],
    data: () => writeFiles(temporaryFolder(), madeUpRecordings()),
  },
  'on strings of recordings': {
    recipes: ['speech-strings'],
    data: () => writeFiles(temporaryFolder(), madeUpRecordings()),
  },
  'on strings of recordings, without a speaker': {
    recipes: ['speech-strings-newcomer'],
    data: () => writeFiles(temporaryFolder(), madeUpRecordings()),
  },
};

/** Recipes with tests of their own. */
const TESTED_ELSEWHERE = ['translate', 'translate-dates', 'translate-dates-lstm', 'summarise'];

/** Others are of the same kinds, and are compared in the checks of a change. */
const USUAL = new Set([
  ...['mnist-mlp', 'mnist-cnn', 'mnist-vae', 'cured', 'overfitting-batchnorm'],
  ...['mnist-siamese', 'mnist-diffusion', 'first-digits', 'other-digits', 'detect-digits', 'iris'],
  ...['char-gpt', 'char-lstm', 'speech-digits', 'speech-strings'],
]);

/** Groups in which a recipe is compared. */
const COMPARED = Object.entries(GROUPS).flatMap(([name, { recipes, data }]) => {
  const some = checksOr(recipes, (recipe) => USUAL.has(recipe));
  return some.length === 0 ? [] : [[name, { recipes: some, data }] as const];
});

describe('recipes', () => {
  it.each(COMPARED)('%s give the same bits with 1, 2 and 3 workers and every build', async (_, group) => {
    const path = group.data?.();
    const data = path === undefined ? [] : group.recipes.flatMap((name) => ['--data', `${name}=${path}`]);
    const { status, stdout, stderr } = await runHere(
      'recipes',
      ...group.recipes,
      ...data,
      '--steps',
      2,
      '--json',
    );
    expect(status, stderr).toBe(0);
    const { recipes } = JSON.parse(stdout) as { recipes: { recipe: string; what: string }[] };
    expect(recipes.map(({ recipe }) => recipe)).toEqual(group.recipes);
    for (const { what } of recipes) expect(what).toMatch(/^one hash for 1 \S+, 2 \S+, 3 \S+, 2 wasm$/);
  });

  it('are all covered by these tests', () => {
    const compared = Object.values(GROUPS).flatMap(({ recipes }) => recipes);
    expect([...compared, ...TESTED_ELSEWHERE].sort()).toEqual(RECIPES.map(({ name }) => name).sort());
  });
});

it('recipes that cannot be checked fail, and say why', async () => {
  const nowhere = join(temporaryFolder(), 'nowhere');
  const { status, stderr } = await runHere(
    'recipes',
    'mnist-mlp',
    '--data',
    `mnist-mlp=${nowhere}`,
    '--steps',
    3,
  );
  expect(status).toBe(1);
  expect(stderr).toMatch(/^FAILED mnist-mlp .*nowhere.*\nunisum: 1 of 1 recipes failed: mnist-mlp\n$/);
  expect(await runHere('recipes', '--data', 'mnist-mlp')).toMatchObject({ status: 2 });
});

it('recipes without a goal report all of their metrics', async () => {
  const folder = writeFiles(temporaryFolder(), smallData());
  const { status, stderr } = await runHere('recipes', 'vanishing', '--data', `vanishing=${folder}`);
  expect(status, stderr).toBe(0);
  expect(stderr).toMatch(
    /^ok {5}vanishing trainLoss \d\.\d{4}, testLoss \d\.\d{4}, testAccuracy \d\.\d{4} in \d+ s; one hash/m,
  );
});

it('a goal is a one-sided bound, which a missing metric does not reach', async () => {
  expect(isReached({ metric: 'a', atLeast: 1 }, { a: 1 })).toBe(true);
  expect(isReached({ metric: 'a', atLeast: 1 }, { a: 0.999 })).toBe(false);
  expect(isReached({ metric: 'a', atMost: 1 }, { a: 1 })).toBe(true);
  expect(isReached({ metric: 'a', atMost: 1 }, { a: 1.001 })).toBe(false);
  expect(isReached({ metric: 'a', atMost: 1 }, { b: 0 })).toBe(false);
  const goals = await Promise.all(RECIPES.map(async ({ load }) => (await load()).goal));
  expect(goals.filter((goal) => goal !== undefined).length).toBeGreaterThan(5);
});
