import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TrainResult } from '../../trainer/result.js';
import { evalHere, trainHere } from '../support/in-process.js';
import { temporaryFolder } from '../support/process.js';

const TABLE = [
  'sepal length,sepal width,petal length,petal width,species',
  ...['5.1,3.5,1.4,0.2,setosa', '6.0,2.9,4.5,1.5,versicolor', '6.3,3.3,6.0,2.5,virginica', ''],
].join('\n');

describe('eval', () => {
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
});
