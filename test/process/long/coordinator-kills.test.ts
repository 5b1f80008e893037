import { join } from 'node:path';
import { expect, it } from 'vitest';
import { killCoordinators } from '../../../scripts/dev/soak/coordinator-kills.js';
import { systemClock } from '../../../shared/actor/clock.js';
import { temporaryFolder } from '../../support/process.js';
import { smallData, writeFiles } from '../../support/process-data.js';

// `npm run soak:coordinator` does the same with fifty kills.
it.each([
  ['', false],
  [' over TLS', true],
])(
  'a run whose coordinator is killed at random times resumes, its workers reconnect%s, and no bit differs',
  async (_, tls) => {
    const folder = temporaryFolder();
    const data = writeFiles(join(folder, 'data'), smallData());
    const report = await killCoordinators(
      {
        folder,
        args: ['--data', data, '--batch', '64', '--leaf', '8', '--steps', '1200', '--checkpoint-every', '20'],
        tls,
        kills: 2,
        workers: 1,
        lifeMsMax: 1000,
        seed: 3,
      },
      systemClock,
    );
    expect(report.weightsSha256).toBe(report.expected);
    expect(report.from).toHaveLength(1);
  },
  120_000,
);
