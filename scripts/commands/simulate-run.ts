import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../shared/actor/clock.js';
import { UserError } from '../../shared/errors.js';
import type { SimulationPlan } from '../simulation/plan.js';
import { type SimulationResult, simulate } from '../simulation/simulation.js';
import type { CommandContext } from './command.js';

/** Simulated runs between two lines of progress. */
const PROGRESS_RUNS = 1000;

/** Simulates some runs, one seed each, and tells how to see the first that fails again. */
export async function simulateCommand(
  settings: SimulationPlan & { readonly runs: number; readonly trace: boolean; readonly json: boolean },
  { terminal, interrupted }: CommandContext,
): Promise<void> {
  const { runs, trace, json, ...plan } = settings;
  const write = trace ? (text: string) => terminal.say(text) : undefined;
  const begunMs = systemClock.nowMs();
  let result: SimulationResult | undefined;
  for (let run = 0; run < runs && !interrupted.aborted; run++) {
    result = await attempt({ ...plan, seed: plan.seed + run }, write);
    if ((run + 1) % PROGRESS_RUNS !== 0) continue;
    terminal.say(`${run + 1} of ${runs} runs, all as they should be`);
    // Ctrl-C is heard in between.
    await new Promise<void>((resolve) => void systemClock.after(0, resolve));
  }
  if (result === undefined) return;
  const seconds = (systemClock.nowMs() - begunMs) / 1000;
  const { finalHash, steps, workers, virtualSeconds, messages } = result;
  terminal.say(`${runs} runs in ${seconds.toFixed(1)} s; each step had its canonical sum`);
  terminal.say(
    `the last: ${steps} steps, ${workers} workers, ${messages} messages, ${virtualSeconds.toFixed(1)} virtual s, weights ${finalHash}`,
  );
  if (json) terminal.result({ ...result, runs, seconds });
}

async function attempt(
  plan: SimulationPlan,
  trace: ((text: string) => void) | undefined,
): Promise<SimulationResult> {
  try {
    return await simulate(plan, trace);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new UserError(`${what} (at ${commit()})`);
  }
}

/** What was simulated: the commit of a checkout, with a mark when files were changed since. */
function commit(): string {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const { status, stdout } = spawnSync('git', ['-C', root, 'describe', '--always', '--dirty'], {
    encoding: 'utf8',
  });
  return status === 0 ? `commit ${stdout.trim()}` : 'no commit: this is no checkout';
}
