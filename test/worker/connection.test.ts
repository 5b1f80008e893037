import { describe, expect, it } from 'vitest';
import type { WorkerEffect } from '../../worker/messages.js';
import { NONCE } from '../coordinator/settings.js';
import { CHALLENGE, Script } from './script.js';

const FIRST = { from: 0, to: 4 };

describe('a lost coordinator', () => {
  it('is retried with growing delays up to a bound, and then given up', () => {
    const script = new Script();
    const delays: number[] = [];
    let last: readonly WorkerEffect[] = [];
    while (script.state.phase !== 'ended') {
      expect(script.tell({ kind: 'connect' })).toEqual([{ kind: 'connect' }]);
      last = script.tell({ kind: 'closed', reason: 'nobody there' });
      for (const effect of last) if (effect.kind === 'connect-after') delays.push(effect.delayMs);
    }
    expect(delays).toEqual([250, 500, 1000, 2000, 4000, ...new Array(10).fill(5000)]);
    expect(last.at(-1)).toEqual({
      kind: 'end',
      exitReason: 'lost',
      reason: 'no coordinator after 16 attempts (nobody there)',
    });
  });

  it('is reported, and failures are counted from zero once the worker was ready', () => {
    const script = new Script();
    for (const reason of ['one', 'two']) {
      script.tell({ kind: 'connect' });
      script.tell({ kind: 'closed', reason });
    }
    script.isReady();
    expect(script.tell({ kind: 'closed', reason: 'cut' })).toEqual([
      { kind: 'notice', text: 'no coordinator (cut); trying again in 0.25 s' },
      { kind: 'connect-after', delayMs: 250 },
    ]);
  });
});

describe('a refusal for a time', () => {
  const reason = 'it was expelled once';
  /** A worker that was refused at its hello. */
  const refused = (script: Script, retryAfterMs: number): readonly WorkerEffect[] => {
    script.tell({ kind: 'connect' });
    script.tell({ kind: 'opened', nonce: NONCE });
    script.hears(CHALLENGE);
    expect(script.hears({ kind: 'refuse', reason, retryAfterMs })).toEqual([{ kind: 'close' }]);
    return script.tell({ kind: 'closed', reason: 'closed by this end' });
  };

  it('is reported in one line, and the worker joins when it is over', () => {
    const script = new Script();
    expect(refused(script, 10_000)).toEqual([
      { kind: 'notice', text: `refused for now (${reason}); trying again in 10 s` },
      { kind: 'connect-after', delayMs: 10_000 },
    ]);
    script.isReady();
    expect(script.state.phase).toBe('working');
    expect(script.tell({ kind: 'closed', reason: 'cut' }).at(-1)).toEqual({
      kind: 'connect-after',
      delayMs: 250,
    });
  });

  it('of a member ends what it computes, and nothing that was said before is heard again', () => {
    const script = new Script().isReady();
    script.works(0, FIRST);
    expect(script.hears({ kind: 'refuse', reason: 'the run is full', retryAfterMs: 30_000 })).toEqual([
      { kind: 'close' },
    ]);
    expect(script.tell({ kind: 'closed', reason: 'closed by this end' }).slice(-2)).toEqual([
      { kind: 'notice', text: 'refused for now (the run is full); trying again in 30 s' },
      { kind: 'connect-after', delayMs: 30_000 },
    ]);
    expect(script.computed(0, FIRST)).toEqual([]);
  });

  it('lasts at least as long as a lost link, and the worker gives up after as many attempts', () => {
    const script = new Script();
    const waits: number[] = [];
    let last: readonly WorkerEffect[] = [];
    while (script.state.phase !== 'ended') {
      last = refused(script, 1000);
      for (const effect of last) if (effect.kind === 'connect-after') waits.push(effect.delayMs);
    }
    expect(waits).toEqual([1000, 1000, 1000, 2000, 4000, ...new Array(10).fill(5000)]);
    expect(last.at(-1)).toEqual({
      kind: 'end',
      exitReason: 'refused',
      reason: `refused after 16 attempts (${reason})`,
    });
  });
});
