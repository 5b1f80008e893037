import type { Command } from 'commander';
import { UserError } from '../../shared/errors.js';
import { isLoopback, parseListenAddress } from '../../shared/link/listen.js';
import { type ComputeOptions, parseComputeOptions } from '../../trainer/options/compute-options.js';
import type { CommandContext } from './command.js';
import { addComputeOptions } from './compute-options.js';

interface ViewOptions extends ComputeOptions {
  recipe?: string;
  data?: string;
  listen: string;
}

/** `unisum view <run-dir>`: serves a page that goes to any step of a run. */
export function define(command: Command, context: CommandContext): void {
  command
    .description(
      'Serve a page on this machine that goes to any step of a run, finished or not: it computes the step again from the ' +
        'nearest checkpoint, and shows every number of a neuron or filter there. Ctrl-C ends it.',
    )
    .argument('<run-dir>', 'directory of a run')
    .option(
      '--recipe <FILE>',
      'file of the recipe, for a run of your own recipe; files are code and run only if named',
    )
    .option('--data <PATH>', "a local copy of the recipe's data (default: as in the run)")
    .option('--listen <host:port>', 'loopback address to serve at; port 0: any that is free', '127.0.0.1:0');
  addComputeOptions(command).action(async (path: string, options: ViewOptions) => {
    const address = parseListenAddress(options.listen);
    if (!isLoopback(address.host))
      throw new UserError(
        'the page shows data and weights: it listens on loopback only, such as 127.0.0.1:7000',
        2,
      );
    const { recipe, data } = options;
    const { runView } = await import('./view-run.js');
    await runView({ path, address, ...parseComputeOptions(options), recipe, data }, context);
  });
}
