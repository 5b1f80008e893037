import { systemClock } from '../../shared/actor/clock.js';
import type { GradientStats } from '../../shared/engine/passes/gradient-inspector.js';
import { UserError } from '../../shared/errors.js';
import { isLoopback } from '../../shared/link/listen.js';
import { formatPageUrl, parseJoinUrl } from '../../shared/protocol/join-url.js';
import { describeResult } from '../../trainer/result.js';
import { type SessionHost, type TrainRequest, trainSession } from '../../trainer/training-session.js';
import { describeGradients, saveGradients } from '../reports/gradients/report.js';
import { writeRunReport } from '../reports/run/report.js';
import { startProgress } from '../terminal/progress.js';
import { qrLines } from '../terminal/qr-code.js';
import { showWhile } from '../terminal/transient-note.js';
import type { CommandContext } from './command.js';

/** Trains on the terminal. When the context is interrupted, it saves a checkpoint and returns early. */
export async function train(request: TrainRequest, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const { recipe, json } = request.settings;
  const progress = startProgress(terminal.stderr, systemClock.nowMs);
  let directory: string | undefined;
  const host: SessionHost = {
    progress,
    reading: (work) => showWhile('reading data', terminal.stderr, work),
    get interrupted() {
      return context.interrupted;
    },
    hold: () => context.hold(),
    onOpen: (joinUrl, path) => {
      directory = path;
      const { listen, publicUrl } = request.settings;
      // A phone reaches no loopback address, and a log has no use for a picture.
      if (!terminal.stderr.isTTY || (isLoopback(listen.host) && publicUrl === undefined)) return;
      progress.say('join with a phone:');
      for (const line of qrLines(formatPageUrl(parseJoinUrl(joinUrl), publicUrl))) progress.say(line);
    },
    showGradients: async (stats: readonly GradientStats[], folder: string) => {
      for (const line of describeGradients(stats)) progress.say(line);
      progress.say(`plots    ${await saveGradients(folder, recipe, stats)}`);
    },
  };
  try {
    const result = await trainSession(request, host);
    progress.stop();
    for (const line of describeResult(result)) terminal.say(line);
    if (json) terminal.result(result);
    // Stopped by an operator: for those who wait for the command it is as by Ctrl-C.
    if (result.exitReason === 'interrupted') context.interrupt();
  } finally {
    progress.stop();
    // Of a run that has failed too: its curves say most about why.
    if (directory !== undefined) await report(directory, context);
  }
}

/** Writes run.html. Whatever may be wrong with it, the run itself is done. */
async function report(directory: string, { terminal }: CommandContext): Promise<void> {
  try {
    await writeRunReport(directory);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    terminal.say(`no report: ${error.message}`);
  }
}
