import { hostname } from 'node:os';
import type { Command } from 'commander';
import type { CommandContext } from './command.js';
import { addNodeOptions } from './node-options.js';
import { parseWorkerOptions, type WorkerOptions } from './worker-options.js';

/** `unisum worker <join-url>`: one node of a run that is coordinated elsewhere. */
export function define(command: Command, context: CommandContext): void {
  command.argument(
    '<join-url>',
    'the join line that the coordinator printed, wss://HOST:PORT/#TOKEN.FINGERPRINT',
  );
  addNodeOptions(command)
    .option('--name <name>', 'how the coordinator calls this machine (default: its host name)')
    .option(
      '--memory <size>',
      'most memory for the run, such as 2g; one that needs more is not joined (default: half of the machine)',
    )
    .option('--json', 'print the result as one JSON object on the last line of stdout')
    .action(async (joinUrl: string, options: WorkerOptions) => {
      const settings = parseWorkerOptions(joinUrl, options, hostname());
      const { work } = await import('./worker-run.js');
      await work(settings, context);
    });
}
