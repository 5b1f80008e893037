import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { killCoordinators } from '../../scripts/soak/coordinator-kills.js';
import { systemClock } from '../../shared/actor/clock.js';
import { smallData, writeFiles } from '../support/process-data.js';

const ROOT = mkdtempSync(join(tmpdir(), 'unisum-kills-'));
afterAll(() => rmSync(ROOT, { recursive: true }));

// `npm run soak:coordinator` does the same fifty times.
it('a coordinator that is killed at any instant goes on, its workers come back, and no bit differs', async () => {
  const data = writeFiles(join(ROOT, 'data'), smallData());
  const report = await killCoordinators(
    {
      folder: ROOT,
      args: ['--data', data, '--batch', '64', '--leaf', '8', '--steps', '1200', '--checkpoint-every', '20'],
      kills: 2,
      workers: 1,
      lifeMsMax: 1000,
      seed: 3,
    },
    systemClock,
  );
  expect(report.weightsSha256).toBe(report.expected);
  expect(report.from).toHaveLength(1);
}, 120_000);
