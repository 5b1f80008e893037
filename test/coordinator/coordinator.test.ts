import { describe, expect, it } from 'vitest';
import { Script } from './script.js';
import { hello } from './settings.js';

const FIRST = { from: 0, to: 4 };
const SECOND = { from: 4, to: 8 };

/** Two remote members at work on step 0, half of the leaves each. */
function twoAtWork(): Script {
  const script = new Script({ minWorkers: 2 });
  script.joins('a');
  expect(script.joins('b')).toEqual([
    'notice b joined (wasm); 2 at work',
    'a <- work 0 [0,4) + weights',
    'b <- work 0 [4,8) + weights',
  ]);
  return script;
}

describe('a node on its way in', () => {
  it('is challenged, let in, given the data it lacks, and put to work', () => {
    const script = new Script();
    expect(script.connects('a')).toEqual(['a <- challenge']);
    expect(script.says('a', hello('Ada'))).toEqual(['admit a', 'a <- run']);
    expect(script.says('a', { kind: 'need', chunks: [2, 0] })).toEqual([
      'a <- chunk 2 + chunk',
      'a <- chunk 0 + chunk',
    ]);
    expect(script.says('a', { kind: 'ready' })).toEqual([
      'notice Ada joined (wasm); 1 at work',
      'a <- work 0 [0,8) + weights',
    ]);
  });

  it.each([
    ['with a wrong token', hello('a', { proof: '0'.repeat(64) }), /^wrong token: copy the whole join line/],
    [
      'with wrong arithmetic',
      hello('a', { selfTest: [{ kernel: 'matmul', hash: '0'.repeat(64) }] }),
      /^its arithmetic differs in the kernel "\w+".*try --backend wasm$/,
    ],
    ['that is ready before it was let in', { kind: 'ready' } as const, /^it said ready out of turn$/],
    [
      'that wants data at once',
      { kind: 'need', chunks: [0] } as const,
      /^it asked for data that there is not$/,
    ],
  ])('is refused %s', (_what, message, reason) => {
    const script = new Script();
    script.connects('a');
    const [notice, refuse, drop, ...rest] = script.says('a', message);
    expect(refuse?.replace('a <- refuse: ', '')).toMatch(reason);
    const why = refuse?.replace('a <- refuse: ', '');
    expect([notice, drop, ...rest]).toEqual([`notice refused a: ${why}`, `drop a: ${why}`]);
    expect(script.state.members.size).toBe(0);
  });

  it('may not hand in sums: their slots are given back', () => {
    const script = twoAtWork();
    script.connects('c');
    expect(script.answers('c', 0, FIRST)).toEqual([
      'release 100',
      'notice refused c: its partial sums do not fit its work (not-owed)',
      'c <- refuse: its partial sums do not fit its work (not-owed)',
      'drop c: its partial sums do not fit its work (not-owed)',
    ]);
  });

  it('may not say hello twice, nor ask for a chunk beyond the last', () => {
    const script = new Script({ minWorkers: 3 });
    for (const id of ['a', 'b']) script.connects(id);
    script.says('a', hello('a'));
    script.says('b', hello('b'));
    expect(script.says('a', hello('a'))).toContain('a <- refuse: it said hello twice');
    expect(script.says('b', { kind: 'need', chunks: [2, 3] })).toContain(
      'b <- refuse: it asked for data that there is not',
    );
  });

  it('is waited for until there are as many as the run wants, but only before the first step', () => {
    const script = new Script({ minWorkers: 2 });
    expect(script.joins('a')).toEqual(['notice a joined (wasm); 1 at work']);
    script.joins('b');
    script.answers('a', 0, FIRST);
    script.answers('b', 0, SECOND);
    script.leaves('b');
    expect(script.tell({ kind: 'finished', metrics: [1] })).toEqual([
      'record 1: 32 samples, metrics 1, 1 members',
      'a <- work 1 [0,8) + weights',
    ]);
  });
});

describe('a round', () => {
  it('ends when all leaves are in, in whatever order they came', () => {
    const script = twoAtWork();
    expect(script.answers('b', 0, SECOND)).toEqual([]);
    expect(script.answers('a', 0, FIRST)).toEqual(['finish 0 with scalars 1: (2,1)@100 (2,0)@101']);
    expect(script.tell({ kind: 'finished', metrics: [0.5, 3] })).toEqual([
      'record 1: 32 samples, metrics 0.5 3, 2 members',
      'a <- work 1 [0,4) + weights',
      'b <- work 1 [4,8) + weights',
    ]);
  });

  it('hands leaves out in proportion to threads, and counts what each has done', () => {
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
    const { members } = script.state;
    expect([...members.values()].map(({ samples }) => samples)).toEqual([24, 8]);
  });

  it('takes the ragged end of an epoch for what it is, evaluates, and ends after the last step', () => {
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
    expect(script.tell({ kind: 'evaluated' })).toEqual(['complete finished']);
    expect([...script.state.members.values()].map(({ samples }) => samples)).toEqual([32 + 32 + 18]);
    expect(script.tell({ kind: 'interrupt' })).toEqual([]);
  });

  it('gives nothing to who joins meanwhile; the next one does', () => {
    const script = twoAtWork();
    expect(script.joins('c')).toEqual(['notice c joined (wasm); 3 at work']);
    script.answers('a', 0, FIRST);
    script.answers('b', 0, SECOND);
    expect(script.tell({ kind: 'finished', metrics: [1] }).slice(1)).toEqual([
      'a <- work 1 [0,3) + weights',
      'b <- work 1 [3,5) + weights',
      'c <- work 1 [5,8) + weights',
    ]);
  });

  it('needs no weights sent to those who share the memory', () => {
    const script = new Script({ minWorkers: 2 });
    script.joins('local', { local: true });
    expect(script.joins('b')).toEqual([
      'notice b joined (wasm); 2 at work',
      'local <- work 0 [0,4)',
      'b <- work 0 [4,8) + weights',
    ]);
  });
});

describe('who leaves', () => {
  it('before it answered: its leaves go to those who owe nothing, with weights only for who has none', () => {
    const script = twoAtWork();
    script.joins('c');
    script.answers('a', 0, FIRST);
    expect(script.leaves('b')).toEqual([
      'notice b left (gone); 2 at work',
      'a <- work 0 [4,6)',
      'c <- work 0 [6,8) + weights',
    ]);
    expect(script.answers('c', 0, { from: 6, to: 8 })).toEqual([]);
    expect(script.answers('a', 0, { from: 4, to: 6 })).toEqual([
      'finish 0 with scalars 1: (2,0)@100 (1,3)@101 (1,2)@102',
    ]);
  });

  it('when all others are busy: to one who is', () => {
    const script = twoAtWork();
    expect(script.leaves('b')).toEqual(['notice b left (gone); 1 at work', 'a <- work 0 [4,8)']);
  });

  it('after it answered: its sums count', () => {
    const script = twoAtWork();
    script.answers('a', 0, FIRST);
    expect(script.leaves('a')).toEqual(['notice a left (gone); 1 at work']);
    expect(script.answers('b', 0, SECOND)).toEqual(['finish 0 with scalars 1: (2,0)@100 (2,1)@101']);
    expect(script.state.departed.map(({ name, samples }) => [name, samples])).toEqual([['a', 16]]);
  });

  it('as the last one: the run waits, says so, and goes on with whoever joins', () => {
    const script = twoAtWork();
    script.answers('a', 0, FIRST);
    script.leaves('a');
    expect(script.leaves('b')).toEqual([
      'notice b left (gone); nobody is at work: the run waits for someone to join',
    ]);
    expect(script.tell({ kind: 'tick', nowMs: 500 })).toEqual([]);
    expect(script.joins('c')).toEqual(['notice c joined (wasm); 1 at work', 'c <- work 0 [4,8) + weights']);
    expect(script.answers('c', 0, SECOND)).toEqual(['finish 0 with scalars 1: (2,0)@100 (2,1)@101']);
  });

  it('while the step is finished: the next step does without it, or waits', () => {
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

  it('by a word of its own is dropped', () => {
    const script = twoAtWork();
    expect(script.says('b', { kind: 'leave', reason: 'tired' })).toEqual([
      'drop b: tired',
      'notice b left (tired); 1 at work',
      'a <- work 0 [4,8)',
    ]);
    expect(script.leaves('b')).toEqual([]);
  });
});

describe('an answer that does not fit', () => {
  it('of another step is let go without blame', () => {
    const script = twoAtWork();
    expect(script.answers('a', 7, FIRST)).toEqual(['release 100']);
    expect(script.state.members.has('a')).toBe(true);
  });

  it.each([
    ['a second time', (script: Script) => script.answers('a', 0, FIRST), 'not-owed', 101],
    ['of a range of another', (script: Script) => script.answers('a', 0, SECOND), 'not-owed', 101],
  ])('%s puts its sender out', (_what, answer, why, slot) => {
    const script = twoAtWork();
    script.answers('a', 0, FIRST);
    expect(answer(script)).toEqual([
      `release ${slot}`,
      `notice refused a: its partial sums do not fit its work (${why})`,
      `a <- refuse: its partial sums do not fit its work (${why})`,
      `drop a: its partial sums do not fit its work (${why})`,
      `notice a left (its partial sums do not fit its work (${why})); 1 at work`,
    ]);
    // What it had handed in rightly counts all the same.
    expect(script.answers('b', 0, SECOND)).toEqual(['finish 0 with scalars 1: (2,0)@100 (2,1)@102']);
  });

  it('with other nodes than the range has puts its sender out, and its leaves go to others', () => {
    const script = twoAtWork();
    const nodes = [{ level: 1, index: 0 }];
    const effects = script.says(
      'a',
      { kind: 'partials', step: 0, range: FIRST, nodes, computeMicros: 1 },
      [9],
    );
    expect(effects.at(0)).toBe('release 9');
    expect(effects.at(2)).toBe('a <- refuse: its partial sums do not fit its work (wrong-nodes)');
    expect(effects.at(-1)).toBe('b <- work 0 [0,4)');
  });

  it('of someone who is gone is let go', () => {
    const script = twoAtWork();
    script.leaves('a');
    expect(script.answers('a', 0, FIRST)).toEqual(['release 100']);
  });

  it('which is no message at all puts its sender out', () => {
    const script = twoAtWork();
    expect(script.tell({ kind: 'garbled', id: 'b', reason: 'not a message' }).slice(0, 3)).toEqual([
      'notice refused b: not a message',
      'b <- refuse: not a message',
      'drop b: not a message',
    ]);
  });
});

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
    expect(script.tell({ kind: 'evaluated' })).toEqual(['stride 3 with scalars 4 5: a [0,4), b [4,8)']);
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

describe('an interruption', () => {
  it('while waiting ends the run at once', () => {
    expect(new Script().tell({ kind: 'interrupt' })).toEqual(['complete interrupted']);
  });

  it('while striding ends it after the step under way', () => {
    const script = new Script();
    script.joins('a', { local: true });
    expect(script.tell({ kind: 'interrupt' })).toEqual(['interrupt-stride']);
    expect(script.tell({ kind: 'strided', metrics: [[5]], elapsedMs: 1 })).toEqual([
      'record 1: 32 samples, metrics 5, 1 members',
      'complete interrupted',
    ]);
  });

  it('in a round drops the half-done step: it could wait for ever', () => {
    const script = twoAtWork();
    script.answers('a', 0, FIRST);
    expect(script.tell({ kind: 'interrupt' })).toEqual(['complete interrupted']);
    expect(script.answers('b', 0, SECOND)).toEqual(['release 101']);
    expect(script.state.step).toBe(0);
  });

  it('while a step is finished or weights are evaluated lets that end', () => {
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
    expect(script.tell({ kind: 'evaluated' })).toEqual(['complete interrupted']);
  });
});

describe('signs of life', () => {
  it('are asked for; who gives none for three seconds is dropped, unless it shares the memory', () => {
    const script = new Script({ minWorkers: 3 });
    script.joins('local', { local: true });
    script.joins('a');
    script.joins('b');
    for (let nowMs = 500; nowMs <= 3000; nowMs += 500) {
      expect(script.tell({ kind: 'tick', nowMs })).toEqual(['a <- ping', 'b <- ping']);
      script.says('b', { kind: 'pong', id: 0 });
    }
    expect(script.tell({ kind: 'tick', nowMs: 3500 })).toEqual([
      'drop a: silent for 3 s',
      'notice a left (silent for 3 s); 2 at work',
      'b <- ping',
      'local <- work 0 [3,4)',
      'b <- work 0 [4,5)',
    ]);
  });

  it('are not missed from the time in which the coordinator itself stood still', () => {
    const script = twoAtWork();
    expect(script.tell({ kind: 'tick', nowMs: 60_000 })).toEqual([]);
    expect(script.tell({ kind: 'tick', nowMs: 60_500 })).toEqual(['a <- ping', 'b <- ping']);
  });

  it('a stranger proves itself within ten seconds, or is put out', () => {
    const script = new Script();
    script.connects('a');
    for (let nowMs = 500; nowMs <= 10_000; nowMs += 500) {
      expect(script.tell({ kind: 'tick', nowMs })).toEqual([]);
    }
    expect(script.tell({ kind: 'tick', nowMs: 10_500 })).toEqual([
      'notice refused a: no proof of the token in time',
      'a <- refuse: no proof of the token in time',
      'drop a: no proof of the token in time',
    ]);
  });
});
