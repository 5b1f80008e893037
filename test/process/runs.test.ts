import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { TrainResult } from '../../trainer/result.js';
import { start, temporaryFolder } from '../support/process.js';

it('runs lists, shows, compares and removes what was trained', async () => {
  const folder = temporaryFolder();
  const unisum = (...args: (string | number)[]) => start(args, folder).ended;
  const train = ['train', 'iris', '--workers', 1, '--steps', 4, '--json', '--run-dir'];
  const a = JSON.parse((await unisum(...train, 'runs/a')).stdout) as TrainResult;
  await unisum(...train, 'runs/b', '--lr', 0.01);
  const { stdout, stderr } = await unisum('runs', 'compare', 'a', 'runs/b', '--json');
  const compared = JSON.parse(stdout) as { runs: object[]; settings: object[]; partings: object[] };
  expect(compared.runs[0]).toMatchObject({
    ...{ name: 'a', state: 'finished', steps: 4, weightsSha256: a.weightsSha256, metrics: a.metrics },
  });
  expect(compared.settings).toContainEqual({ name: 'learningRate', values: ['0.02', '0.01'] });
  // The first step begins with the same weights, and its update differs.
  expect(compared.partings).toMatchObject([{ areWeightsEqual: false, numbersEqualTo: 1, numbersPartAt: 2 }]);
  expect(stderr).toContain('a and b: the final weights are different');
  expect((await unisum('runs', 'show', 'c')).stderr).toMatch(/^unisum: there is no run c, .*\n$/);
  const refused = await unisum('runs', 'clean', '--finished');
  expect(refused).toMatchObject({ status: 2, stdout: '' });
  expect(refused.stderr).toContain('add --yes');
  const cleaned = await unisum('runs', 'clean', 'b', '--finished', '--yes');
  expect(cleaned.status, cleaned.stderr).toBe(0);
  expect(['a', 'b'].map((name) => existsSync(join(folder, 'runs', name)))).toEqual([true, false]);
});
