import { systemClock } from '../../shared/actor/clock.js';
import { benchJoining, type JoiningRequest } from '../bench/joining-bench.js';
import { describeNetworkShape, parseNetworkShape } from '../bench/network-shape.js';
import { formatNumber } from '../terminal/text-table.js';
import { beginOn } from './bench-machine.js';
import type { CommandContext } from './command.js';

/** Settings of `bench joining`. */
export interface BenchJoiningSettings extends Omit<JoiningRequest, 'say'> {
  readonly anyLoad: boolean;
  readonly json: boolean;
}

/** Measures what a second machine does to a run, prints it and, with --json, the result. */
export async function benchJoiningCommand(
  { anyLoad, json, ...settings }: BenchJoiningSettings,
  { terminal }: CommandContext,
): Promise<void> {
  const machine = beginOn(terminal, anyLoad);
  const { net } = settings;
  if (net !== undefined) terminal.say(`network: ${describeNetworkShape(parseNetworkShape('--net', net))}`);
  const result = await benchJoining({ ...settings, say: (line) => terminal.say(line) }, systemClock);
  const { aloneUsPerStep, joinedUsPerStep, ratio, leastRatio, settledRatio, isPinned } = result;
  if (!isPinned)
    terminal.say('the processes were not pinned to cores: taskset is missing, or there is one core');
  terminal.say(
    `alone ${formatNumber(aloneUsPerStep)} us a step, with a second machine ${formatNumber(joinedUsPerStep)}`,
  );
  terminal.say(
    `ratio ${ratio.toFixed(3)} (least ${leastRatio.toFixed(3)}; second half of the runs ${settledRatio.toFixed(3)})`,
  );
  terminal.say(`processor time of the coordinator's process: ratio ${result.processorRatio.toFixed(3)}`);
  if (result.controlRatio !== undefined)
    terminal.say(
      `beside a process that never joins: ratio ${result.controlRatio.toFixed(3)}, what the cores share`,
    );
  const { joined } = result.pairs.at(-1) as (typeof result.pairs)[number];
  terminal.say(`the second machine computed ${(100 * joined.share).toFixed(1)}% of the samples`);
  for (const notice of joined.notices) terminal.say(`  ${notice}`);
  if (json) terminal.result({ machine, result });
}
