/*
 * A process that stands by takes a run over when the one that trains it is gone: the lease of the run directory tells whether it
 * is. On the machine of that process this is known at once; of another machine only its heartbeat is seen (see lease.ts).
 */
import { join } from 'node:path';
import { Lease } from '../coordinator/storage/lease.js';
import { readChain } from '../coordinator/storage/metrics-chain.js';
import { METRICS_FILE } from '../coordinator/storage/run-directory.js';
import type { Clock } from '../shared/actor/clock.js';
import { RecordedRun } from './replay/recorded-run.js';
import { resumeCommand } from './run-lines.js';

/**
 * Waits until nobody trains in a run directory.
 * @param run its directory and its recipe
 * @param say is told for whom it waits, and why there is nothing to take over
 * @returns the right to go on with the run; undefined: it is over, or was stopped by an operator
 * @throws UserError when the directory cannot be used
 */
export async function standBy(
  { path, recipe }: { readonly path: string; readonly recipe: string },
  clock: Clock,
  say: (line: string) => void,
): Promise<Lease | undefined> {
  const lease = await Lease.takeWhenFree(path, clock, (holder) =>
    say(`standby: ${holder} trains in ${path}; this process takes over when it is gone`),
  );
  const recorded = new RecordedRun();
  await readChain(join(path, METRICS_FILE), (record, line) => recorded.take(record, line));
  const { end } = recorded;
  // A machine that is shut down interrupts its run, and another is to go on with it then.
  if (end === undefined || (end.reason === 'interrupted' && end.byOperator !== true)) return lease;
  lease.release();
  const how =
    end.reason === 'interrupted'
      ? `was stopped by an operator; to go on with it:  ${resumeCommand(path, recipe)}`
      : { finished: 'is finished', stopped: 'has stopped early', diverged: 'has diverged' }[end.reason];
  say(`nothing to take over: the run in ${path} ${how}`);
  return undefined;
}
