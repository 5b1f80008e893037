import { describe, expect, it } from 'vitest';
import { FIRST, Script, SECOND, twoAtWork } from './script.js';
import { hello } from './settings.js';

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

describe('signs of life', () => {
  it('are asked for; who gives none for three seconds is dropped, unless it shares the memory', () => {
    const script = new Script({ minWorkers: 3 });
    script.joins('local', { local: true });
    script.joins('a');
    script.joins('b');
    for (let nowMs = 500; nowMs <= 3000; nowMs += 500) {
      expect(script.tick(nowMs)).toEqual(['a <- ping', 'b <- ping']);
      script.says('b', { kind: 'pong', id: 0 });
    }
    expect(script.tick(3500)).toEqual([
      'drop a: silent for 3 s',
      'notice a left (silent for 3 s); 2 at work',
      'b <- ping',
      'local <- work 0 [3,4)',
      'b <- work 0 [4,5)',
    ]);
  });

  it('that nobody asked for are forgiven a few times, and then put out', () => {
    const script = twoAtWork();
    script.tick(500);
    const answers = Array.from({ length: 20 }, () => script.says('b', { kind: 'pong', id: 0 }));
    expect(answers.findIndex((lines) => lines.length > 0)).toBe(17);
    expect(answers[17]?.[0]).toBe('notice refused b: it answered pings that nobody sent');
    expect(script.state.members.has('b')).toBe(false);
  });

  it('are not missed from the time in which the coordinator itself stood still', () => {
    const script = twoAtWork();
    expect(script.tick(60_000)).toEqual([]);
    expect(script.tick(60_500)).toEqual(['a <- ping', 'b <- ping']);
  });

  it('a stranger proves itself within ten seconds, or is put out', () => {
    const script = new Script();
    script.connects('a');
    for (let nowMs = 500; nowMs <= 10_000; nowMs += 500) {
      expect(script.tick(nowMs)).toEqual([]);
    }
    expect(script.tick(10_500)).toEqual([
      'notice refused a: no proof of the token in time',
      'a <- refuse: no proof of the token in time',
      'drop a: no proof of the token in time',
    ]);
  });
});
