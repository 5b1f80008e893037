import { expect, it } from 'vitest';
import type { MachineSurvey } from '../../scripts/doctor/machine-survey.js';
import { run } from '../support/process.js';

it('doctor looks at this machine, on which the tests run: it can train', async () => {
  const { status, stdout, stderr } = await run('doctor', '--json');
  expect(status, stderr).toBe(0);
  const { survey, canTrain } = JSON.parse(stdout) as { survey: MachineSurvey; canTrain: boolean };
  expect(canTrain).toBe(true);
  expect(survey.backends.map(({ backend }) => backend)).toEqual(['native', 'wasm', 'wasm-exact']);
  expect(survey.backends.filter(({ isUsable }) => isUsable).length).toBeGreaterThan(0);
  expect(survey.cores).toBeGreaterThan(0);
  expect(stderr).toMatch(/^ok +self-test .*every kernel gives the bits that it gives everywhere$/m);
  expect(stderr).toMatch(/this machine can train\n$/);
});
