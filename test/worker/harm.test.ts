import { describe, expect, it } from 'vitest';
import type { Range } from '../../shared/sum/leaves.js';
import type { NodeEffect } from '../../worker/messages.js';
import { runMessage } from '../coordinator/settings.js';
import { compute, handedIn, Script } from './script.js';

const FIRST = { from: 0, to: 4 };
const SECOND = { from: 4, to: 8 };

describe('a coordinator that knows the token, and is broken or means harm', () => {
  const ending = (effects: readonly NodeEffect[]): string => {
    const last = effects.at(-1);
    return last?.kind === 'end' ? `${last.ending}: ${last.reason}` : 'the node goes on';
  };

  it('cannot make a node ready with one chunk in place of another', () => {
    const script = new Script().joins();
    script.isPrepared([0, 1]);
    const sound = (index: number) => script.tell({ kind: 'stored', index, sound: true });
    script.hears({ kind: 'chunk', index: 0 });
    expect(sound(0)).toEqual([]);
    expect(ending(script.hears({ kind: 'chunk', index: 0 }))).toBe(
      'failed: the coordinator sent "chunk" out of turn',
    );
  });

  it('cannot do so with chunks that come before the first of them is laid down', () => {
    const script = new Script().joins();
    script.isPrepared([0, 1]);
    script.hears({ kind: 'chunk', index: 0 });
    script.hears({ kind: 'chunk', index: 0 });
    expect(script.tell({ kind: 'stored', index: 0, sound: true })).toEqual([]);
    expect(ending(script.tell({ kind: 'stored', index: 0, sound: true }))).toBe(
      'failed: the coordinator sent chunk 0 of the data twice',
    );
  });

  it('cannot have chunks laid down that nobody asked for', () => {
    const script = new Script().joins();
    script.isPrepared([1]);
    expect(ending(script.hears({ kind: 'chunk', index: 0 }))).toMatch(/"chunk" out of turn/);
  });

  // The script's batches have eight leaves, the last one of an epoch five.
  it.each([
    [0, { from: 8, to: 9 }, 'leaves 8 to 9 of a step that has 8'],
    [2, { from: 0, to: 6 }, 'leaves 0 to 6 of a step that has 5'],
    [0, { from: 0, to: 2 ** 24 }, 'leaves 0 to 16777216 of a step that has 8'],
    [2 ** 40, { from: 0, to: 1 }, 'step 1099511627776, which is in no epoch'],
  ])('has its work refused of step %i, leaves %o', (step, range, what) => {
    const script = new Script().isReady();
    expect(ending(script.works(step, range))).toBe(`failed: the coordinator handed out ${what}`);
  });

  it('cannot have groups of samples cut', () => {
    const settings = { ...runMessage().settings, granule: 2 };
    const ask = (step: number, range: Range): string => {
      const script = new Script().joins(runMessage({ settings }));
      script.isPrepared([]);
      return ending(script.works(step, range));
    };
    expect(ask(0, { from: 1, to: 4 })).toMatch(/leaves 1 to 4, which cut a group of 2/);
    expect(ask(0, { from: 0, to: 3 })).toMatch(/leaves 0 to 3, which cut a group of 2/);
    expect(ask(2, { from: 4, to: 5 })).toBe('the node goes on');
  });

  it('has weights refused that are of another size, before they wait for anything', () => {
    const script = new Script().isReady();
    const work = { kind: 'work', step: 0, range: FIRST, weights: true } as const;
    expect(ending(script.hears(work, new Uint8Array(9)))).toBe(
      'failed: the coordinator handed out weights of 9 bytes in place of 8',
    );
  });

  it.each([
    ['none came', (script: Script) => script],
    [
      'the link was another',
      (script: Script) => {
        script.works(0, FIRST);
        script.computed(0, FIRST);
        script.tell({ kind: 'closed', reason: 'cut' });
        return script.isReady();
      },
    ],
  ])('has work refused without weights where %s', (_what, come) => {
    const script = come(new Script().isReady());
    expect(ending(script.works(0, SECOND, false))).toBe(
      'failed: the coordinator handed out work of step 0 without its weights',
    );
  });

  it('cannot make it hold more than one set of weights', () => {
    const script = new Script().isReady();
    for (let i = 0; i < 1000; i++) script.works(0, i % 2 === 0 ? FIRST : SECOND);
    expect(script.state.queue).toHaveLength(1);
    expect(script.computed(0, FIRST)).toEqual([handedIn(0, FIRST), compute(0, SECOND)]);
  });
});
