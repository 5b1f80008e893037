import { describe, expect, it } from 'vitest';
import { WaitingLinks } from '../../relay/waiting-links.js';
import { VirtualClock } from '../../shared/actor/virtual-clock.js';
import { linkInProcess } from '../../shared/link/in-process.js';
import type { Link } from '../../shared/link/link.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A worker's end of a link, and what it was told. */
function connect(waiting: WaitingLinks): { readonly worker: Link; readonly told: unknown[] } {
  const [worker, relay] = linkInProcess(['worker', 'relay']);
  const told: unknown[] = [];
  worker.open({ message: ({ message }) => told.push(message), closed: (reason) => told.push(reason) });
  waiting.add(relay);
  return { worker, told };
}

describe('links that wait for a run', () => {
  it('get signs of life and nothing else, and what they say is dropped', async () => {
    const clock = new VirtualClock();
    const waiting = new WaitingLinks(clock);
    const { worker, told } = connect(waiting);
    worker.send({ kind: 'hello', token: 'none' });
    clock.advance(10_000);
    await turn();
    expect(told).toEqual([1, 2, 3].map((id) => ({ kind: 'ping', id })));
    const [link] = waiting.take();
    const heard: unknown[] = [];
    link?.open({ message: ({ message }) => heard.push(message), closed: (reason) => heard.push(reason) });
    clock.advance(10_000);
    worker.send({ kind: 'pong', id: 3 });
    worker.close('gone');
    await turn();
    expect(heard).toEqual([{ kind: 'pong', id: 3 }, 'gone']);
    expect(told.slice(3)).toEqual(['gone']);
  });

  it('count as long as they are open', async () => {
    const waiting = new WaitingLinks(new VirtualClock());
    const first = connect(waiting);
    await turn();
    first.worker.close('gone');
    await turn();
    let isEnough = false;
    const enough = waiting.atLeast(2).then(() => {
      isEnough = true;
    });
    connect(waiting);
    await turn();
    expect(isEnough).toBe(false);
    connect(waiting);
    await enough;
    expect(waiting.take()).toHaveLength(2);
  });

  it('end at once, with the reason, when the relay ends', async () => {
    const waiting = new WaitingLinks(new VirtualClock());
    const { told } = connect(waiting);
    await turn();
    const last = { kind: 'refuse', reason: 'the relay has ended: wrong token' } as const;
    waiting.close(last);
    await turn();
    expect(told).toEqual([last, last.reason]);
    expect(waiting.count).toBe(0);
  });
});
