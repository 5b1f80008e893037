import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RECIPES } from '../../scripts/commands/recipes.js';
import { isReached } from '../../scripts/recipes/goal.js';
import { run, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { madeUpRecordings } from '../support/recordings.js';

it('recipes end with the same bits for 1, 2 and 3 workers and every build', async () => {
  const images = writeFiles(temporaryFolder(), smallData());
  const names = [
    'mnist-mlp',
    'vanishing',
    'exploding',
    'cured',
    'residual',
    'overfitting-batchnorm',
    'overfitting-moved',
  ];
  const data = names.flatMap((name) => ['--data', `${name}=${images}`]);
  const { status, stdout, stderr } = await run('recipes', ...names, ...data, '--steps', 3, '--json');
  expect(status, stderr).toBe(0);
  const { recipes } = JSON.parse(stdout) as { recipes: { recipe: string; passed: boolean; what: string }[] };
  expect(recipes.map(({ recipe }) => recipe)).toEqual(names);
  for (const { what } of recipes) expect(what).toMatch(/^one hash for 1 \S+, 2 \S+, 3 \S+, 2 wasm$/);
});

it('speech too, from recordings', async () => {
  const recordings = writeFiles(temporaryFolder(), madeUpRecordings());
  const names = ['speech-digits', 'speech-digits-newcomer'];
  const data = names.flatMap((name) => ['--data', `${name}=${recordings}`]);
  const { status, stdout, stderr } = await run('recipes', ...names, ...data, '--steps', 2, '--json');
  expect(status, stderr).toBe(0);
  expect(stdout.match(/"passed":true/g)).toHaveLength(2);
});

it('recipes that cannot be checked have failed, and say why', async () => {
  const nowhere = join(temporaryFolder(), 'nowhere');
  const { status, stderr } = await run(
    'recipes',
    'mnist-mlp',
    '--data',
    `mnist-mlp=${nowhere}`,
    '--steps',
    3,
  );
  expect(status).toBe(1);
  expect(stderr).toMatch(/^FAILED mnist-mlp {14}.*nowhere.*\nunisum: 1 of 1 recipes failed: mnist-mlp\n$/);
  expect(await run('recipes', '--data', 'mnist-mlp')).toMatchObject({ status: 2 });
});

it('a goal is a bound that counts on one side, and needs its metric', async () => {
  expect(isReached({ metric: 'a', atLeast: 1 }, { a: 1 })).toBe(true);
  expect(isReached({ metric: 'a', atLeast: 1 }, { a: 0.999 })).toBe(false);
  expect(isReached({ metric: 'a', atMost: 1 }, { a: 1 })).toBe(true);
  expect(isReached({ metric: 'a', atMost: 1 }, { a: 1.001 })).toBe(false);
  expect(isReached({ metric: 'a', atMost: 1 }, { b: 0 })).toBe(false);
  const goals = await Promise.all(RECIPES.map(async ({ load }) => (await load()).goal));
  expect(goals.filter((goal) => goal !== undefined).length).toBeGreaterThan(5);
});
