import { type Command, Option } from 'commander';
import { DEFAULT_PARENT } from '../../coordinator/storage/run-directory.js';
import { UserError } from '../../shared/errors.js';
import { CLEANED_KINDS } from '../run-records/cleaning.js';
import { METRIC_FORMATS, type MetricFormat } from '../run-records/export/export-run.js';
import type { CommandContext } from './command.js';
import { addJsonOption } from './compute-options.js';

/** Most runs that are compared: as many as a page has colours that can be told apart, twice. */
const COMPARED_MAX = 8;

/** Where runs are looked for. */
interface PlaceOptions {
  in: string;
  json?: true;
}

type CleanOptions = PlaceOptions & { yes?: true } & Partial<Record<(typeof CLEANED_KINDS)[number], true>>;

/** `unisum runs list|show|compare|export|clean`: what is in the folder of runs. */
export function define(command: Command, context: CommandContext): void {
  command
    .description(
      'List the runs of a folder, show, compare and export runs, and remove those that are no longer needed.',
    )
    .helpCommand('help [command]', 'print the help of a command');
  const list = command
    .command('list')
    .summary('a table of all runs')
    .description(
      'List the runs of a folder, the latest first: recipe, state, steps, a metric of the best evaluation, start and ' +
        'hash of the weights. States: running; finished; stopped (early stopping); interrupted and killed, which can be ' +
        'resumed; diverged.',
    );
  list.option(
    '--html <FILE>',
    'write a page with a table to sort, the curves of the latest runs, and settings',
  );
  addPlace(list).action(async (options: PlaceOptions & { html?: string }) => {
    const { listRuns } = await import('./runs-run.js');
    await listRuns({ folder: options.in, html: options.html, ...flags(options) }, context);
  });
  const show = command
    .command('show')
    .summary('one run in full')
    .description('Show a run: its settings, metrics, hashes and events.')
    .argument('<run>', 'directory of a run, or its name in the folder of runs');
  addPlace(show).action(async (name: string, options: PlaceOptions) => {
    const { showRun } = await import('./runs-run.js');
    await showRun(options.in, name, options.json ?? false, context);
  });
  const compare = command
    .command('compare')
    .summary('runs beside each other')
    .description(
      'Compare runs: the settings that differ, their metrics and hashes, and the first recorded step at which each of ' +
        'them parts from the first one.',
    )
    .argument('<runs...>', 'two or more directories of runs, or names in the folder of runs');
  compare.option('--html <FILE>', 'write a page with the curves of all runs on each other');
  addPlace(compare).action(async (names: string[], options: PlaceOptions & { html?: string }) => {
    if (names.length < 2 || names.length > COMPARED_MAX)
      throw new UserError(`compare takes 2 to ${COMPARED_MAX} runs, not ${names.length}`, 2);
    const { compareRunsCommand } = await import('./runs-run.js');
    await compareRunsCommand({ folder: options.in, names, html: options.html, ...flags(options) }, context);
  });
  const formats = Object.entries(METRIC_FORMATS).map(([name, what]) => `${name}: ${what}`);
  const exported = command
    .command('export')
    .summary('the metrics of a run for other tools')
    .description(
      'Write the metrics of a run for other tools: means of every step, evaluations, learning rates, members and inspected ' +
        'gradient norms. The record of a run has no times: in TensorBoard, take STEP as the horizontal axis.',
    )
    .argument('<run>', 'directory of a run, or its name in the folder of runs')
    .addOption(
      new Option('--format <NAME>', formats.join('; '))
        .choices(Object.keys(METRIC_FORMATS))
        .makeOptionMandatory(),
    )
    .requiredOption('--out <DIR>', 'folder for the file');
  addPlace(exported).action(
    async (name: string, options: PlaceOptions & { format: MetricFormat; out: string }) => {
      const { exportRunCommand } = await import('./runs-run.js');
      await exportRunCommand({ folder: options.in, name, ...options, ...flags(options) }, context);
    },
  );
  const clean = command
    .command('clean')
    .summary('remove runs that are no longer needed')
    .description(
      'Remove runs of the kinds that are named. It lists what would be removed and asks. Runs that can be resumed, and ' +
        'files that no run has written, are never removed.',
    )
    .argument('[runs...]', 'names of the runs that may be removed (default: all of the folder)')
    .option('--finished', 'runs that have ended as planned or by early stopping, with their weights')
    .option('--diverged', 'runs that have diverged')
    .option('--untrained', 'runs that have not done a step')
    .option('--yes', 'remove without asking');
  addPlace(clean).action(async (names: string[], options: CleanOptions) => {
    const kinds = CLEANED_KINDS.filter((kind) => options[kind]);
    if (kinds.length === 0)
      throw new UserError('say what to remove: --finished, --diverged or --untrained', 2);
    const { cleanRuns } = await import('./runs-run.js');
    await cleanRuns({ folder: options.in, names, kinds, ...flags(options) }, context);
  });
}

function flags({ yes = false, json = false }: { yes?: boolean; json?: boolean }) {
  return { yes, json };
}

function addPlace(command: Command): Command {
  return addJsonOption(command.option('--in <DIR>', 'folder of the runs', DEFAULT_PARENT));
}
