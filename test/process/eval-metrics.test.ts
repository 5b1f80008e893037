import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TrainResult } from '../../trainer/result.js';
import { evalHere, trainHere } from '../support/in-process.js';
import { temporaryFolder } from '../support/process.js';

const TABLE = [
  'sepal length,sepal width,petal length,petal width,species',
  ...['5.1,3.5,1.4,0.2,setosa', '6.0,2.9,4.5,1.5,versicolor', '6.3,3.3,6.0,2.5,virginica', ''],
].join('\n');

const PRICES = `
import { shapeOf } from 'unisum/data/dataset';
import { csv } from 'unisum/data/tables/csv';
import { Graph } from 'unisum/graph';
import { dense } from 'unisum/layers/dense';
import { huber } from 'unisum/losses/huber';
import { sgd } from 'unisum/optim/sgd';
export const recipe = {
  summary: 'prices',
  model({ train }) {
    const graph = new Graph();
    return graph.model(dense(1)(graph.input('features', shapeOf(train, 'features'))), huber({ target: 'target' }));
  },
  data: (path) => csv(path, { target: 'price', currency: true, standardizeTarget: true, split: { column: 'part' } }),
  optimizer: sgd({ learningRate: 0.1 }),
  ...{ batch: 2, leafSize: 1, epochs: 1 },
};
`;

describe('eval', () => {
  it('tells the unit of errors where the target was learned in deviations', async () => {
    const folder = temporaryFolder();
    const [recipe, table, run] = ['prices.mjs', 'prices.csv', 'run'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(recipe, PRICES);
    writeFileSync(table, 'rooms,price,part\n1,100 €,train\n2,300 €,train\n3,500 €,test\n');
    const trained = await trainHere([recipe, '--workers', 1, '--data', table, '--run-dir', run]);
    expect(trained.text).toMatch(
      /price +number in €, .*, target, learned in deviations: an error of 1 is 100 €/,
    );
    const { text } = await evalHere([run, '--data', table, '--metrics', 'mae']);
    expect(text).toContain('the target was learned in deviations: an error of 1 is 100 €');
  });

  it('computes the metrics that the run has computed, on its data and on others, and those that are asked for', async () => {
    const folder = temporaryFolder();
    const run = join(folder, 'run');
    const size = ['iris', '--workers', 1, '--epochs', 1, '--run-dir', run];
    const trained = await trainHere([...size, '--metrics', 'f1,top2']);
    const { metrics } = trained.result as unknown as TrainResult;
    expect(Object.keys(metrics).sort()).toEqual(['testAccuracy', 'testF1', 'testLoss', 'testTop2Accuracy']);
    expect((await evalHere([run])).result?.metrics).toEqual(metrics);
    const table = join(folder, 'table.csv');
    writeFileSync(table, TABLE);
    const other = await evalHere([run, '--data', table, '--metrics', 'recall']);
    const { testAccuracy, testRecall, testTop2Accuracy } = (other.result?.metrics ?? {}) as Record<
      string,
      number
    >;
    // One sample of each class: the mean of the recalls is the accuracy.
    expect(testRecall).toBe(testAccuracy);
    expect(testTop2Accuracy).toBeGreaterThanOrEqual(testAccuracy ?? 1);
    expect(other.text).not.toContain('left out');
    expect((await evalHere([run, '--metrics', 'recal'])).problem).toContain('did you mean recall?');
  });

  it('names the option for metrics of an untrusted recipe that are ready-made', async () => {
    const folder = temporaryFolder();
    const [recipe, table, run] = ['own.mjs', 'a.csv', 'run'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const own = `import { meanAbsoluteError } from 'unisum/metrics/error-metrics';\n${PRICES}`;
    const fields = "evaluationMetrics: [meanAbsoluteError({ target: 'target' })],";
    writeFileSync(recipe, own.replace('...{ batch', `${fields}\n  ...{ batch`));
    writeFileSync(table, 'rooms,price,part\n1,100 €,train\n2,300 €,train\n3,500 €,test\n');
    await trainHere([recipe, '--workers', 1, '--data', table, '--run-dir', run]);
    expect((await evalHere([run, '--data', table])).text).toMatch(
      /left out: testMeanAbsoluteError, in the code of the recipe \S+own\.mjs; .*; ready-made ones also by --metrics mae/,
    );
  });

  it('computes metrics that are code of a trusted recipe on other data, too', async () => {
    const folder = temporaryFolder();
    const [recipe, table, other, run] = ['own.mjs', 'a.csv', 'b.csv', 'run'].map((name) =>
      join(folder, name),
    ) as [string, string, string, string];
    const own = `async metrics(predictor, { test }) { return { rows: test.manifest.samples }; },`;
    writeFileSync(recipe, PRICES.replace('...{ batch', `${own}\n  ...{ batch`));
    const head = 'rooms,price,part\n1,100 €,train\n2,300 €,train\n3,500 €,test\n';
    writeFileSync(table, head);
    writeFileSync(other, `${head}4,700 €,test\n`);
    await trainHere([recipe, '--workers', 1, '--data', table, '--run-dir', run]);
    const untrusted = await evalHere([run, '--data', other]);
    expect(untrusted.text).toMatch(
      /left out: rows, in the code of the recipe \S+own\.mjs; if you trust it, add --trust-recipe/,
    );
    expect(untrusted.result?.metrics).not.toHaveProperty('rows');
    const trusted = await evalHere([run, '--data', other, '--trust-recipe']);
    expect(trusted.text).not.toContain('left out');
    expect(trusted.result?.metrics).toEqual({ ...(untrusted.result?.metrics as object), rows: 4 });
    rmSync(recipe);
    expect((await evalHere([run, '--data', other])).text).toMatch(
      /left out: rows, in the code of the recipe \S+own\.mjs, which does not exist here; put it back and add --trust-recipe/,
    );
    expect((await evalHere([run])).problem).toContain(
      `was trained with the recipe file "${recipe}", which does not exist here; put it back`,
    );
    // A metric that needs more than the data to measure.
    const more = join(folder, 'more.mjs');
    writeFileSync(more, PRICES.replace('...{ batch', `${own.replaceAll('test', 'train')}\n  ...{ batch`));
    await trainHere([more, '--workers', 1, '--data', table, '--run-dir', `${run}-more`]);
    expect((await evalHere([`${run}-more`, '--data', other, '--trust-recipe'])).text).toContain(
      'left out: rows, which need more than this data: they compare it with the training data; leave out --data',
    );
  });
});
