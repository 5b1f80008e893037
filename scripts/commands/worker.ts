import { hostname } from 'node:os';
import type { Command } from 'commander';
import { systemClock } from '../../shared/actor/clock.js';
import { UserError } from '../../shared/errors.js';
import {
  type JoinOptions,
  parseWorkerOptions,
  type WorkerSettings,
} from '../../trainer/options/worker-options.js';
import type { CommandContext } from './command.js';
import { addComputeOptions, addJsonOption } from './compute-options.js';

interface StayingOptions extends JoinOptions {
  readonly stay?: true;
  readonly joinFile?: string;
}

/** Stands for a line that is not there yet. */
const ANY_LINE = `ws://127.0.0.1:1/#${'-'.repeat(22)}`;

/** `unisum worker <join-url>`: a worker of a run that is coordinated elsewhere. */
export function define(command: Command, context: CommandContext): void {
  command
    .description(
      'Join a run with this machine until the run ends. Ctrl-C leaves the run, which continues without this ' +
        'worker. A worker that loses its coordinator tries to reconnect for about a minute.',
    )
    .argument(
      '[join-url]',
      'join line that the run printed: wss://HOST:PORT/#TOKEN.FINGERPRINT; left out: lists the runs of the local ' +
        'network (train --announce), and asks for the rest of the line',
    );
  addJsonOption(
    addComputeOptions(command)
      .option('--name <name>', 'name of this worker in tables and messages (default: the host name)')
      .option(
        '--memory <size>',
        'memory limit, such as 2g; a run that needs more is refused (default: half of the memory)',
      )
      .option(
        '--stay',
        'when the run has ended, wait about a minute for the next one: of a sweep, or the same one resumed',
      )
      .option(
        '--join-file <FILE>',
        'in place of the join line: the file of "train --join-file", for which the worker waits',
      ),
  ).action(async (givenUrl: string | undefined, { joinFile, stay, ...options }: StayingOptions) => {
    if (givenUrl !== undefined && joinFile !== undefined)
      throw new UserError('worker takes a join line or --join-file FILE; give one of them', 2);
    const read = (line: string): WorkerSettings => parseWorkerOptions(line, options, hostname());
    // Of the options, everything that is wrong is said before the file is waited for.
    read(givenUrl ?? ANY_LINE);
    const { awaitJoinFile } = await import('../../trainer/join-file.js');
    const { work } = await import('../../trainer/worker-run.js');
    const { terminal } = context;
    const joinUrl =
      givenUrl ??
      (joinFile === undefined ? await (await import('./find-run.js')).findRun(terminal) : undefined);
    const host = {
      say: terminal.say,
      get interrupted() {
        return context.interrupted;
      },
    };
    // The next run may have another line.
    const settingsNow = async (): Promise<WorkerSettings> =>
      read(joinUrl ?? (await awaitJoinFile(joinFile as string, systemClock, host)));
    let outcome = await work(await settingsNow(), host);
    while (stay && outcome.failure === undefined && !context.interrupted.aborted) {
      terminal.say('waiting for the next run');
      // After the last run of a sweep, nobody listens any more: that is no failure of this worker.
      const settings = await settingsNow().catch(ignoreUserError);
      if (settings === undefined) break;
      const next = await work(settings, host);
      if (next.failure !== undefined && next.result.samples === 0) break;
      outcome = next;
    }
    if (options.json) terminal.result(outcome.result);
    if (outcome.failure !== undefined) throw outcome.failure;
    // A scheduler that counts this worker as done would not start it again when the run goes on.
    if (stay && outcome.isUnfinished && !context.interrupted.aborted)
      throw new UserError(
        'the run was interrupted, and nobody has resumed it; start this worker again when it goes on',
      );
  });
}

function ignoreUserError(error: unknown): undefined {
  if (!(error instanceof UserError)) throw error;
}
