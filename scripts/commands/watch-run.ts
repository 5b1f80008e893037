import { systemClock } from '../../shared/actor/clock.js';
import { watchRun } from '../../shared/link/watch-client.js';
import { connectWebSocket } from '../../shared/link/web-socket-client.js';
import { hostAndPort, type JoinAddress, WATCH_PATH } from '../../shared/protocol/join-url.js';
import type { News } from '../../shared/protocol/watch-messages.js';
import { describeEnd, describePlacement } from '../../trainer/result.js';
import { describeEvaluation } from '../../trainer/run-logger.js';
import { startProgress } from '../terminal/progress.js';
import type { CommandContext } from './command.js';

/** Displays the progress of the run at `address` until it ends or the context is interrupted. */
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
      case 'placement':
        return progress.say(describePlacement(news));
      case 'ended':
        progress.stop();
        for (const line of describeEnd(news)) terminal.say(line);
        return;
      case 'event':
        return progress.say(news.text);
      case 'history':
      case 'state':
      case 'examples':
      case 'text':
      case 'layers':
      case 'members':
        return;
      default:
        news satisfies never;
    }
  };
  try {
    await watchRun({
      ...{ token: address.token, peer: hostAndPort(address), clock: systemClock, stop: interrupted },
      connect: () => connectWebSocket(address, systemClock, WATCH_PATH),
      onNews: json ? (news) => terminal.result(news) : show,
      onNotice: (text) => progress.say(text),
    });
  } finally {
    progress.stop();
  }
}
