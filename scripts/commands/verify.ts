import type { Command } from 'commander';
import { UserError } from '../../shared/errors.js';
import { availableCores } from '../../trainer/options/available-cores.js';
import { type ComputeOptions, parseComputeOptions } from '../../trainer/options/compute-options.js';
import { wholeNumber } from '../../trainer/options/option-values.js';
import type { CommandContext } from './command.js';
import { addComputeOptions, addJsonOption } from './compute-options.js';

/** Most local workers, and most draws of a sample. */
const COUNT_MAX = 1024;

interface VerifyOptions extends ComputeOptions {
  workers?: string;
  sample?: string;
  recipe?: string;
  data?: string;
  checkpoints?: string;
  trustWeights: string[];
  json?: true;
}

/** `unisum verify <run>`: replays a run, or that of a receipt, and reports what of its record and its weights is proven by that. */
export function define(command: Command, context: CommandContext): void {
  command
    .description(
      'Replay a run and compare its weights, every step, every evaluation and every checkpoint with its record. ' +
        'Reports what is proven and what is not, or the first step that differs. Any number of workers and threads ' +
        'and any backend give the same bits.',
    )
    .argument('<run>', 'directory of a run, or a receipt of one (unisum receipt)')
    .option(
      '--sample <N>',
      'draw N steps at random and replay only the spans between checkpoints around them, and the last one; needs a ' +
        'run trained with --keep-checkpoints all (default: all steps)',
    )
    .option(
      '--recipe <FILE>',
      'file of the recipe, for a run of your own recipe; files are code and run only if named',
    )
    .option('--data <PATH>', "a local copy of the recipe's data (default: as in the run)")
    .option(
      '--checkpoints <DIR>',
      'for --sample with a receipt: a copy of the run, whose states are used if they have the hashes of the receipt',
    )
    .option(
      '--trust-weights <SHA256>',
      'accept these initial weights without proof; may be repeated',
      (hash: string, before: string[]) => [...before, hash],
      [],
    )
    .option('--workers <N>', 'local workers (default: one per core)');
  addJsonOption(addComputeOptions(command)).action(async (path: string, options: VerifyOptions) => {
    const count = (name: '--workers' | '--sample', text: string): number =>
      wholeNumber(name, text, { least: 1, most: COUNT_MAX });
    const malformed = options.trustWeights.find((hash) => !/^[0-9a-f]{64}$/.test(hash));
    if (malformed !== undefined)
      throw new UserError(`--trust-weights takes a SHA-256 of 64 hexadecimal digits, not ${malformed}`, 2);
    const settings = {
      path,
      ...parseComputeOptions(options),
      workers: options.workers === undefined ? availableCores() : count('--workers', options.workers),
      sample: options.sample === undefined ? undefined : count('--sample', options.sample),
      ...{
        recipe: options.recipe,
        data: options.data,
        checkpoints: options.checkpoints,
        trustedWeights: options.trustWeights,
      },
      json: options.json ?? false,
    };
    const { verify } = await import('./verify-run.js');
    await verify(settings, context);
  });
}
