import { describe, expect, it } from 'vitest';
import type { LeafRange } from '../../shared/reduction/tree.js';
import type { WorkerEffect } from '../../worker/messages.js';
import { runMessage } from '../coordinator/settings.js';
import { compute, Script, sent } from './script.js';

const FIRST = { from: 0, to: 4 };
const SECOND = { from: 4, to: 8 };

describe('a broken or malicious coordinator that knows the token', () => {
  const exitReason = (effects: readonly WorkerEffect[]): string => {
    const last = effects.at(-1);
    return last?.kind === 'end' ? `${last.exitReason}: ${last.reason}` : 'the worker goes on';
  };

  it('cannot make a worker ready by sending one chunk twice', () => {
    const script = new Script().joins();
    script.isPrepared([2, 0, 1]);
    script.tell({ kind: 'stored', index: 2, isValid: true });
    script.hears({ kind: 'fetch' });
    const stored = (index: number) => script.tell({ kind: 'stored', index, isValid: true });
    script.hears({ kind: 'chunk', index: 0 });
    expect(stored(0)).toEqual([]);
    expect(exitReason(script.hears({ kind: 'chunk', index: 0 }))).toBe(
      'failed: the coordinator sent "chunk" out of turn',
    );
  });

  it('cannot do so with a second copy that arrives before the first one is stored', () => {
    const script = new Script().joins();
    script.isPrepared([2, 0, 1]);
    script.tell({ kind: 'stored', index: 2, isValid: true });
    script.hears({ kind: 'fetch' });
    script.hears({ kind: 'chunk', index: 0 });
    script.hears({ kind: 'chunk', index: 0 });
    expect(script.tell({ kind: 'stored', index: 0, isValid: true })).toEqual([]);
    expect(exitReason(script.tell({ kind: 'stored', index: 0, isValid: true }))).toBe(
      'failed: the coordinator sent chunk 0 of the data twice',
    );
  });

  it('cannot have chunks stored that were not requested', () => {
    const script = new Script().joins();
    script.isPrepared([1]);
    expect(exitReason(script.hears({ kind: 'chunk', index: 0 }))).toMatch(/"chunk" out of turn/);
  });

  // The script's batches have eight leaves, the last one of an epoch five.
  it.each([
    [0, { from: 8, to: 9 }, 'leaves 8 to 9 of a step that has 8'],
    [2, { from: 0, to: 6 }, 'leaves 0 to 6 of a step that has 5'],
    [0, { from: 0, to: 2 ** 24 }, 'leaves 0 to 16777216 of a step that has 8'],
    [2 ** 40, { from: 0, to: 1 }, 'step 1099511627776, which is in no epoch'],
  ])('cannot assign step %i, leaves %o', (step, range, what) => {
    const script = new Script().isReady();
    expect(exitReason(script.works(step, range))).toBe(`failed: the coordinator assigned ${what}`);
  });

  it('cannot have groups of samples split', () => {
    const settings = { ...runMessage().settings, leavesPerGroup: 2 };
    const ask = (step: number, range: LeafRange): string => {
      const script = new Script().joins(runMessage({ settings }));
      script.isPrepared([]);
      return exitReason(script.works(step, range));
    };
    expect(ask(0, { from: 1, to: 4 })).toMatch(/leaves 1 to 4, which split a group of 2/);
    expect(ask(0, { from: 0, to: 3 })).toMatch(/leaves 0 to 3, which split a group of 2/);
    expect(ask(2, { from: 4, to: 5 })).toBe('the worker goes on');
  });

  it('cannot send weights of the wrong size', () => {
    const script = new Script().isReady();
    const work = { kind: 'work', step: 0, range: FIRST, weights: true } as const;
    expect(exitReason(script.hears(work, new Uint8Array(9)))).toBe(
      'failed: the coordinator assigned weights of 9 bytes instead of 8',
    );
  });

  it.each([
    ['no weights have arrived', (script: Script) => script],
    [
      'they arrived over an earlier link',
      (script: Script) => {
        script.works(0, FIRST);
        script.computed(0, FIRST);
        script.tell({ kind: 'closed', reason: 'cut' });
        return script.isReady();
      },
    ],
  ])('cannot assign work without weights when %s', (_what, come) => {
    const script = come(new Script().isReady());
    expect(exitReason(script.works(0, SECOND, false))).toBe(
      'failed: the coordinator assigned work of step 0 without its weights',
    );
  });

  it('cannot make a worker hold more than one set of weights', () => {
    const script = new Script().isReady();
    for (let i = 0; i < 1000; i++) script.works(0, i % 2 === 0 ? FIRST : SECOND);
    expect(script.state.workQueue.waiting).toHaveLength(1);
    expect(script.computed(0, FIRST)).toEqual([sent(0, FIRST), ...compute(0, SECOND)]);
  });
});
