import { UserError } from '../../shared/errors.js';
import { measureScale, type ScalePlan, USUAL_MACHINES } from '../../simulation/scale.js';
import type { CommandContext } from './command.js';

/** Measures a step of a large cluster in virtual time. */
export async function scaleCommand(
  plan: Pick<ScalePlan, 'workers' | 'steps' | 'fanOut'>,
  json: boolean,
  { terminal }: CommandContext,
): Promise<void> {
  const result = await measureScale({ ...USUAL_MACHINES, ...plan }, processorMs).catch((error: Error) => {
    throw new UserError(`${plan.workers} workers: ${error.message}`);
  });
  const { workers, relays, members, stepMs, joinMs, coordinatorMs, coordinatorBytes, heapMiB } = result;
  terminal.say(
    `${workers} workers, ${relays} relays, ${members} members of the coordinator; same weights as alone`,
  );
  terminal.say(
    `step ${stepMs.toFixed(0)} ms, joined in ${(joinMs / 1000).toFixed(1)} s, both in virtual time; coordinator: ` +
      `${coordinatorMs.toFixed(1)} ms of processor time and ${(coordinatorBytes / 1e6).toFixed(1)} MB a step; ` +
      `${heapMiB.toFixed(0)} MiB for all machines`,
  );
  if (json) terminal.result(result);
}

/** Processor time of this process so far. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
