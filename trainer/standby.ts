/*
 * A process that stands by takes a run over when the one that trains it is gone: the lease of the run directory tells whether it
 * is. On the machine of that process this is known at once; of another machine only its heartbeat is seen (see lease.ts).
 */
import { Lease } from '../coordinator/storage/lease.js';
import type { Clock } from '../shared/actor/clock.js';
import { keptMachineKey } from './own-machine-key.js';
import { findResumption, type Resumption } from './resume.js';
import { resumeCommand } from './run-lines.js';

/**
 * Waits until nobody trains in a run directory.
 * @param run its directory and its recipe
 * @param say is told for whom it waits, and why there is nothing to take over
 * @returns what the run goes on from; undefined: it is over, or was stopped by an operator
 * @throws UserError when the directory cannot be used, or the run cannot be resumed
 */
export async function standBy(
  { path, recipe }: { readonly path: string; readonly recipe: string },
  clock: Clock,
  say: (line: string) => void,
): Promise<Resumption | undefined> {
  const lease = await Lease.takeWhenFree(path, clock, (holder) =>
    say(`standby: ${holder} trains in ${path}; this process takes over when it is gone`),
  );
  const resumption = await findResumption(path, lease, await keptMachineKey());
  const { end } = resumption.recorded;
  // A machine that is shut down interrupts its run, and another is to go on with it then.
  if (end === undefined || (end.reason === 'interrupted' && end.byOperator !== true)) return resumption;
  lease.release();
  const how =
    end.reason === 'interrupted'
      ? `was stopped by an operator; to go on with it:  ${resumeCommand(path, recipe)}`
      : { finished: 'is finished', stopped: 'has stopped early', diverged: 'has diverged' }[end.reason];
  say(`nothing to take over: the run in ${path} ${how}`);
  return undefined;
}
