import { systemClock } from '../../shared/actor/clock.js';
import type { JoinAddress } from '../../shared/protocol/join-url.js';
import type { News } from '../../shared/protocol/watch-messages.js';
import { startProgress } from '../terminal/progress.js';
import { describeEnd } from '../training/result.js';
import { describeEvaluation } from '../training/run-watch.js';
import { watchRun } from '../watching/spectator.js';
import type { CommandContext } from './command.js';

/** Shows the progress of the run at `address` until it ends or the context is interrupted. */
export async function watch(
  { address, json }: { readonly address: JoinAddress; readonly json: boolean },
  { terminal, interrupted }: CommandContext,
): Promise<void> {
  const progress = startProgress(terminal.stderr, systemClock.nowMs);
  const show = (news: News): void => {
    switch (news.kind) {
      case 'progress':
        return progress.update(news);
      case 'metrics':
        return progress.say(describeEvaluation(news.epoch, news.metrics));
      case 'ended':
        progress.stop();
        for (const line of describeEnd(news)) terminal.say(line);
        return;
      default:
        news satisfies never;
    }
  };
  try {
    await watchRun({
      ...{ address, clock: systemClock, enough: interrupted },
      onNews: json ? (news) => terminal.result(news) : show,
      onNotice: (text) => progress.say(text),
    });
  } finally {
    progress.stop();
  }
}
