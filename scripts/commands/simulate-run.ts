import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../shared/actor/clock.js';
import { messageOf, UserError } from '../../shared/errors.js';
import type { SimulationPlan } from '../../simulation/plan.js';
import { type SimulationResult, simulate } from '../../simulation/simulation.js';
import type { CommandContext } from './command.js';

/** Simulated runs between two lines of progress. */
const PROGRESS_RUNS = 1000;

/** Simulates runs, one seed each. The first that fails ends it, with the seed and commit that reproduce it. */
export async function simulateCommand(
  settings: SimulationPlan & { readonly runs: number; readonly trace: boolean; readonly json: boolean },
  { terminal }: CommandContext,
): Promise<void> {
  const { runs, trace, json, ...plan } = settings;
  const write = trace ? (text: string) => terminal.say(text) : undefined;
  const startedMs = systemClock.nowMs();
  let result: SimulationResult | undefined;
  for (let run = 0; run < runs; run++) {
    result = await attempt({ ...plan, seed: plan.seed + run }, write);
    if ((run + 1) % PROGRESS_RUNS === 0) terminal.say(`${run + 1} of ${runs} runs passed`);
  }
  if (result === undefined) return;
  const seconds = (systemClock.nowMs() - startedMs) / 1000;
  const { finalHash, steps, workers, virtualSeconds, messages } = result;
  const relays = plan.relays === undefined ? '' : `${plan.relays} relays, `;
  terminal.say(
    `${runs} ${runs === 1 ? 'run' : 'runs'} in ${seconds.toFixed(1)} s; every step had its canonical sum`,
  );
  terminal.say(
    `last run: ${steps} steps, ${workers} workers, ${relays}${messages} messages, ${virtualSeconds.toFixed(1)} virtual s, weights ${finalHash}`,
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
    const what = messageOf(error);
    throw new UserError(`${what} (at ${commit()})`);
  }
}

/** The version that was simulated: the commit of the checkout, marked when files have changed since. */
function commit(): string {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const { status, stdout } = spawnSync('git', ['-C', root, 'describe', '--always', '--dirty'], {
    encoding: 'utf8',
  });
  return status === 0 ? `commit ${stdout.trim()}` : 'no commit, because this is not a checkout';
}
