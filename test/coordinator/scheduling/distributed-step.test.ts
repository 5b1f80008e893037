import { describe, expect, it } from 'vitest';
import { FIRST, Script, SECOND, twoAtWork } from '../script.js';

describe('a distributed step', () => {
  it('ends when all leaves are in, in any order', () => {
    const script = twoAtWork();
    expect(script.answers('b', 0, SECOND)).toEqual([]);
    expect(script.answers('a', 0, FIRST)).toEqual(['finish 0 with scalars 1: (2,0)@101 (2,1)@100']);
    expect(script.tell({ kind: 'finished', metrics: [0.5, 3] })).toEqual([
      'record 1: 32 samples, metrics 0.5 3, 2 members',
      'a <- work 1 [0,4) + weights',
      'b <- work 1 [4,8) + weights',
    ]);
  });

  it('assigns leaves in proportion to threads, and credits the samples of each member', () => {
    const script = new Script({ minWorkers: 2 });
    script.joins('a', { threads: 3 });
    expect(script.joins('b')).toEqual([
      'notice b joined (wasm); 2 at work',
      'a <- work 0 [0,6) + weights',
      'b <- work 0 [6,8) + weights',
    ]);
    script.answers('a', 0, { from: 0, to: 6 });
    expect(script.answers('b', 0, { from: 6, to: 8 })).toEqual([
      'finish 0 with scalars 1: (2,0)@100 (1,2)@101 (1,3)@102',
    ]);
    const { members } = script.state.membership;
    expect([...members.values()].map(({ samples }) => samples)).toEqual([24, 8]);
  });

  it('has fewer leaves at the ragged end of an epoch; an evaluation follows, and the run ends after the last step', () => {
    const script = new Script({ steps: 3 });
    script.joins('a');
    for (const step of [0, 1]) {
      script.answers('a', step, { from: 0, to: 8 });
      script.tell({ kind: 'finished', metrics: [1] });
    }
    expect(script.answers('a', 2, { from: 0, to: 5 }, 5)).toEqual(['finish 2 with scalars 3: (3,0)@102']);
    expect(script.tell({ kind: 'finished', metrics: [1] })).toEqual([
      'record 3: 18 samples, metrics 1, 1 members',
      'evaluate 3',
    ]);
    expect(script.tell({ kind: 'evaluated', means: { loss: 1 } })).toEqual(['complete finished']);
    expect([...script.state.membership.members.values()].map(({ samples }) => samples)).toEqual([
      32 + 32 + 18,
    ]);
    expect(script.tell({ kind: 'interrupt' })).toEqual([]);
  });

  it('gives no leaves to a member that joins meanwhile; the next step does', () => {
    const script = twoAtWork();
    expect(script.joins('c', { rehearsed: true })).toEqual(['notice c joined (wasm); 3 at work']);
    script.answers('a', 0, FIRST);
    script.answers('b', 0, SECOND);
    expect(script.tell({ kind: 'finished', metrics: [1] }).slice(1)).toEqual([
      'a <- work 1 [0,3) + weights',
      'b <- work 1 [3,5) + weights',
      'c <- work 1 [5,8) + weights',
    ]);
  });

  it('sends no weights to local workers', () => {
    const script = new Script({ minWorkers: 2 });
    script.joins('local', { local: true });
    expect(script.joins('b', { rehearsed: true })).toEqual([
      'notice b joined (wasm); 2 at work',
      'local <- work 0 [0,4)',
      'b <- work 0 [4,8) + weights',
    ]);
  });
});

describe('an answer that was not asked for', () => {
  it('of another step is released, and the member stays', () => {
    const script = twoAtWork();
    expect(script.answers('a', 7, FIRST)).toEqual(['release 100']);
    expect(script.state.membership.members.has('a')).toBe(true);
  });

  it.each([
    ['sent a second time', (script: Script) => script.answers('a', 0, FIRST), 'not-owed', 101],
    ['of the range of another member', (script: Script) => script.answers('a', 0, SECOND), 'not-owed', 101],
  ])('%s gets its member refused', (_what, answer, why, buffer) => {
    const script = twoAtWork();
    script.answers('a', 0, FIRST);
    expect(answer(script)).toEqual([
      `release ${buffer}`,
      `notice refused a: its partial sums do not match its task (${why})`,
      `a <- refuse: its partial sums do not match its task (${why})`,
      `drop a: its partial sums do not match its task (${why})`,
      `notice a left (its partial sums do not match its task (${why})); 1 at work`,
    ]);
    // Its first answer counts nevertheless.
    expect(script.answers('b', 0, SECOND)).toEqual(['finish 0 with scalars 1: (2,0)@100 (2,1)@102']);
  });

  it('with other nodes than those of its range gets its member refused, and its leaves go to others', () => {
    const script = twoAtWork();
    const nodes = [{ level: 1, index: 0 }];
    const effects = script.says(
      'a',
      { kind: 'partial-sums', step: 0, range: FIRST, nodes, computeMicros: 1 },
      [9],
    );
    expect(effects.at(0)).toBe('release 9');
    expect(effects.at(2)).toBe('a <- refuse: its partial sums do not match its task (wrong-nodes)');
    expect(effects.at(-1)).toBe('b <- work 0 [0,4)');
  });

  it('of a member that is gone is released', () => {
    const script = twoAtWork();
    script.leaves('a');
    expect(script.answers('a', 0, FIRST)).toEqual(['release 100']);
  });

  it('that is not a message gets its member refused', () => {
    const script = twoAtWork();
    expect(script.tell({ kind: 'garbled', id: 'b', reason: 'not a message' }).slice(0, 3)).toEqual([
      'notice refused b: not a message',
      'b <- refuse: not a message',
      'drop b: not a message',
    ]);
  });
});
