import { describe, expect, it } from 'vitest';
import { pause, resume } from '../../coordinator/training-loop.js';
import { Script } from './script.js';
import { hello, runSettings } from './settings.js';

describe('observers', () => {
  it('are told when steps are trained, at first and after a pause, so that no wait counts as training', () => {
    const script = new Script({ minWorkers: 2 });
    script.joins('a', { local: true });
    script.connects('b', true);
    script.says('b', hello('b'));
    const ready = { kind: 'received', id: 'b', message: { kind: 'ready' }, buffers: [] } as const;
    script.nowMs = 2500;
    const [waited, first, second] = script.tellAll(ready);
    expect([waited, first, second]).toEqual([
      'waited 2500 ms',
      'begin after 0',
      expect.stringMatching(/^execution 0 /),
    ]);
    pause(script.state);
    const executed = script.tellAll({ kind: 'executed', metrics: [[5], [4]], elapsedMs: 2 });
    expect(executed.filter((line) => /^(begin|execution)/.test(line))).toEqual([]);
    resume(script.state);
    script.nowMs += 1000;
    expect(script.tellAll({ kind: 'woken' })).toEqual([
      'waited 1000 ms',
      'begin after 2',
      expect.stringMatching(/^execution 2 /),
    ]);
    expect(script.tellAll({ kind: 'executed', metrics: [[3]], elapsedMs: 1 })).not.toContain('begin after 3');
    expect(script.tellAll({ kind: 'evaluated', means: { loss: 1 } })).not.toContain('begin after 3');
  });
});

describe('executions, while all members are local', () => {
  /** Two local members that execute the first two steps: the third has another batch size. */
  function executing(): Script {
    const script = new Script({ minWorkers: 2 });
    script.joins('a', { local: true });
    expect(script.joins('b', { local: true })).toEqual(['execution 0 with scalars 1 2: a [0,4), b [4,8)']);
    return script;
  }

  it('end before the ragged batch of the epoch, which has its own execution, and an evaluation separates epochs', () => {
    const script = executing();
    expect(script.tell({ kind: 'executed', metrics: [[5], [4]], elapsedMs: 2 })).toEqual([
      'record 1: 32 samples, metrics 5, 2 members',
      'record 2: 32 samples, metrics 4, 2 members',
      'execution 2 with scalars 3: a [0,3), b [3,5)',
    ]);
    expect(script.tell({ kind: 'executed', metrics: [[3]], elapsedMs: 1 })).toEqual([
      'record 3: 18 samples, metrics 3, 2 members',
      'evaluate 3',
    ]);
    expect(script.tell({ kind: 'evaluated', means: { loss: 1 } })).toEqual([
      'execution 3 with scalars 4 5: a [0,4), b [4,8)',
    ]);
    expect([...script.state.membership.members.values()].map(({ samples }) => samples)).toEqual([44, 38]);
  });

  it('of steps whose time nobody knows end at the next step after a while, so that long steps are told', () => {
    const script = executing();
    expect(script.tick(500)).toEqual(['interrupt-execution']);
    expect(script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 900 })).toEqual([
      'record 1: 32 samples, metrics 5, 2 members',
      'execution 1 with scalars 2: a [0,4), b [4,8)',
    ]);
    expect(script.tick(1000)).toEqual([]);
  });

  it('are interrupted for a remote member once it has rehearsed; steps that are done count, and distributed steps follow', () => {
    const script = executing();
    expect(script.joins('c')).toEqual(['notice c joined (wasm); 3 at work']);
    expect(script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 1 })).toEqual([
      'record 1: 32 samples, metrics 5, 3 members',
      'c <- rehearsal 1 [5,8) + weights',
      'execution 1 with scalars 2: a [0,4), b [4,8)',
    ]);
    script.nowMs = 3;
    expect(script.answers('c', 1, { from: 5, to: 8 })).toEqual(['release 100 101', 'interrupt-execution']);
    expect(script.tell({ kind: 'executed', metrics: [], elapsedMs: 0 })).toEqual([
      'a <- work 1 [0,2)',
      'b <- work 1 [2,6)',
      'c <- work 1 [6,8) + weights',
    ]);
  });

  it('go on while a remote member does not answer its rehearsal, and are not followed by another one', () => {
    const script = executing();
    script.joins('c');
    script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 1 });
    script.nowMs = 5000;
    expect(script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 1 })).toEqual([
      'record 2: 32 samples, metrics 5, 3 members',
      'execution 2 with scalars 3: a [0,3), b [3,5)',
    ]);
  });

  it('and distributed steps take the learning rate of each step', () => {
    const optimizer = {
      ...runSettings().optimizer,
      update: (state: object, rate: number) => ({ state: { ...state }, scalars: [rate] }),
    };
    const script = new Script({ optimizer, learningRate: (stepsDone) => 10 * (stepsDone + 1) });
    expect(script.joins('a', { local: true })).toEqual(['execution 0 with scalars 10 20: a [0,8)']);
    script.joins('b', { rehearsed: true });
    script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 1 });
    script.answers('a', 1, { from: 0, to: 4 });
    expect(script.answers('b', 1, { from: 4, to: 8 }).join()).toContain('finish 1 with scalars 20');
  });

  it('end with the run when the sums of a step are not finite: that step is not done', () => {
    const script = executing();
    expect(script.tell({ kind: 'executed', metrics: [[4]], isBroken: true, elapsedMs: 2 })).toEqual([
      'record 1: 32 samples, metrics 4, 2 members',
      'complete diverged',
    ]);
    expect(script.state.training.step).toBe(1);
  });

  it('end with the run when the loss of an evaluation is not finite', () => {
    const script = executing();
    script.tell({ kind: 'executed', metrics: [[5], [4]], elapsedMs: 2 });
    script.tell({ kind: 'executed', metrics: [[3]], elapsedMs: 1 });
    expect(script.tell({ kind: 'evaluated', means: { loss: Number.NaN } })).toEqual(['complete diverged']);
  });

  it('that were interrupted before their first step begin again', () => {
    const script = executing();
    expect(script.tell({ kind: 'executed', metrics: [], elapsedMs: 0 })).toEqual([
      'execution 0 with scalars 1 2: a [0,4), b [4,8)',
    ]);
    expect(script.state.training.msPerStep).toBeUndefined();
  });

  it('follow when the last remote member has left', () => {
    const script = executing();
    script.joins('c', { rehearsed: true });
    script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 1 });
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
      'execution 2 with scalars 3: a [0,3), b [3,5)',
    );
  });
});
