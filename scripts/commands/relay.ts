import { hostname } from 'node:os';
import type { Command } from 'commander';
import { parseRelayOptions, type RelayOptions } from '../../trainer/options/relay-options.js';
import type { CommandContext } from './command.js';
import { addComputeOptions, addJsonOption } from './compute-options.js';

/** `unisum relay <join-url>`: a worker of a run upwards, and what a coordinator is to workers below it. */
export function define(command: Command, context: CommandContext): void {
  command
    .description(
      'Join a run as one worker, and have other workers, or relays, compute for it: they connect to this machine, which passes ' +
        'weights and data on to them and adds their partial sums. The weights of the run are the same with any relays. ' +
        'Ctrl-C leaves the run, which continues without this relay and those below it.',
    )
    .argument('<join-url>', 'join line that the run, or the relay above, printed');
  addJsonOption(
    addComputeOptions(command)
      .requiredOption('--listen <host:port>', 'address for the workers below')
      .option('--name <name>', 'name of this relay in tables and messages (default: the host name)')
      .option(
        '--memory <size>',
        'memory limit, such as 2g; a run that needs more is refused (default: half of the memory)',
      )
      .option('--min-workers <N>', 'wait for N workers below before joining', '1')
      .option('--audit <F>', 'fraction of the work below that two workers compute, to be compared', '0')
      .option('--tls', 'encrypt connections from below (default: unless the address is loopback)')
      .option('--no-tls', 'do not encrypt them, for example inside a tunnel')
      .option(
        '--tls-cert <FILE>',
        "certificate of your own, PEM, with those it rests on (default: the relay's own)",
      )
      .option('--tls-key <FILE>', 'the key of that certificate, PEM, without passphrase')
      .option(
        '--join-file <FILE>',
        'file that holds the join line of this relay while it listens, for worker --join-file',
      ),
  ).action(async (joinUrl: string, options: RelayOptions) => {
    const settings = parseRelayOptions(joinUrl, options, hostname());
    const { relayRun } = await import('../../trainer/relay-run.js');
    const { terminal } = context;
    const { result, failure } = await relayRun(settings, {
      say: terminal.say,
      get interrupted() {
        return context.interrupted;
      },
    });
    if (options.json) terminal.result(result);
    if (failure !== undefined) throw failure;
  });
}
