import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { BACKENDS } from '../../shared/kernels/kernels.js';
import { someOf } from '../../trainer/options/option-values.js';
import type { Recipe } from '../../trainer/recipe.js';
import { WORKLOADS } from '../bench/workloads.js';
import {
  type BenchOptions,
  type JoiningOptions,
  parseBatches,
  parseBenchOptions,
  parseJoiningOptions,
  parseScalingOptions,
  parseWireOptions,
  type ScalingOptions,
  type WireOptions,
} from './bench-options.js';
import type { CommandContext } from './command.js';
import { addBackendOption, addJsonOption } from './compute-options.js';
import { DEFAULT_RECIPE, findRecipe } from './recipes.js';

/** `unisum bench step|kernels|scaling|joining|wire`: measurements. */
export function define(command: Command, context: CommandContext): void {
  command
    .description('Measure training steps, kernels and scaling on this machine.')
    .helpCommand('help [command]', 'print the help of a benchmark');
  defineStep(command, context);
  defineKernels(command, context);
  defineScaling(command, context);
  defineJoining(command, context);
  defineWire(command, context);
}

function defineStep(command: Command, context: CommandContext): void {
  const names = WORKLOADS.map(({ name }) => name);
  const step = command
    .command('step')
    .summary('time per training step, by workload and backend')
    .description(
      'Measure the time per training step on one compute thread, alternating between all backends and a peer if ' +
        'requested.',
    )
    .option('--workload <names>', `comma-separated list of ${names.join(',')} (default: all)`)
    .option('--batch <sizes>', "comma-separated batch sizes (default: each workload's own)");
  addCommonOptions(step).action(async (options: BenchOptions & { workload?: string; batch?: string }) => {
    const chosen = options.workload === undefined ? names : someOf('--workload', options.workload, names);
    const settings = {
      ...parseBenchOptions(options),
      workloads: WORKLOADS.filter(({ name }) => chosen.includes(name)),
      batches: options.batch === undefined ? undefined : parseBatches(options.batch),
    };
    const { benchStepCommand } = await import('./bench-step-run.js');
    await benchStepCommand(settings, context);
  });
}

function defineKernels(command: Command, context: CommandContext): void {
  const kernels = command
    .command('kernels')
    .summary("matrix products against the machine's peak, and the cost of the canonical order")
    .description(
      "Measure matrix products on one thread against the machine's peak, alternating between all backends and a peer " +
        'if requested. Then measure what the canonical order of additions costs in whole steps.',
    );
  addCommonOptions(kernels).action(async (options: BenchOptions) => {
    const { benchKernelsCommand } = await import('./bench-kernels-run.js');
    await benchKernelsCommand(parseBenchOptions(options), context);
  });
}

function defineScaling(command: Command, context: CommandContext): void {
  const scaling = command
    .command('scaling')
    .summary('strong and weak scaling over workers, threads and worker processes')
    .description(
      'Measure strong and weak scaling: train with a growing number of local workers, of threads, of worker ' +
        'processes, and of processes that join a local worker, and check that all runs of a batch end with the same weights.',
    )
    .argument(
      '[recipe]',
      `a recipe, or one of ${WORKLOADS.map(({ name }) => name).join(',')}`,
      DEFAULT_RECIPE,
    )
    .option('--workers <counts>', 'local workers, comma-separated (default: 1,2,4 ... up to the cores)')
    .option('--threads <counts>', 'threads of one worker (default: the same)')
    .option('--remote <counts>', 'worker processes over the loopback interface (default: the same)')
    .option('--joined <counts>', 'one local worker and worker processes that join it (default: the same)')
    .option(
      '--exchange <mode...>',
      'what machines exchange, several with a curve each: step, step+int8, local:replicas=4,steps=30+int4 and others that ' +
        'train takes as --sync and --compress',
    )
    .option('--target <METRIC=VALUE>', 'measure the time to a target too, such as accuracy=0.97 or loss=0.1')
    .option('--net <RATE,DELAY>', 'network to worker processes, such as 100mbit,10ms (default: loopback)')
    .option(
      '--batch <B>',
      "batch of strong scaling, and batch per unit of weak scaling (default: the recipe's)",
    );
  addJsonOption(
    addLoadOption(addBackendOption(scaling))
      .option('--repeats <N>', 'runs per point; results are their medians', '3')
      .option('--peer <name>', 'compare with another trainer: pytorch (DDP over gloo)')
      .option('--data <DIR>', "local copy of the recipe's data")
      .option('--html <FILE>', 'write a page with the curves'),
  ).action(async (name: string, options: ScalingOptions) => {
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

function defineJoining(command: Command, context: CommandContext): void {
  const joining = command
    .command('joining')
    .summary('what a second machine that joins does to the speed of a run')
    .description(
      'Measure a run alone and with a second machine that joins it, in turn: a coordinator with one local worker, and ' +
        'a worker process, each on a core of its own. A ratio above 1 means that the second machine makes the run faster.',
    )
    .argument(
      '[recipe]',
      `a recipe, or one of ${WORKLOADS.map(({ name }) => name).join(',')}`,
      DEFAULT_RECIPE,
    )
    .option('--batch <B>', "global batch (default: the recipe's)")
    .option('--net <RATE,DELAY>', 'network between the two machines, such as 20mbit,30ms (default: loopback)')
    .option('--pause <fraction>', 'part of each second in which the second machine is stopped', '0')
    .option('--seconds <S>', 'time that a run should take alone', '8')
    .option('--control', 'measure the run beside a process that starts on the second core and never joins');
  addJsonOption(
    addLoadOption(addBackendOption(joining))
      .option('--repeats <N>', 'pairs of runs; results are their medians', '5')
      .option('--data <DIR>', "local copy of the recipe's data"),
  ).action(async (name: string, options: JoiningOptions) => {
    const recipe = await findSubject(name);
    const { benchJoiningCommand } = await import('./bench-joining-run.js');
    await benchJoiningCommand(parseJoiningOptions({ name, recipe }, options), context);
  });
}

function defineWire(command: Command, context: CommandContext): void {
  const wire = command
    .command('wire')
    .summary('processor time of moving bytes over TCP')
    .description(
      'Measure the processor time, sender and receiver together, of moving messages over TCP on the loopback interface, by ' +
        'the links of this program, by plain sockets of Node and of C and by ws as it is, in alternating windows.',
    )
    .option('--bytes <N>', 'bytes of a message', '2700000')
    .option('--messages <N>', 'messages in a window', '40')
    .option('--windows <N>', 'windows of measurement; results are their medians', '15');
  addJsonOption(addLoadOption(wire)).action(async (options: WireOptions) => {
    const { benchWireCommand } = await import('./bench-wire-run.js');
    await benchWireCommand(parseWireOptions(options), context);
  });
}

/** What a benchmark trains: a workload or a recipe. */
async function findSubject(name: string): Promise<Recipe> {
  return WORKLOADS.find((workload) => workload.name === name) ?? (await findRecipe(name).load());
}

function addLoadOption(command: Command): Command {
  return command.option('--any-load', 'measure on a busy machine too');
}

function addCommonOptions(command: Command): Command {
  return addJsonOption(
    addLoadOption(command)
      .option('--backend <names>', `comma-separated list of ${BACKENDS.join(',')} (default: all available)`)
      .option('--peer <name>', 'compare with another trainer: pytorch')
      .option('--windows <N>', 'windows of measurement; results are their medians', '15'),
  );
}
