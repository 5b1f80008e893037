import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readRun } from '../../scripts/run-records/run-record.js';
import type { TrialResult } from '../../scripts/sweep/trials.js';
import type { TrainResult } from '../../trainer/result.js';
import { start, temporaryFolder } from '../support/process.js';

it('a sweep that is killed goes on, has the hash of train for every run, and is not ended by a trial that fails', async () => {
  const folder = temporaryFolder();
  const sweep = [
    ...[
      'sweep',
      'iris',
      '--vary',
      'lr=0.1,0,0.01',
      '--epochs',
      2,
      '--workers',
      1,
      '--sweep-dir',
      's',
      '--json',
    ],
  ];
  const first = start(sweep, folder);
  await first.prints(/trial-003: /);
  first.signal('SIGKILL');
  await first.ended;
  const before = await readRun(join(folder, 's/trial-001'));
  const { status, stdout, stderr } = await start(sweep, folder).ended;
  expect(status, stderr).toBe(0);
  expect(stderr).toContain('trial-001: --lr 0.1: finished before');
  const { results, best } = JSON.parse(stdout) as { results: TrialResult[]; best: TrialResult };
  expect(results.map(({ state }) => state)).toEqual(['finished', 'failed', 'finished']);
  expect(results[1]?.error).toBe('--lr takes a number above 0, not "0"');
  expect(results[0]?.weightsSha256).toBe(before.weightsSha256);
  expect(best.name).toBe('trial-001');
  const alone = await start(['train', 'iris', '--lr', '0.01', '--epochs', 2, '--json'], folder).ended;
  expect(results[2]?.weightsSha256).toBe((JSON.parse(alone.stdout) as TrainResult).weightsSha256);
});
