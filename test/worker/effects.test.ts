import { expect, it } from 'vitest';
import { VirtualClock } from '../../shared/actor/virtual-clock.js';
import { inflateChunk } from '../../shared/data/chunk-compression.js';
import { UserError } from '../../shared/errors.js';
import type { Link } from '../../shared/link/link.js';
import { WorkerEffectRunner } from '../../worker/effects.js';
import type { Executor } from '../../worker/executor.js';
import type { WorkerMessage } from '../../worker/messages.js';
import { PacedNotices } from '../../worker/paced-notices.js';
import { workerTransition } from '../../worker/transition.js';
import { Script } from './script.js';

it('tells the coordinator why the worker leaves when there is no room for the data', () => {
  const reason = 'out of memory: allow more';
  const executor: Executor = {
    prepare: async () => ({ missing: [0], weights: undefined }),
    store: () => {
      throw new UserError(reason);
    },
    expect: () => undefined,
    load: () => undefined,
    stopWaiting: () => undefined,
    compute: async () => undefined,
    interrupt: () => undefined,
    vectors: () => undefined,
  };
  const runner = new WorkerEffectRunner({
    executor,
    clock: new VirtualClock(),
    connect: () => Promise.reject(new Error('no coordinator')),
    inflate: inflateChunk,
    onNotice: () => undefined,
    onEnd: () => undefined,
  });
  const script = new Script().joins();
  script.isPrepared([0]);
  const told: WorkerMessage[] = [];
  const self = { tell: (message: WorkerMessage) => void told.push(message), stop: () => undefined };
  for (const effect of script.hears({ kind: 'chunk', index: 0 })) runner.perform(effect, self);
  expect(told).toEqual([{ kind: 'failed', reason }]);
  expect(workerTransition(script.state, told[0] as WorkerMessage).effects).toEqual([
    { kind: 'send', message: { kind: 'leave', reason } },
    { kind: 'close' },
    { kind: 'end', exitReason: 'failed', reason },
  ]);
});

it('says that it leaves before all else that waits for the link', async () => {
  const messages: unknown[] = [];
  const link: Link = {
    peer: 'coordinator',
    // As if a vector were on its way all the time.
    bufferedBytes: 100 * 2 ** 20,
    open: () => undefined,
    send: (message) => void messages.push(message),
    recycle: () => undefined,
    admit: () => undefined,
    close: (reason) => void messages.push({ closed: reason }),
    break: () => undefined,
  };
  const runner = new WorkerEffectRunner({
    executor: undefined as unknown as Executor,
    clock: new VirtualClock(),
    connect: async () => link,
    inflate: inflateChunk,
    onNotice: () => undefined,
    onEnd: () => undefined,
  });
  const self = { tell: () => undefined, stop: () => undefined };
  runner.perform({ kind: 'connect' }, self);
  // It has connected.
  await Promise.resolve();
  await Promise.resolve();
  runner.perform({ kind: 'send', message: { kind: 'ready' } }, self);
  runner.perform({ kind: 'send', message: { kind: 'ready' } }, self);
  runner.perform({ kind: 'send', message: { kind: 'leave', reason: 'full' } }, self);
  runner.perform({ kind: 'close' }, self);
  expect(messages).toEqual([
    { kind: 'ready' },
    { kind: 'leave', reason: 'full' },
    { closed: 'the worker left' },
  ]);
});

it('does not wait for the next attempt to connect once the worker has ended', () => {
  const clock = new VirtualClock();
  const runner = new WorkerEffectRunner({
    executor: undefined as unknown as Executor,
    clock,
    connect: () => Promise.reject(new Error('no coordinator')),
    inflate: inflateChunk,
    onNotice: () => undefined,
    onEnd: () => undefined,
  });
  const told: WorkerMessage[] = [];
  const self = { tell: (message: WorkerMessage) => void told.push(message), stop: () => undefined };
  runner.perform({ kind: 'connect-after', delayMs: 600_000 }, self);
  runner.perform({ kind: 'end', exitReason: 'left', reason: 'left by its user' }, self);
  expect(clock.runNext()).toBe(false);
  expect(told).toEqual([]);
});

it('prints no more lines of a coordinator than a person reads, and counts the others', () => {
  const clock = new VirtualClock();
  const printed: string[] = [];
  const notices = new PacedNotices(clock, (text) => printed.push(text));
  for (let i = 0; i < 1000; i++) notices.say(`standby: ${i}`);
  expect(printed).toEqual(Array.from({ length: 20 }, (_, i) => `standby: ${i}`));
  clock.after(10_000, () => notices.say('active: now'));
  while (clock.runNext());
  expect(printed.slice(20)).toEqual(['980 more lines were left out', 'active: now']);
});
