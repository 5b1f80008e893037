import { describe, expect, it } from 'vitest';
import { Script } from './script.js';
import { runSettings } from './settings.js';

describe('strides, while all share the memory', () => {
  /** Two local members, striding over the first two steps: the third has another size. */
  function striding(): Script {
    const script = new Script({ minWorkers: 2 });
    script.joins('a', { local: true });
    expect(script.joins('b', { local: true })).toEqual(['stride 0 with scalars 1 2: a [0,4), b [4,8)']);
    return script;
  }

  it('reach to the ragged end of the epoch, then over it, with an evaluation between epochs', () => {
    const script = striding();
    expect(script.tell({ kind: 'strided', metrics: [[5], [4]], elapsedMs: 2 })).toEqual([
      'record 1: 32 samples, metrics 5, 2 members',
      'record 2: 32 samples, metrics 4, 2 members',
      'stride 2 with scalars 3: a [0,3), b [3,5)',
    ]);
    expect(script.tell({ kind: 'strided', metrics: [[3]], elapsedMs: 1 })).toEqual([
      'record 3: 18 samples, metrics 3, 2 members',
      'evaluate 3',
    ]);
    expect(script.tell({ kind: 'evaluated', means: { loss: 1 } })).toEqual([
      'stride 3 with scalars 4 5: a [0,4), b [4,8)',
    ]);
    expect([...script.state.members.values()].map(({ samples }) => samples)).toEqual([44, 38]);
  });

  it('are cut short for a remote member; what was done counts, and rounds follow', () => {
    const script = striding();
    expect(script.joins('c')).toEqual(['notice c joined (wasm); 3 at work', 'interrupt-stride']);
    expect(script.tell({ kind: 'strided', metrics: [[5]], elapsedMs: 1 })).toEqual([
      'record 1: 32 samples, metrics 5, 3 members',
      'a <- work 1 [0,3)',
      'b <- work 1 [3,5)',
      'c <- work 1 [5,8) + weights',
    ]);
  });

  it('and rounds take the learning rate of each step', () => {
    const optimizer = {
      ...runSettings().optimizer,
      update: (state: object, rate: number) => ({ state: { ...state }, scalars: [rate] }),
    };
    const script = new Script({ optimizer, learningRate: (stepsDone) => 10 * (stepsDone + 1) });
    expect(script.joins('a', { local: true })).toEqual(['stride 0 with scalars 10 20: a [0,8)']);
    script.joins('b');
    script.tell({ kind: 'strided', metrics: [[5]], elapsedMs: 1 });
    script.answers('a', 1, { from: 0, to: 4 });
    expect(script.answers('b', 1, { from: 4, to: 8 }).join()).toContain('finish 1 with scalars 20');
  });

  it('end with the run when the sums of a step are not finite: that step was not done', () => {
    const script = striding();
    expect(script.tell({ kind: 'strided', metrics: [[4]], isBroken: true, elapsedMs: 2 })).toEqual([
      'record 1: 32 samples, metrics 4, 2 members',
      'complete diverged',
    ]);
    expect(script.state.step).toBe(1);
  });

  it('end with the run when an evaluation shows that the weights are of no use', () => {
    const script = striding();
    script.tell({ kind: 'strided', metrics: [[5], [4]], elapsedMs: 2 });
    script.tell({ kind: 'strided', metrics: [[3]], elapsedMs: 1 });
    expect(script.tell({ kind: 'evaluated', means: { loss: Number.NaN } })).toEqual(['complete diverged']);
  });

  it('that were cut short before their first step are begun again', () => {
    const script = striding();
    expect(script.tell({ kind: 'strided', metrics: [], elapsedMs: 0 })).toEqual([
      'stride 0 with scalars 1 2: a [0,4), b [4,8)',
    ]);
    expect(script.state.msPerStep).toBeUndefined();
  });

  it('come again when the last remote member has left', () => {
    const script = striding();
    script.joins('c');
    script.tell({ kind: 'strided', metrics: [[5]], elapsedMs: 1 });
    script.answers('a', 1, { from: 0, to: 3 });
    script.answers('b', 1, { from: 3, to: 5 });
    expect(script.leaves('c')).toEqual([
      'notice c left (gone); 2 at work',
      'a <- work 1 [5,7)',
      'b <- work 1 [7,8)',
    ]);
    script.answers('a', 1, { from: 5, to: 7 });
    script.answers('b', 1, { from: 7, to: 8 });
    expect(script.tell({ kind: 'finished', metrics: [1] }).at(-1)).toBe(
      'stride 2 with scalars 3: a [0,3), b [3,5)',
    );
  });
});
