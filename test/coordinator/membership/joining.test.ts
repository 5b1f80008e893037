import { describe, expect, it } from 'vitest';
import { FIRST, Script, SECOND, twoAtWork } from '../script.js';
import { hello } from '../settings.js';

describe('a worker that joins', () => {
  it('is challenged, admitted, sent the data that it lacks, and given work', () => {
    const script = new Script();
    expect(script.connects('a')).toEqual(['a <- challenge']);
    expect(script.says('a', hello('Ada'))).toEqual(['admit a', 'a <- run']);
    expect(script.says('a', { kind: 'need', chunks: [2, 0] })).toEqual(['a <- chunk 2']);
    expect(script.tell({ kind: 'data-due' })).toEqual(['a <- chunk 0']);
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
      /^the self-test of kernel "\w+".*try --backend wasm$/,
    ],
    ['that is ready before it was admitted', { kind: 'ready' } as const, /^sent "ready" out of turn$/],
    [
      'that requests data before it was admitted',
      { kind: 'need', chunks: [0] } as const,
      /^requested a chunk that does not exist$/,
    ],
  ])('is refused %s', (_what, message, reason) => {
    const script = new Script();
    script.connects('a');
    const [notice, refuse, drop, ...rest] = script.says('a', message);
    expect(refuse?.replace('a <- refuse: ', '')).toMatch(reason);
    const why = refuse?.replace('a <- refuse: ', '');
    expect([notice, drop, ...rest]).toEqual([`notice refused a: ${why}`, `drop a: ${why}`]);
    expect(script.state.membership.members.size).toBe(0);
  });

  it('may not send partial sums before it is ready: their buffers are released', () => {
    const script = twoAtWork();
    script.connects('c');
    expect(script.answers('c', 0, FIRST)).toEqual([
      'release 100',
      'notice refused c: its partial sums do not match its task (not-owed)',
      'c <- refuse: its partial sums do not match its task (not-owed)',
      'drop c: its partial sums do not match its task (not-owed)',
    ]);
  });

  it('may not send hello twice, nor request a chunk beyond the last', () => {
    const script = new Script({ minWorkers: 3 });
    for (const id of ['a', 'b']) script.connects(id);
    script.says('a', hello('a'));
    script.says('b', hello('b'));
    expect(script.says('a', hello('a'))).toContain('a <- refuse: sent "hello" twice');
    expect(script.says('b', { kind: 'need', chunks: [2, 3] })).toContain(
      'b <- refuse: requested a chunk that does not exist',
    );
  });

  it('is waited for until the required number of workers is ready, but only before the first step', () => {
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

describe('pings', () => {
  it('are sent to remote members; one that does not answer them for three seconds is dropped', () => {
    const script = new Script({ minWorkers: 3 });
    script.joins('local', { local: true });
    script.joins('a', { rehearsed: true });
    script.joins('b', { rehearsed: true });
    for (let nowMs = 500; nowMs <= 3000; nowMs += 500) {
      expect(script.tick(nowMs)).toEqual(['a <- ping', 'b <- ping']);
      // An answer to a ping that was not sent is no sign of life, nor is one to another member's ping.
      script.says('a', { kind: 'pong', id: 0 });
      script.says('a', { kind: 'pong', id: script.openPing('b') });
      script.says('b', { kind: 'pong', id: script.openPing('b') });
    }
    expect(script.tick(3500)).toEqual([
      'drop a: silent for 3 s',
      'notice a left (silent for 3 s); 2 at work',
      'b <- ping',
      'local <- work 0 [3,4)',
      'b <- work 0 [4,5)',
    ]);
  });

  it('that were not sent may be answered a few times before the member is refused', () => {
    const script = twoAtWork();
    script.tick(500);
    const answers = Array.from({ length: 20 }, () => script.says('b', { kind: 'pong', id: 0 }));
    expect(answers.findIndex((lines) => lines.length > 0)).toBe(16);
    expect(answers[16]?.[0]).toBe('notice refused b: answered pings that were not sent');
    expect(script.state.membership.members.has('b')).toBe(false);
  });

  it('do not count as unanswered for the time in which the coordinator itself was suspended', () => {
    const script = twoAtWork();
    expect(script.tick(60_000)).toEqual([]);
    expect(script.tick(60_500)).toEqual(['a <- ping', 'b <- ping']);
  });

  it('are not sent to an unauthenticated peer, whose link is closed after ten seconds', () => {
    const script = new Script();
    script.connects('a');
    for (let nowMs = 500; nowMs <= 10_000; nowMs += 500) {
      expect(script.tick(nowMs)).toEqual([]);
    }
    expect(script.tick(10_500)).toEqual([
      'notice refused a: authentication timed out',
      'drop a: authentication timed out',
    ]);
  });
});

describe('a member that prepares', () => {
  const READY_MS = 120_000;

  /** Time passes, and the member answers every ping. @returns why it is dropped; undefined when it is not */
  function prepares(script: Script, forMs: number): string | undefined {
    for (const endMs = script.nowMs + forMs; script.nowMs < endMs; ) {
      const dropped = script.tick(script.nowMs + 500).find((line) => line.startsWith('drop a: '));
      if (dropped !== undefined) return dropped;
      script.says('a', { kind: 'pong', id: script.openPing('a') });
    }
    return undefined;
  }

  it('and never says that it is ready is expelled, and waits before it may return', () => {
    const script = new Script();
    script.connects('a');
    script.says('a', hello('a'));
    expect(prepares(script, READY_MS)).toBeUndefined();
    expect(prepares(script, 1000)).toBe('drop a: it has prepared for 120 s, and is not ready');
    script.leaves('a');
    script.connects('a');
    expect(script.says('a', hello('a'))).toContain(
      'a <- refuse: it was expelled once: it may return 10 s after that; again after 10000 ms',
    );
  });

  it('and never requests the data that it was told to fetch is expelled too, in the same time', () => {
    const script = new Script();
    script.connects('a');
    script.says('a', hello('a'));
    expect(prepares(script, READY_MS - 1000)).toBeUndefined();
    expect(script.says('a', { kind: 'ready', lacksData: true })).toContain('a <- fetch');
    expect(prepares(script, READY_MS)).toBeUndefined();
    expect(prepares(script, 1000)).toBe(
      'drop a: it was told to fetch the data, and has not requested it for 120 s',
    );
  });

  it('is not expelled while data is on its way, however slow its link is; what it takes itself adds up', () => {
    const script = new Script();
    script.connects('a');
    script.says('a', hello('a'));
    for (const [i, chunk] of [0, 1].entries()) {
      script.says('a', { kind: 'need', chunks: [chunk] });
      expect(prepares(script, 10 * READY_MS), `chunk ${i}`).toBeUndefined();
      script.tell({ kind: 'chunk-sent', id: 'a' });
      script.tell({ kind: 'data-due' });
      expect(prepares(script, READY_MS / 2)).toBeUndefined();
    }
    expect(prepares(script, 1000)).toMatch(/is not ready$/);
  });
});

describe('the id of a ping', () => {
  it('depends on a secret that is new each time, and on the member', () => {
    const ids = ['one', 'two'].flatMap((secret) => {
      const script = new Script();
      for (const id of ['a', 'b']) script.connects(id);
      for (const id of ['a', 'b']) script.says(id, hello(id));
      script.nowMs = 500;
      script.tell({ kind: 'tick', secret });
      return ['a', 'b'].map((id) => script.openPing(id));
    });
    expect(ids.every(Number.isSafeInteger)).toBe(true);
    expect(new Set(ids).size).toBe(4);
  });
});
