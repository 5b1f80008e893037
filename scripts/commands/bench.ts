import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { BACKENDS } from '../../shared/kernels/kernels.js';
import { WORKLOADS } from '../bench/workloads.js';
import { type BenchOptions, parseBenchOptions, sizes, someOf } from './bench-options.js';
import type { CommandContext } from './command.js';
import { DEFAULT_RECIPE, findRecipe } from './recipes.js';
import { parseScalingOptions, type ScalingOptions } from './scaling-options.js';

/** `unisum bench step|kernels|scaling`: measurements. */
export function define(command: Command, context: CommandContext): void {
  defineStep(command, context);
  defineKernels(command, context);
  defineScaling(command, context);
}

function defineStep(command: Command, context: CommandContext): void {
  const names = WORKLOADS.map(({ name }) => name);
  const step = command
    .command('step')
    .summary('microseconds per training step, by workload and backend')
    .description(
      'Times whole training steps on one compute thread, on every backend and perhaps a peer in turn.',
    )
    .option('--workload <names>', `some of ${names.join(',')}, with commas (default: all)`)
    .option('--batch <sizes>', "batch sizes, with commas (default: each workload's)");
  addCommonOptions(step).action(async (options: BenchOptions & { workload?: string; batch?: string }) => {
    const chosen = options.workload === undefined ? names : someOf('--workload', options.workload, names);
    const settings = {
      ...parseBenchOptions(options),
      workloads: WORKLOADS.filter(({ name }) => chosen.includes(name)),
      batches: options.batch === undefined ? undefined : sizes('--batch', options.batch),
    };
    const { benchStepCommand } = await import('./bench-step-run.js');
    await benchStepCommand(settings, context);
  });
}

function defineKernels(command: Command, context: CommandContext): void {
  const kernels = command
    .command('kernels')
    .summary("products against the machine's limit, and the price of the canonical order")
    .description("Times products on one thread, on every backend and perhaps a peer's in turn.");
  addCommonOptions(kernels).action(async (options: BenchOptions) => {
    const { benchKernelsCommand } = await import('./bench-kernels-run.js');
    await benchKernelsCommand(parseBenchOptions(options), context);
  });
}

function defineScaling(command: Command, context: CommandContext): void {
  command
    .command('scaling')
    .summary('speed-up over local workers, threads and worker processes')
    .description(
      'Trains with more and more units, checks that all end with the same weights, and times them.',
    )
    .argument(
      '[recipe]',
      `a recipe, or one of ${WORKLOADS.map(({ name }) => name).join(',')}`,
      DEFAULT_RECIPE,
    )
    .option('--workers <counts>', 'local workers, with commas (default: 1,2,4 ... up to the cores)')
    .option('--threads <counts>', 'threads of one worker (default: the same)')
    .option('--remote <counts>', 'worker processes behind the loopback address (default: the same)')
    .option('--batch <B>', "global batch, and the batch of one unit in weak scaling (default: the recipe's)")
    .option('--backend <name>', `one of auto,${BACKENDS.join(',')}`, 'auto')
    .option('--repeats <N>', 'runs of each point; figures are medians over them', '3')
    .option('--peer <name>', 'measure in turn with another trainer: pytorch (DDP over gloo)')
    .option('--data <DIR>', "a local copy of the recipe's data")
    .option('--html <FILE>', 'write a page with curves')
    .option('--json', 'print the result as one JSON object on the last line of stdout')
    .action(async (name: string, options: ScalingOptions) => {
      const workload = WORKLOADS.find((candidate) => candidate.name === name);
      const recipe = workload ?? (await findRecipe(name).load());
      const settings = parseScalingOptions(
        { name, recipe, peerWorkload: workload?.name },
        options,
        availableParallelism(),
      );
      const { benchScalingCommand } = await import('./bench-scaling-run.js');
      await benchScalingCommand(settings, context);
    });
}

function addCommonOptions(command: Command): Command {
  return command
    .option('--backend <names>', `some of ${BACKENDS.join(',')} (default: all that this machine has)`)
    .option('--peer <name>', 'measure in turn with another trainer: pytorch')
    .option('--windows <N>', 'windows of measurement; figures are medians over them', '15')
    .option('--json', 'print the result as one JSON object on the last line of stdout');
}
