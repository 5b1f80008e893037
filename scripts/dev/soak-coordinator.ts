/**
 * Kills the coordinator of a run at random instants and resumes it each time: `npm run soak:coordinator -- --kills 50`. Ends
 * with status 1 when a worker was lost or the final weights differ in any bit.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../shared/actor/clock.js';
import { killCoordinators } from './soak/coordinator-kills.js';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    life: { type: 'string', default: '3000' },
    steps: { type: 'string', default: '40000' },
    tls: { type: 'boolean', default: false },
  },
});
const folder = await mkdtemp(join(tmpdir(), 'unisum-soak-'));
try {
  const report = await killCoordinators(
    {
      folder,
      args: ['--steps', values.steps, '--checkpoint-every', '1s'],
      tls: values.tls,
      kills: Number(values.kills),
      workers: 2,
      lifeMsMax: Number(values.life),
      seed: Number(values.seed),
    },
    systemClock,
    (line) => process.stderr.write(`${line}\n`),
  );
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exitCode = report.weightsSha256 === report.expected ? 0 : 1;
} finally {
  await rm(folder, { recursive: true });
}
