import { describe, expect, it } from 'vitest';
import { FIRST, Script, SECOND, twoAtWork } from '../script.js';

describe('a member that leaves', () => {
  it('before it answered: its leaves go to members that owe nothing', () => {
    const script = new Script({ minWorkers: 3 });
    for (const id of ['a', 'b', 'c']) script.joins(id);
    script.answers('b', 0, { from: 3, to: 5 });
    script.answers('c', 0, { from: 5, to: 8 });
    expect(script.leaves('a')).toEqual([
      'notice a left (gone); 2 at work',
      'b <- work 0 [0,1)',
      'c <- work 0 [1,3)',
    ]);
  });

  it('before it answered: its leaves go to members that have answered before, if there are any', () => {
    const script = twoAtWork();
    script.joins('c');
    script.answers('a', 0, FIRST);
    expect(script.leaves('b')).toEqual(['notice b left (gone); 2 at work', 'a <- work 0 [4,8)']);
  });

  it('before anybody answered: its leaves go to a member that owes nothing, with weights if it has none', () => {
    const script = twoAtWork();
    script.joins('c');
    expect(script.leaves('b')).toEqual(['notice b left (gone); 2 at work', 'c <- work 0 [4,8) + weights']);
    script.answers('c', 0, SECOND);
    expect(script.answers('a', 0, FIRST)).toEqual(['finish 0 with scalars 1: (2,0)@101 (2,1)@100']);
  });

  it('while all others are busy: its leaves go to a busy one', () => {
    const script = twoAtWork();
    expect(script.leaves('b')).toEqual(['notice b left (gone); 1 at work', 'a <- work 0 [4,8)']);
  });

  it('after it answered: its sums count', () => {
    const script = twoAtWork();
    script.answers('a', 0, FIRST);
    expect(script.leaves('a')).toEqual(['notice a left (gone); 1 at work']);
    expect(script.answers('b', 0, SECOND)).toEqual(['finish 0 with scalars 1: (2,0)@100 (2,1)@101']);
    expect(script.state.membership.departed.map(({ name, samples }) => [name, samples])).toEqual([['a', 16]]);
  });

  it('as the last one: the run reports that it waits, and continues with the next member that joins', () => {
    const script = twoAtWork();
    script.answers('a', 0, FIRST);
    script.leaves('a');
    expect(script.leaves('b')).toEqual([
      'notice b left (gone); nobody is at work: the run waits for someone to join',
    ]);
    expect(script.tick(500)).toEqual([]);
    expect(script.joins('c')).toEqual(['notice c joined (wasm); 1 at work', 'c <- work 0 [4,8) + weights']);
    expect(script.answers('c', 0, SECOND)).toEqual(['finish 0 with scalars 1: (2,0)@100 (2,1)@101']);
  });

  it('while the step is finished: the next step begins without it, or waits', () => {
    const script = twoAtWork();
    script.answers('a', 0, FIRST);
    script.answers('b', 0, SECOND);
    script.leaves('a');
    expect(script.leaves('b')).toHaveLength(1);
    expect(script.tell({ kind: 'finished', metrics: [1] })).toEqual([
      'record 1: 32 samples, metrics 1, 0 members',
    ]);
    expect(script.joins('c')).toContain('c <- work 1 [0,8) + weights');
  });

  it('by a leave message: its link is closed', () => {
    const script = twoAtWork();
    expect(script.says('b', { kind: 'leave', reason: 'tired' })).toEqual([
      'drop b: tired',
      'notice b left (tired); 1 at work',
      'a <- work 0 [4,8)',
    ]);
    expect(script.leaves('b')).toEqual([]);
  });
});

describe('an interruption', () => {
  it('while waiting ends the run at once', () => {
    expect(new Script().tell({ kind: 'interrupt' })).toEqual(['complete interrupted']);
  });

  it('during an execution ends the run after the step under way', () => {
    const script = new Script();
    script.joins('a', { local: true });
    expect(script.tell({ kind: 'interrupt' })).toEqual(['interrupt-execution']);
    expect(script.tell({ kind: 'executed', metrics: [[5]], elapsedMs: 1 })).toEqual([
      'record 1: 32 samples, metrics 5, 1 members',
      'complete interrupted',
    ]);
  });

  it('during a distributed step drops the unfinished step, which could wait forever', () => {
    const script = twoAtWork();
    script.answers('a', 0, FIRST);
    expect(script.tell({ kind: 'interrupt' })).toEqual(['complete interrupted']);
    expect(script.answers('b', 0, SECOND)).toEqual(['release 101']);
    expect(script.state.training.step).toBe(0);
  });

  it('while a step is finished or weights are evaluated lets that end first', () => {
    const script = new Script({ steps: 9 });
    script.joins('a');
    for (const step of [0, 1]) {
      script.answers('a', step, { from: 0, to: 8 });
      script.tell({ kind: 'finished', metrics: [1] });
    }
    script.answers('a', 2, { from: 0, to: 5 }, 5);
    expect(script.tell({ kind: 'interrupt' })).toEqual([]);
    expect(script.tell({ kind: 'finished', metrics: [1] }).at(-1)).toBe('evaluate 3');
    expect(script.tell({ kind: 'interrupt' })).toEqual([]);
    expect(script.tell({ kind: 'evaluated', means: { loss: 1 } })).toEqual(['complete interrupted']);
  });
});
