import { systemClock } from '../../shared/actor/clock.js';
import { UserError } from '../../shared/errors.js';
import { watchRun } from '../../shared/link/watch-client.js';
import { connectWebSocket } from '../../shared/link/web-socket-client.js';
import { hostAndPort, type JoinAddress, WATCH_PATH } from '../../shared/protocol/join-url.js';
import type { Controlled, ControlRequest } from '../../shared/protocol/watch-messages.js';
import type { CommandContext } from './command.js';

/**
 * Asks the run at `address` for something once, and prints what became of it.
 * @throws UserError when it is not done
 */
export async function control(
  address: JoinAddress,
  request: ControlRequest,
  { terminal, interrupted }: CommandContext,
): Promise<void> {
  const done = new AbortController();
  const stop = AbortSignal.any([interrupted, done.signal]);
  let answer: Controlled | undefined;
  let hasAsked = false;
  await watchRun({
    ...{ token: address.token, peer: hostAndPort(address), clock: systemClock, stop },
    connect: () => connectWebSocket(address, systemClock, WATCH_PATH),
    onNews: () => {},
    onNotice: () => {},
    onAdmitted: (_, ask) => {
      // A connection may be lost before the answer comes: asked again, a run might be paused twice.
      if (hasAsked) return done.abort();
      hasAsked = true;
      ask(request);
    },
    onControlled: (controlled) => {
      answer = controlled;
      done.abort();
    },
  });
  if (interrupted.aborted) return;
  if (answer === undefined)
    throw new UserError('the connection was lost before the run answered: watch the run');
  if (!answer.isDone) throw new UserError(answer.text);
  terminal.say(answer.text);
}
