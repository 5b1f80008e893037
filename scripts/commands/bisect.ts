import type { Command } from 'commander';
import { availableCores } from '../../trainer/options/available-cores.js';
import { type ComputeOptions, parseComputeOptions } from '../../trainer/options/compute-options.js';
import { wholeNumber } from '../../trainer/options/option-values.js';
import type { CommandContext } from './command.js';
import { addComputeOptions, addJsonOption } from './compute-options.js';

/** Most local workers. */
const WORKERS_MAX = 1024;

interface BisectOptions extends ComputeOptions {
  workers?: string;
  recipe?: string;
  data?: string;
  otherData?: string;
  json?: true;
}

/** `unisum bisect <run> <run>`: names the first step, leaf and op at which two runs part. */
export function define(command: Command, context: CommandContext): void {
  command
    .description(
      'Find the first step, leaf of the sum and op at which two runs part, and show both values. Computes both again ' +
        'from the nearest checkpoint that they have in common. Where both were asked for the same, it says which of ' +
        'them was not computed as its settings say, and whether a single flipped bit explains it.',
    )
    .argument('<run>', 'directory of a run')
    .argument('<other-run>', 'directory of another run')
    .option(
      '--recipe <FILE>',
      'file of the recipe, for runs of your own recipe; files are code and run only if named',
    )
    .option('--data <PATH>', "a local copy of the recipe's data (default: as in each run)")
    .option('--other-data <PATH>', 'the same for the second run (default: --data)')
    .option('--workers <N>', 'local workers (default: one per core)');
  addJsonOption(addComputeOptions(command)).action(
    async (path: string, other: string, options: BisectOptions) => {
      const limits = { least: 1, most: WORKERS_MAX };
      const settings = {
        paths: [path, other] as const,
        ...parseComputeOptions(options),
        workers:
          options.workers === undefined
            ? availableCores()
            : wholeNumber('--workers', options.workers, limits),
        ...{ recipe: options.recipe, data: options.data, otherData: options.otherData },
        json: options.json ?? false,
      };
      const { runBisect } = await import('./bisect-run.js');
      await runBisect(settings, context);
    },
  );
}
