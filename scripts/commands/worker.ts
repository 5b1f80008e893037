import { hostname } from 'node:os';
import type { Command } from 'commander';
import { type JoinOptions, parseWorkerOptions } from '../../trainer/options/worker-options.js';
import type { CommandContext } from './command.js';
import { addComputeOptions, addJsonOption } from './compute-options.js';

/** `unisum worker <join-url>`: a worker of a run that is coordinated elsewhere. */
export function define(command: Command, context: CommandContext): void {
  command
    .description(
      'Join a run with this machine until the run ends. Ctrl-C leaves the run, which continues without this ' +
        'worker. A worker that loses its coordinator tries to reconnect for about a minute.',
    )
    .argument('<join-url>', 'join line that the run printed: wss://HOST:PORT/#TOKEN.FINGERPRINT');
  addJsonOption(
    addComputeOptions(command)
      .option('--name <name>', 'name of this worker in tables and messages (default: the host name)')
      .option(
        '--memory <size>',
        'memory limit, such as 2g; a run that needs more is refused (default: half of the memory)',
      )
      .option('--stay', 'when the run has ended, wait about a minute for the next one: of a sweep'),
  ).action(async (joinUrl: string, options: JoinOptions & { stay?: true }) => {
    const settings = parseWorkerOptions(joinUrl, options, hostname());
    const { work } = await import('../../trainer/worker-run.js');
    const { terminal } = context;
    const host = {
      say: terminal.say,
      get interrupted() {
        return context.interrupted;
      },
    };
    let outcome = await work(settings, host);
    while (options.stay && outcome.failure === undefined && !context.interrupted.aborted) {
      terminal.say('waiting for the next run');
      const next = await work(settings, host);
      // After the last run of a sweep, nobody listens any more: that is no failure of this worker.
      if (next.failure !== undefined && next.result.samples === 0) break;
      outcome = next;
    }
    if (settings.json) terminal.result(outcome.result);
    if (outcome.failure !== undefined) throw outcome.failure;
  });
}
