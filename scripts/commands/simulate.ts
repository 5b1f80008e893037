import type { Command } from 'commander';
import { CODECS } from '../../shared/codec/codec.js';
import { UserError } from '../../shared/errors.js';
import { localOf } from '../../shared/optim/local-updates.js';
import { parseSync } from '../../trainer/options/learning-options.js';
import { fraction, oneOf, wholeNumber } from '../../trainer/options/option-values.js';
import type { CommandContext } from './command.js';
import { addJsonOption } from './compute-options.js';

/** Steps of a point of simulated scale, if nothing else is asked for. */
const CURVE_STEPS = 8;
/** One result in so many of a lying worker is wrong. */
const LIE_EVERY = 50;

/** `unisum simulate`: the real coordinator and workers, over a simulated network, in virtual time. */
export function define(command: Command, context: CommandContext): void {
  command
    .description(
      'Run the real coordinator and workers over a simulated network and disk, in virtual time, with injected faults: ' +
        'lost connections, partitions, crashes, power loss, wrong results. Every step is checked against its canonical ' +
        'sum. The same seed gives the same run.',
    )
    .option('--seed <K>', 'seed of the run: faults, delays and order of messages', '0')
    .option('--runs <N>', 'simulate N seeds, starting at --seed', '1')
    .option('--workers <N>', 'workers', '5')
    .option('--relays <N>', 'relays between the coordinator and most of the workers')
    .option('--steps <S>', 'steps of each run', '60')
    .option('--no-faults', 'inject no faults')
    .option(
      '--audit <F>',
      `one worker falsifies 1 result in ${LIE_EVERY}, and the fraction F of all work is audited`,
    )
    .option(
      '--hostile',
      'some workers send falsified or non-finite results, do not answer, and return after they were expelled',
    )
    .option('--sync <S>', 'steps are rounds of local updates: local:replicas=4,steps=30 (default: step)')
    .option('--keep-best', 'runs stop early and end with the weights of their best evaluation')
    .option('--compress <codec>', `the run has a codec: ${CODECS.join(', ')}`, 'none')
    .option(
      '--scale',
      'no faults: measure a step of --workers equal machines on equal links of 1 Gb/s; without --workers: curves from 10 to 10,000',
    )
    .option('--fan-out <N>', 'with --scale: through relays, with N members each at most')
    .option('--fit <files...>', 'with --scale: machines fitted to these results of bench scaling --json')
    .option('--html <file>', 'with --scale: write a page with the curves')
    .option('--trace', 'print every event with its virtual time');
  addJsonOption(command).action(
    async (
      options: Record<string, string> & {
        faults: boolean;
        hostile?: true;
        keepBest?: true;
        trace?: true;
        scale?: true;
        json?: true;
        fit?: string[];
        html?: string;
      },
    ) => {
      const number = (name: string, least: number, most: number): number =>
        wholeNumber(`--${name}`, options[name] as string, { least, most });
      checkTogether(command);
      if (options.scale) {
        const { scaleCommand } = await import('./simulate-scale.js');
        const fanOut =
          options.fanOut === undefined
            ? {}
            : { fanOut: wholeNumber('--fan-out', options.fanOut, { least: 2, most: 10_000 }) };
        const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
        const workers = isGiven('workers') ? number('workers', 1, 10_000) : undefined;
        if (workers === undefined && isGiven('fanOut'))
          throw new UserError('--fan-out needs --workers: curves have trees of their own', 2);
        if (workers !== undefined && isGiven('html'))
          throw new UserError('--html shows curves: leave --workers out', 2);
        const steps = isGiven('steps') ? number('steps', 4, 1000) : CURVE_STEPS;
        const { fit, html, json = false } = options;
        return scaleCommand({ workers, steps, ...fanOut, fit, html, json }, context);
      }
      const local = localOf(parseSync(options.sync));
      const settings = {
        seed: number('seed', 0, 2 ** 32 - 1),
        runs: number('runs', 1, 10_000_000),
        workers: number('workers', 1, 10_000),
        steps: number('steps', 1, 1_000_000),
        faults: options.faults,
        ...(options.audit === undefined
          ? {}
          : { liar: { audit: fraction('--audit', options.audit), every: LIE_EVERY } }),
        ...(options.relays === undefined ? {} : { relays: number('relays', 1, 1000) }),
        hostile: options.hostile ?? false,
        keepsBest: options.keepBest ?? false,
        ...(local && { local }),
        compress: oneOf('--compress', options.compress as string, CODECS),
        trace: options.trace ?? false,
        json: options.json ?? false,
      };
      const { simulateCommand } = await import('./simulate-run.js');
      await simulateCommand(settings, context);
    },
  );
}

/** Options that say what a run of one kind is like, and which the other kinds have no place for. */
const ALONE: Readonly<Record<string, readonly string[]>> = {
  scale: ['seed', 'runs', 'relays', 'faults', 'audit', 'hostile', 'sync', 'keepBest', 'compress', 'trace'],
};

/** @throws UserError when an option would be ignored beside another one */
function checkTogether(command: Command): void {
  const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
  const flag = (name: string): string =>
    command.options.find((option) => option.attributeName() === name)?.long as string;
  for (const [name, others] of Object.entries(ALONE)) {
    const other = isGiven(name) ? others.find(isGiven) : undefined;
    if (other !== undefined)
      throw new UserError(`${flag(name)} and ${flag(other)} do not go together: leave one of them out`, 2);
  }
  if (isGiven('fanOut') && !isGiven('scale'))
    throw new UserError('--fan-out needs --scale; with faults, --relays N has relays', 2);
  for (const name of ['fit', 'html'])
    if (isGiven(name) && !isGiven('scale')) throw new UserError(`--${name} needs --scale`, 2);
}
