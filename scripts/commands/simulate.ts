import type { Command } from 'commander';
import type { CommandContext } from './command.js';
import { fraction, wholeNumber } from './numbers.js';

/** A liar's answers that are wrong, one in so many. */
const LIE_EVERY = 50;

/** `unisum simulate`: the real coordinator and nodes, over a network that a seed decides, in virtual time. */
export function define(command: Command, context: CommandContext): void {
  command
    .option('--seed <K>', 'decides everything that happens', '0')
    .option('--runs <N>', 'simulate this many seeds, from --seed on', '1')
    .option('--workers <N>', 'nodes', '5')
    .option('--steps <S>', 'steps of each run', '60')
    .option('--no-faults', 'nothing goes wrong')
    .option('--audit <F>', 'one node lies, one time in 50, and this fraction of the work is audited')
    .option('--trace', 'print what happens, with virtual time')
    .option('--json', 'print the result as one JSON object on the last line of stdout')
    .action(async (options: Record<string, string> & { faults: boolean; trace?: true; json?: true }) => {
      const number = (name: string, least: number, most: number): number =>
        wholeNumber(`--${name}`, options[name] as string, { least, most });
      const settings = {
        seed: number('seed', 0, 2 ** 32 - 1),
        runs: number('runs', 1, 10_000_000),
        workers: number('workers', 1, 10_000),
        steps: number('steps', 1, 1_000_000),
        faults: options.faults,
        ...(options.audit === undefined
          ? {}
          : { liar: { audit: fraction('--audit', options.audit), every: LIE_EVERY } }),
        trace: options.trace ?? false,
        json: options.json ?? false,
      };
      const { simulateCommand } = await import('./simulate-run.js');
      await simulateCommand(settings, context);
    });
}
