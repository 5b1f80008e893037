import { systemClock } from '../../shared/actor/clock.js';
import { Machine } from '../../shared/engine/machine.js';
import { UserError } from '../../shared/errors.js';
import { connectWebSocket } from '../../shared/link/web-socket-client.js';
import { hostAndPort } from '../../shared/protocol/join-url.js';
import { WorkerNode } from '../../worker/main.js';
import { OwnWorkplace } from '../../worker/own-workplace.js';
import { selfTest } from '../training/self-test.js';
import type { CommandContext } from './command.js';
import type { WorkerSettings } from './worker-options.js';

/** Works for the run at `settings.join` until it ends or the context is interrupted. */
export async function work(
  settings: WorkerSettings,
  { terminal, interrupted }: CommandContext,
): Promise<void> {
  const clock = systemClock;
  const { join, name, threads } = settings;
  const machine = await Machine.start(threads, settings.backend);
  try {
    const { team, memory } = machine;
    const { backend, detail } = team;
    terminal.say(`${name}: ${threads} ${threads === 1 ? 'thread' : 'threads'}, ${backend} (${detail})`);
    const begunMs = clock.nowMs();
    const node = new WorkerNode({
      identity: { name, backend, detail, threads, token: join.token, selfTest: selfTest(machine) },
      workplace: new OwnWorkplace(memory, team, settings.memory),
      clock,
      connect: () => connectWebSocket(join, clock),
      onNotice: (text) => terminal.say(text),
    });
    interrupted.addEventListener('abort', () => node.leave());
    if (interrupted.aborted) node.leave();
    const { ending, reason, samples } = await node.ended;
    const seconds = (clock.nowMs() - begunMs) / 1000;
    terminal.say(`${samples} samples in ${seconds.toFixed(1)} s; ${reason}`);
    if (settings.json) terminal.result({ samples, seconds, backend: `${backend} (${detail})`, reason });
    if (ending === 'finished' || ending === 'left') return;
    throw new UserError(`${hostAndPort(join)}: ${reason}`);
  } finally {
    await machine.stop();
  }
}
