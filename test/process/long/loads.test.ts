import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../support/process.js';
import { programHere } from '../../support/program-here.js';

const SOAK = join(import.meta.dirname, '../../../dist/scripts/dev/soak-loads.js');

// `npm run soak:loads` does the same a thousand times.
it('models that are loaded and disposed of leave neither memory nor threads', async () => {
  const folder = temporaryFolder();
  const train = ['train', 'iris', '--steps', 2, '--workers', 1, '--run-dir', 'r'];
  const trained = await programHere(folder, ...train);
  expect(trained.status, trained.stderr).toBe(0);
  // A process that finds growth ends with another status, which rejects.
  const { stderr } = await promisify(execFile)(process.execPath, [SOAK, join(folder, 'r'), '100']);
  expect(stderr).toMatch(/^100 loads: heap -?\d+ bytes a load, .*, 0 threads left\n$/);
}, 60_000);
