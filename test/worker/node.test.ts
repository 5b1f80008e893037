import { describe, expect, it } from 'vitest';
import type { NodeEffect } from '../../worker/messages.js';
import { hello, NONCE, runMessage } from '../coordinator/settings.js';
import { CHALLENGE, compute, handedIn, Script } from './script.js';

const FIRST = { from: 0, to: 4 };
const SECOND = { from: 4, to: 8 };

describe('a node on its way in', () => {
  it('connects, proves itself when asked, fetches what it lacks, and is ready', () => {
    const script = new Script();
    expect(script.tell({ kind: 'retry' })).toEqual([{ kind: 'connect' }]);
    expect(script.tell({ kind: 'opened', nonce: NONCE })).toEqual([]);
    expect(script.hears(CHALLENGE)).toEqual([{ kind: 'send', message: hello('a') }]);
    const run = runMessage();
    expect(script.hears(run)).toEqual([{ kind: 'admit' }, { kind: 'prepare', run }]);
    expect(script.isPrepared([0, 2])).toEqual([{ kind: 'send', message: { kind: 'need', chunks: [0, 2] } }]);
    const bytes = new Uint8Array(4);
    expect(script.hears({ kind: 'chunk', index: 2 }, bytes)).toEqual([{ kind: 'store', index: 2, bytes }]);
    expect(script.tell({ kind: 'stored', index: 2, sound: true })).toEqual([]);
    expect(script.tell({ kind: 'stored', index: 0, sound: true })).toEqual([
      { kind: 'send', message: { kind: 'ready' } },
    ]);
  });

  it('never has more than eight chunks on their way', () => {
    const script = new Script().joins();
    const all = Array.from({ length: 20 }, (_, i) => i);
    const asked: number[] = [];
    const take = (effects: readonly NodeEffect[]): void => {
      for (const effect of effects) {
        if (effect.kind === 'send' && effect.message.kind === 'need') asked.push(...effect.message.chunks);
      }
    };
    take(script.isPrepared(all));
    for (const index of all) {
      expect(asked.length - index).toBeLessThanOrEqual(8);
      take(script.tell({ kind: 'stored', index, sound: true }));
    }
    expect(asked).toEqual(all);
    expect(script.state.phase).toBe('working');
  });

  it('does not work for who cannot prove that it knows the token', () => {
    const script = new Script();
    script.tell({ kind: 'retry' });
    script.tell({ kind: 'opened', nonce: NONCE });
    script.hears(CHALLENGE);
    const reason = 'the coordinator does not know the token: check the join line';
    expect(script.hears(runMessage({ proof: '0'.repeat(64) }))).toEqual([
      { kind: 'close' },
      { kind: 'end', ending: 'refused', reason },
    ]);
  });

  it('ends when its data arrive altered', () => {
    const script = new Script().joins();
    script.isPrepared([1]);
    expect(script.tell({ kind: 'stored', index: 1, sound: false }).at(-1)).toEqual({
      kind: 'end',
      ending: 'failed',
      reason: 'chunk 1 of the data arrived altered; join again',
    });
  });

  it.each([
    ['a second challenge', CHALLENGE],
    ['a second run', runMessage()],
    ['a chunk', { kind: 'chunk', index: 0 } as const],
  ])('takes %s out of turn for a fault, and ends', (_what, message) => {
    const script = new Script().isReady();
    expect(script.hears(message).at(-1)).toEqual({
      kind: 'end',
      ending: 'failed',
      reason: `the coordinator sent "${message.kind}" out of turn`,
    });
    expect(script.hears(CHALLENGE)).toEqual([]);
  });
});

describe('work', () => {
  it('is done one range at a time, in order, each handed in as it is done', () => {
    const script = new Script().isReady();
    expect(script.works(0, FIRST)).toEqual([compute(0, FIRST)]);
    expect(script.works(0, SECOND, false)).toEqual([]);
    expect(script.computed(0, FIRST)).toEqual([handedIn(0, FIRST), compute(0, SECOND, false)]);
    expect(script.computed(0, SECOND)).toEqual([handedIn(0, SECOND)]);
    expect(script.state.samples).toBe(32);
  });

  it('that waits is dropped when another step comes: its own has ended without it', () => {
    const script = new Script().isReady();
    script.works(0, FIRST);
    script.works(0, SECOND, false);
    expect(script.works(1, FIRST)).toEqual([]);
    expect(script.computed(0, FIRST)).toEqual([handedIn(0, FIRST), compute(1, FIRST)]);
  });

  it('of a link that is gone is not handed in over the next one: there nobody owes it', () => {
    const script = new Script().isReady();
    script.works(3, FIRST);
    script.tell({ kind: 'closed', reason: 'cut' });
    script.isReady();
    expect(script.works(3, SECOND)).toEqual([]);
    // Now the threads are free, and what came over the new link is begun.
    expect(script.computed(3, FIRST)).toEqual([compute(3, SECOND)]);
    expect(script.computed(3, SECOND)).toEqual([handedIn(3, SECOND)]);
    expect(script.state.samples).toBe(16);
  });

  it('that ends while there is no link is kept to itself', () => {
    const script = new Script().isReady();
    script.works(3, FIRST);
    script.works(3, SECOND, false);
    script.tell({ kind: 'closed', reason: 'cut' });
    expect(script.computed(3, FIRST)).toEqual([]);
    expect(script.isReady().works(4, FIRST)).toEqual([compute(4, FIRST)]);
  });

  it('is bounded: who hands out ranges without end is left', () => {
    const script = new Script().isReady();
    script.works(0, FIRST);
    for (let i = 0; i < 256; i++) script.works(0, FIRST, false);
    expect(script.works(0, FIRST, false).at(-1)).toMatchObject({ kind: 'end', ending: 'failed' });
  });

  it('goes on while signs of life are asked for', () => {
    const script = new Script().isReady();
    script.works(0, FIRST);
    expect(script.hears({ kind: 'ping', id: 5 })).toEqual([
      { kind: 'send', message: { kind: 'pong', id: 5 } },
    ]);
  });

  it('that the machine cannot do ends the node, with a word to the coordinator', () => {
    const script = new Script().isReady();
    expect(script.tell({ kind: 'failed', reason: 'out of memory' })).toEqual([
      { kind: 'send', message: { kind: 'leave', reason: 'out of memory' } },
      { kind: 'close' },
      { kind: 'end', ending: 'failed', reason: 'out of memory' },
    ]);
  });
});

describe('a lost coordinator', () => {
  it('is looked for again, ever more slowly up to a bound, and then given up', () => {
    const script = new Script();
    const delays: number[] = [];
    let last: readonly NodeEffect[] = [];
    while (script.state.phase !== 'ended') {
      expect(script.tell({ kind: 'retry' })).toEqual([{ kind: 'connect' }]);
      last = script.tell({ kind: 'closed', reason: 'nobody there' });
      for (const effect of last) if (effect.kind === 'retry-after') delays.push(effect.delayMs);
    }
    expect(delays).toEqual([250, 500, 1000, 2000, 4000, ...new Array(10).fill(5000)]);
    expect(last.at(-1)).toEqual({
      kind: 'end',
      ending: 'lost',
      reason: 'no coordinator after 16 attempts (nobody there)',
    });
  });

  it('is said aloud, and attempts count anew once the node has been at work', () => {
    const script = new Script();
    for (const reason of ['one', 'two']) script.tell({ kind: 'closed', reason });
    script.isReady();
    expect(script.tell({ kind: 'closed', reason: 'cut' })).toEqual([
      { kind: 'notice', text: 'no coordinator (cut); trying again in 0.25 s' },
      { kind: 'retry-after', delayMs: 250 },
    ]);
  });
});

describe('the end', () => {
  it.each([
    ['a refusal', { kind: 'refuse', reason: 'wrong token' } as const, 'refused'],
    ['the end of the run', { kind: 'stop', reason: 'the run is finished' } as const, 'finished'],
  ])('comes with %s; nothing is done after it', (_what, message, ending) => {
    const script = new Script().isReady();
    script.works(0, FIRST);
    const { reason } = message;
    expect(script.hears(message)).toEqual([{ kind: 'close' }, { kind: 'end', ending, reason }]);
    expect(script.computed(0, FIRST)).toEqual([]);
    expect(script.tell({ kind: 'closed', reason: 'closed' })).toEqual([]);
    expect(script.tell({ kind: 'retry' })).toEqual([]);
  });

  it('comes when its user wants the machine back', () => {
    const script = new Script().isReady();
    expect(script.tell({ kind: 'leave' })).toEqual([
      { kind: 'send', message: { kind: 'leave', reason: 'left by its user' } },
      { kind: 'close' },
      { kind: 'end', ending: 'left', reason: 'left by its user' },
    ]);
  });
});
