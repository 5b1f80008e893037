import { describe, expect, it } from 'vitest';
import type { WorkerEffect } from '../../worker/messages.js';
import { hello, NONCE, runMessage } from '../coordinator/settings.js';
import { CHALLENGE, CUT, compute, Script, sent } from './script.js';

const FIRST = { from: 0, to: 4 };
const SECOND = { from: 4, to: 8 };

describe('a worker that joins', () => {
  it('connects, answers the challenge, fetches a chunk, and is ready; then the others, when it is told to', () => {
    const script = new Script();
    expect(script.tell({ kind: 'connect' })).toEqual([{ kind: 'connect' }]);
    expect(script.tell({ kind: 'opened', nonce: NONCE })).toEqual([]);
    expect(script.hears(CHALLENGE)).toEqual([{ kind: 'send', message: hello('a') }]);
    const run = runMessage();
    expect(script.hears(run)).toEqual([{ kind: 'admit' }, { kind: 'prepare', run }]);
    expect(script.isPrepared([0, 2, 3])).toEqual([{ kind: 'send', message: { kind: 'need', chunks: [0] } }]);
    expect(script.tell({ kind: 'stored', index: 0, isValid: true })).toEqual([
      { kind: 'send', message: { kind: 'ready', lacksData: true } },
    ]);
    expect(script.hears({ kind: 'fetch' })).toEqual([
      { kind: 'send', message: { kind: 'need', chunks: [2, 3] } },
    ]);
    const bytes = new Uint8Array(4);
    expect(script.hears({ kind: 'chunk', index: 3 }, bytes)).toEqual([
      { kind: 'store', index: 3, bytes, isDeflated: false },
    ]);
    expect(script.tell({ kind: 'stored', index: 3, isValid: true })).toEqual([]);
    expect(script.tell({ kind: 'stored', index: 2, isValid: true })).toEqual([
      { kind: 'send', message: { kind: 'ready' } },
    ]);
  });

  it('requests at most eight chunks at a time', () => {
    const script = new Script().joins();
    const all = Array.from({ length: 20 }, (_, i) => i);
    const requested: number[] = [];
    const take = (effects: readonly WorkerEffect[]): void => {
      for (const effect of effects) {
        if (effect.kind === 'send' && effect.message.kind === 'need')
          requested.push(...effect.message.chunks);
      }
    };
    take(script.isPrepared(all));
    take(script.tell({ kind: 'stored', index: 0, isValid: true }));
    take(script.hears({ kind: 'fetch' }));
    for (const index of all.slice(1)) {
      expect(requested.length - index).toBeLessThanOrEqual(8);
      take(script.tell({ kind: 'stored', index, isValid: true }));
    }
    expect(requested).toEqual(all);
    expect(script.state.phase).toBe('working');
  });

  it('does not work for a coordinator that does not know the token', () => {
    const script = new Script();
    script.tell({ kind: 'connect' });
    script.tell({ kind: 'opened', nonce: NONCE });
    script.hears(CHALLENGE);
    const reason = 'the coordinator does not know the token: check the join line';
    expect(script.hears(runMessage({ proof: '0'.repeat(64) }))).toEqual([
      { kind: 'close' },
      { kind: 'end', exitReason: 'refused', reason },
    ]);
  });

  it('ends when a chunk has the wrong hash', () => {
    const script = new Script().joins();
    script.isPrepared([1]);
    expect(script.tell({ kind: 'stored', index: 1, isValid: false }).at(-1)).toEqual({
      kind: 'end',
      exitReason: 'failed',
      reason: 'chunk 1 of the data has the wrong hash; join again',
    });
  });

  it('answers one challenge on a link', () => {
    const script = new Script();
    script.tell({ kind: 'connect' });
    script.tell({ kind: 'opened', nonce: NONCE });
    script.hears(CHALLENGE);
    expect(script.hears(CHALLENGE).at(-1)).toMatchObject({
      kind: 'end',
      reason: 'the coordinator sent "challenge" out of turn',
    });
  });

  it('ignores a run that was prepared for an earlier link', () => {
    const script = new Script().joins();
    const earlier = script.run;
    script.tell({ kind: 'closed', reason: 'cut' });
    script.joins(runMessage());
    expect(
      script.tell({ kind: 'prepared', run: earlier, missing: [], weights: { count: 1, cut: CUT } }),
    ).toEqual([]);
    expect(script.state.phase).toBe('preparing');
    expect(script.isPrepared([0])).toEqual([{ kind: 'send', message: { kind: 'need', chunks: [0] } }]);
  });

  it.each([
    ['a second challenge', CHALLENGE],
    ['a second run', runMessage()],
    ['a chunk', { kind: 'chunk', index: 0 } as const],
  ])('ends when the coordinator sends %s out of turn', (_what, message) => {
    const script = new Script().isReady();
    expect(script.hears(message).at(-1)).toEqual({
      kind: 'end',
      exitReason: 'failed',
      reason: `the coordinator sent "${message.kind}" out of turn`,
    });
    expect(script.hears(CHALLENGE)).toEqual([]);
  });
});

describe('a worker that has a part of the data', () => {
  const FETCH = { kind: 'fetch' } as const;
  const withOneOf = (missing: readonly number[]): Script => {
    const script = new Script().joins();
    script.isPrepared(missing);
    script.tell({ kind: 'stored', index: 0, isValid: true });
    return script;
  };
  const outOfTurn = (kind: string) => ({ reason: `the coordinator sent "${kind}" out of turn` });

  it('computes rehearsals, also while it fetches the rest', () => {
    const script = withOneOf([0, 1]);
    const rehearsal = { kind: 'work', step: 0, range: FIRST, weights: true, rehearses: true } as const;
    expect(script.hears(rehearsal, new Uint8Array(8))).toEqual([...compute(0, FIRST)]);
    script.hears(FETCH);
    expect(script.computed(0, FIRST)).toEqual([sent(0, FIRST)]);
    script.tell({ kind: 'stored', index: 1, isValid: true });
    expect(script.works(1, FIRST)).toEqual([...compute(1, FIRST)]);
  });

  it('ends when it is given other work, as its sums would be wrong', () => {
    expect(withOneOf([0, 1]).works(0, FIRST).at(-1)).toMatchObject(outOfTurn('work'));
  });

  it('ends when it is told to fetch twice, or has everything', () => {
    const script = withOneOf([0, 1]);
    script.hears(FETCH);
    expect(script.hears(FETCH).at(-1)).toMatchObject(outOfTurn('fetch'));
    expect(withOneOf([0]).hears(FETCH).at(-1)).toMatchObject(outOfTurn('fetch'));
  });

  it('begins anew over the next link', () => {
    const script = withOneOf([0, 1, 2]);
    script.hears(FETCH);
    script.tell({ kind: 'closed', reason: 'cut' });
    script.joins();
    expect(script.isPrepared([1, 2])).toEqual([{ kind: 'send', message: { kind: 'need', chunks: [1] } }]);
  });
});

describe('work', () => {
  it('is computed one range at a time, in order, and each result is sent at once', () => {
    const script = new Script().isReady();
    expect(script.works(0, FIRST)).toEqual([...compute(0, FIRST)]);
    expect(script.works(0, SECOND, false)).toEqual([]);
    expect(script.computed(0, FIRST)).toEqual([sent(0, FIRST), ...compute(0, SECOND, false)]);
    expect(script.computed(0, SECOND)).toEqual([sent(0, SECOND)]);
    expect(script.state.workQueue.samples).toBe(32);
  });

  it('that waits is dropped when work of another step arrives', () => {
    const script = new Script().isReady();
    script.works(0, FIRST);
    script.works(0, SECOND, false);
    expect(script.works(1, FIRST)).toEqual([]);
    expect(script.computed(0, FIRST)).toEqual([sent(0, FIRST), ...compute(1, FIRST)]);
  });

  it('that was assigned over a lost link is not sent over the next one', () => {
    const script = new Script().isReady();
    script.works(3, FIRST);
    script.tell({ kind: 'closed', reason: 'cut' });
    script.isReady();
    expect(script.works(3, SECOND)).toEqual([]);
    // The threads are free now, so the range that came over the new link begins.
    expect(script.computed(3, FIRST)).toEqual([...compute(3, SECOND)]);
    expect(script.computed(3, SECOND)).toEqual([sent(3, SECOND)]);
    expect(script.state.workQueue.samples).toBe(16);
  });

  it('that ends while there is no link is not sent', () => {
    const script = new Script().isReady();
    script.works(3, FIRST);
    script.works(3, SECOND, false);
    script.tell({ kind: 'closed', reason: 'cut' });
    expect(script.computed(3, FIRST)).toEqual([]);
    expect(script.isReady().works(4, FIRST)).toEqual([...compute(4, FIRST)]);
  });

  it('is bounded: a coordinator that assigns too many ranges is left', () => {
    const script = new Script().isReady();
    script.works(0, FIRST);
    for (let i = 0; i < 256; i++) script.works(0, FIRST, false);
    expect(script.works(0, FIRST, false).at(-1)).toMatchObject({ kind: 'end', exitReason: 'failed' });
  });

  it('goes on while pings are answered', () => {
    const script = new Script().isReady();
    script.works(0, FIRST);
    expect(script.hears({ kind: 'ping', id: 5 })).toEqual([
      { kind: 'send', message: { kind: 'pong', id: 5 } },
    ]);
  });

  it('that fails ends the worker, which tells the coordinator why', () => {
    const script = new Script().isReady();
    expect(script.tell({ kind: 'failed', reason: 'out of memory' })).toEqual([
      { kind: 'send', message: { kind: 'leave', reason: 'out of memory' } },
      { kind: 'close' },
      { kind: 'end', exitReason: 'failed', reason: 'out of memory' },
    ]);
  });
});

describe('the end of a worker', () => {
  it.each([
    ['a refusal', { kind: 'refuse', reason: 'wrong token' } as const, 'refused'],
    ['the end of the run', { kind: 'stop', reason: 'the run is finished' } as const, 'finished'],
    [
      'the end of a run that can be resumed',
      { kind: 'stop', reason: 'the run is interrupted', isUnfinished: true } as const,
      'interrupted',
    ],
  ])('follows %s, and later messages have no effect', (_what, message, exitReason) => {
    const script = new Script().isReady();
    script.works(0, FIRST);
    const { reason } = message;
    expect(script.hears(message)).toEqual([{ kind: 'close' }, { kind: 'end', exitReason, reason }]);
    expect(script.computed(0, FIRST)).toEqual([]);
    expect(script.tell({ kind: 'closed', reason: 'closed' })).toEqual([]);
    expect(script.tell({ kind: 'connect' })).toEqual([]);
  });

  it('follows when its user stops it', () => {
    const script = new Script().isReady();
    expect(script.tell({ kind: 'leave' })).toEqual([
      { kind: 'send', message: { kind: 'leave', reason: 'left by its user' } },
      { kind: 'close' },
      { kind: 'end', exitReason: 'left', reason: 'left by its user' },
    ]);
  });
});
