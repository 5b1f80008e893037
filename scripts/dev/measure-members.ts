/**
 * Measures what members cost the coordinator of a run: `npm run measure:members`. Light members, a thousand in one process, speak
 * the protocol by the worker's own code and compute one after the other; they join at once, work, stand by while the run is paused,
 * and leave. `--members 10,100,1000` sets how many there are in turn. Prints what it finds, and JSON on stdout. For an otherwise idle
 * machine with Linux.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../shared/actor/clock.js';
import { LightMembers } from './members/light-members.js';
import { processorMs } from './processor-time.js';
import { MeasuredRun } from './tab/measured-run.js';

const { values } = parseArgs({
  options: {
    members: { type: 'string', default: '1,10,100,1000' },
    recipe: { type: 'string', default: 'iris' },
    seconds: { type: 'string', default: '5' },
  },
});

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const windowMs = Number(values.seconds) * 1000;

/** Resident memory of a process, in KiB. */
function residentKibibytes(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes);
}

const folder = await mkdtemp(join(tmpdir(), 'unisum-members-'));
const found: object[] = [];
try {
  const words = [values.recipe, '--batch', '100', '--leaf', '1', '--checkpoint-every', '0'];
  const run = await MeasuredRun.start(words, folder, systemClock);
  const { pid } = run;
  const members = await LightMembers.start(run.joinUrl, systemClock);
  let before = 0;
  const emptyKibibytes = residentKibibytes(pid);
  for (const count of values.members.split(',').map(Number)) {
    const begunMs = systemClock.nowMs();
    await members.join(count - before);
    before = count;
    const joinSeconds = (systemClock.nowMs() - begunMs) / 1000;
    const usedMs = processorMs([pid]);
    const pace = await run.pace(windowMs, () => [pid]);
    const share = (processorMs([pid]) - usedMs) / windowMs;
    await run.control('pause');
    await run.pause(1000);
    const idleMs = processorMs([pid]);
    await run.pause(windowMs);
    const standby = (processorMs([pid]) - idleMs) / windowMs;
    const kibibytesEach = (residentKibibytes(pid) - emptyKibibytes) / count;
    await run.control('resume');
    const result = {
      count,
      joinSeconds,
      msPerStep: pace.msPerStep,
      processor: share,
      standby,
      kibibytesEach,
    };
    found.push(result);
    say(
      JSON.stringify(result, (_, value) =>
        typeof value === 'number' ? Number(value.toPrecision(3)) : value,
      ),
    );
  }
  const begunMs = systemClock.nowMs();
  const reasons = await members.leave();
  const leaveSeconds = (systemClock.nowMs() - begunMs) / 1000;
  say(
    `all left in ${leaveSeconds.toFixed(1)} s; ${reasons.length} had ended before: ${reasons.slice(0, 3).join('; ')}`,
  );
  found.push({ leaveSeconds, reasons: reasons.length });
  run.close();
} finally {
  await rm(folder, { recursive: true, maxRetries: 5 });
}
process.stdout.write(`${JSON.stringify({ load: loadavg()[0], found })}\n`);
