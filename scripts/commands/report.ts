import type { Command } from 'commander';
import { DEFAULT_PARENT } from '../../coordinator/storage/run-directory.js';
import type { CommandContext } from './command.js';
import { addJsonOption } from './compute-options.js';

interface ReportOptions {
  in: string;
  out?: string;
  json?: true;
}

/** `unisum report <run>`: the page of a run. */
export function define(command: Command, { terminal }: CommandContext): void {
  command
    .description(
      'Write the page of a run: loss, metrics, learning rate, gradient norms and members over its steps, its events, ' +
        'settings and hashes. The page is one file that needs no network. train writes it at the end of a run; for a run ' +
        'that is under way, this writes how far it is.',
    )
    .argument('<run>', 'directory of a run, or its name in the folder of runs')
    .option('--in <DIR>', 'folder of the runs', DEFAULT_PARENT)
    .option('--out <FILE>', 'path of the page (default: run.html in the directory of the run)');
  addJsonOption(command).action(async (name: string, options: ReportOptions) => {
    const { findRun } = await import('./runs-run.js');
    const { writeRunReport } = await import('../reports/run/report.js');
    const { path } = await findRun(options.in, name);
    const page = await writeRunReport(path, options.out);
    terminal.say(`report   ${page}`);
    if (options.json) terminal.result({ page });
  });
}
