import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { TrainResult } from '../../trainer/result.js';
import { start } from '../support/process.js';
import { project, unisum } from '../support/self-contained.js';

/* A run without held-out samples measures nothing but its training loss, and says so. */
const recipe = (more = '') => `
import { csv } from 'unisum/data/tables/csv';
import { shapeOf } from 'unisum/data/dataset';
import { Graph } from 'unisum/graph';
import { dense } from 'unisum/layers/dense';
import { huber } from 'unisum/losses/huber';
import { adam } from 'unisum/optim/adam';
import { earlyStopping } from 'unisum/optim/early-stopping';
import type { Recipe } from 'unisum/recipe';

export const recipe: Recipe = {
  summary: 'sums',
  model({ train }) {
    const graph = new Graph();
    return graph.model(dense(1)(graph.input('features', shapeOf(train, 'features'))), huber({ target: 'target' }));
  },
  data: () => csv('sums.csv', { target: 'sum', split: { share: 0 } }),
  metrics: async () => ({ never: 1 }),
  optimizer: adam({ learningRate: 0.05 }),
  batch: 8,
  leafSize: 4,
  epochs: 3,
  ${more}
};
`;
const LINE = 'no samples are held out: nothing but the training loss is measured\n';

it('trains, is verified and measured on other data', async () => {
  const rows = Array.from({ length: 40 }, (_, i) => `${i},${i % 7},${i + (i % 7)}`);
  const folder = project({
    'sums.ts': recipe(),
    'stopping.ts': recipe('earlyStopping: earlyStopping({ patience: 2 }),'),
    'sums.csv': ['a,b,sum', ...rows].join('\n'),
  });
  const train = ['--workers', 1, '--json'];
  const { stdout, stderr } = await unisum(folder, 'train', './sums.ts', ...train, '--run-dir', 'run');
  const { metrics, steps, trainLoss } = JSON.parse(stdout) as TrainResult;
  expect(stderr).toContain(LINE);
  expect(stderr).toContain('40 training rows, 0 held out');
  expect({ metrics, steps }).toEqual({ metrics: {}, steps: 15 });
  expect(trainLoss).toBeGreaterThan(0);

  expect(
    JSON.parse((await unisum(folder, 'verify', 'run', '--recipe', './sums.ts', '--json')).stdout),
  ).toMatchObject({
    ok: true,
    checkedEvaluations: 0,
    testDataSha256: null,
  });
  const refused = await start(['eval', 'run', '--trust-recipe'], folder).ended;
  expect(refused.stderr).toMatch(
    /^unisum: run was trained without held-out samples; give some with --data PATH\n$/m,
  );
  const measured = await unisum(folder, 'eval', 'run', '--data', 'sums.csv', '--json');
  expect(JSON.parse(measured.stdout)).toMatchObject({
    samples: 40,
    metrics: { testLoss: expect.any(Number) },
  });

  const stopping = await start(['train', './stopping.ts'], folder).ended;
  expect(stopping).toMatchObject({ status: 2 });
  expect(stopping.stderr).toContain(
    'early stopping needs samples to evaluate on, and data() returns no test; ',
  );

  // Weights that are not finite are told, though no evaluation meets them.
  writeFileSync(join(folder, 'wild.ts'), recipe().replace('learningRate: 0.05', 'learningRate: 1e38'));
  const wild = await start(['train', './wild.ts', '--workers', 1], folder).ended;
  expect(wild.status).toBe(1);
  expect(wild.stderr).toMatch(/diverged|not finite/);
}, 120_000);
