import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import type { CommandContext } from './command.js';
import { addNodeOptions, type NodeOptions, parseNodeOptions } from './node-options.js';
import { wholeNumber } from './numbers.js';

interface VerifyOptions extends NodeOptions {
  workers?: string;
  sample?: string;
  json?: true;
}

/** `unisum verify <run-dir>`: does a run again, and says whether it is what it says. */
export function define(command: Command, context: CommandContext): void {
  command
    .argument('<run-dir>', 'the folder of a run')
    .option('--workers <N>', 'local nodes (default: one per core); the bits are the same')
    .option('--sample <N>', 'only so many of the stretches behind kept checkpoints, drawn at random');
  addNodeOptions(command)
    .option('--json', 'print the result as one JSON object on the last line of stdout')
    .action(async (path: string, options: VerifyOptions) => {
      const count = (name: '--workers' | '--sample', text: string): number =>
        wholeNumber(name, text, { least: 1, most: 1024 });
      const settings = {
        path,
        ...parseNodeOptions(options),
        workers: options.workers === undefined ? availableParallelism() : count('--workers', options.workers),
        sample: options.sample === undefined ? undefined : count('--sample', options.sample),
        json: options.json ?? false,
      };
      const { verify } = await import('./verify-run.js');
      await verify(settings, context);
    });
}
