import { describe, expect, it } from 'vitest';
import { Script } from '../script.js';
import { hello, runSettings } from '../settings.js';

/* The training data for members that prepare: three chunks unless a test has more. */

/** A run whose data has chunks of so many bytes. */
function runWith(chunks: number, chunkBytes: number): Script {
  const { data } = runSettings();
  const samples = 32 * chunks;
  const recordBytes = chunkBytes / 32;
  const chunkHashes = Array.from({ length: chunks }, () => '0'.repeat(64));
  return new Script({ data: { ...data, samples, recordBytes, chunkSamples: 32, chunkHashes } });
}

function prepares(script: Script, id: string): void {
  script.connects(id);
  script.says(id, hello(id));
}

/** The next chunk is due. */
const due = (script: Script): string[] => script.tell({ kind: 'data-due' });
/** A chunk has left this machine. */
const sent = (script: Script, id: string): string[] => script.tell({ kind: 'chunk-sent', id });
const all = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('chunks of data', () => {
  it('are sent one at a time, when they are due, and two of one member at most are in flight', () => {
    const script = runWith(3, 32);
    prepares(script, 'a');
    expect(script.says('a', { kind: 'need', chunks: [2, 0, 1] })).toEqual(['a <- chunk 2']);
    expect(due(script)).toEqual(['a <- chunk 0']);
    expect(due(script)).toEqual([]);
    expect(sent(script, 'a')).toEqual(['a <- chunk 1']);
    expect(sent(script, 'a')).toEqual([]);
  });

  it('are spread over time while somebody computes', () => {
    const script = runWith(3, 32);
    script.joins('worker');
    prepares(script, 'a');
    expect(script.says('a', { kind: 'need', chunks: [0] })).toEqual(['a <- chunk 0 beside steps']);
  });

  it('go to members in turn, past one that does not read', () => {
    const script = runWith(9, 32);
    for (const id of ['a', 'b', 'c']) prepares(script, id);
    script.says('a', { kind: 'need', chunks: all(9) });
    for (const id of ['b', 'c']) script.says(id, { kind: 'need', chunks: [0, 1, 2, 3] });
    expect([due(script), due(script), due(script)].flat()).toEqual([
      'a <- chunk 1',
      'b <- chunk 0',
      'c <- chunk 0',
    ]);
    sent(script, 'b');
    sent(script, 'c');
    const rest = Array.from({ length: 6 }, () => {
      const lines = due(script);
      for (const line of lines) sent(script, line[0] as string);
      return lines;
    }).flat();
    expect(rest.filter((line) => line.startsWith('b'))).toEqual([1, 2, 3].map((i) => `b <- chunk ${i}`));
    expect(rest.filter((line) => line.startsWith('c'))).toEqual([1, 2, 3].map((i) => `c <- chunk ${i}`));
  });

  it('may be requested sixteen at once, and each once', () => {
    const script = runWith(40, 32);
    prepares(script, 'a');
    script.says('a', { kind: 'need', chunks: all(16) });
    expect(script.says('a', { kind: 'need', chunks: [16] })).toContain(
      'a <- refuse: requested more than 16 chunks at once',
    );
    prepares(script, 'b');
    for (const index of all(40)) {
      due(script);
      script.says('b', { kind: 'need', chunks: [index] });
      sent(script, 'b');
    }
    due(script);
    expect(script.says('b', { kind: 'need', chunks: [0] })).toContain(
      'b <- refuse: requested chunks that it was sent already',
    );
  });

  it('in flight are bounded for all members together; those that do not read make room', () => {
    const script = runWith(2, 16 * 2 ** 20);
    const ids = ['a', 'b', 'c', 'd', 'e'];
    for (const id of ids) {
      prepares(script, id);
      script.says(id, { kind: 'need', chunks: [0, 1] });
      due(script);
      script.nowMs += 1;
    }
    for (let i = 0; i < 20; i++) due(script);
    const { serving } = script.state.membership;
    expect(serving.bytes).toBe(128 * 2 ** 20);
    expect([...serving.turns]).toEqual(['d', 'e']);
    expect(script.tick(900)).not.toContain('a <- refuse: does not read the data that it requested');
    const lines = script.tick(1002);
    expect(lines.filter((line) => line.startsWith('drop'))).toEqual([
      'drop a: does not read the data that it requested',
      'drop b: does not read the data that it requested',
    ]);
    expect(lines).toContain('d <- chunk 1');
    expect(due(script)).toEqual(['e <- chunk 1']);
    expect(serving.bytes).toBe(6 * 16 * 2 ** 20);
    expect(serving.turns.size).toBe(0);
  });

  it('are compressed for a member whose first chunk took longer than 40 ms per MB until it was stored', () => {
    for (const [ms, ending] of [
      [40, ''],
      [41, ' deflated'],
    ] as const) {
      const script = runWith(3, 1e6);
      prepares(script, 'a');
      script.says('a', { kind: 'need', chunks: [0] });
      sent(script, 'a');
      script.nowMs += ms;
      script.says('a', { kind: 'ready', lacksData: true });
      due(script);
      expect(script.says('a', { kind: 'need', chunks: [1, 2] })).toEqual([`a <- chunk 1${ending}`]);
    }
  });

  it('are compressed from then on when one took long to leave this machine, which counts from when the one before had left', () => {
    const script = runWith(9, 1e6);
    prepares(script, 'a');
    script.says('a', { kind: 'need', chunks: all(9) });
    expect(due(script)).toEqual(['a <- chunk 1']);
    const next = (ms: number): string[] => {
      script.nowMs += ms;
      due(script);
      return sent(script, 'a');
    };
    expect(next(30)).toEqual(['a <- chunk 2']);
    // It has waited for 60 ms, of which the chunk before it took 30.
    expect(next(30)).toEqual(['a <- chunk 3']);
    expect(next(50)).toEqual(['a <- chunk 4 deflated']);
    expect(next(1)).toEqual(['a <- chunk 5 deflated']);
  });

  it('of a member that left are in flight no longer', () => {
    const script = runWith(2, 32);
    prepares(script, 'a');
    script.says('a', { kind: 'need', chunks: [0, 1] });
    due(script);
    script.leaves('a');
    const { bytes, served, turns } = script.state.membership.serving;
    expect([bytes, served.size, turns.size]).toEqual([0, 0, 0]);
    expect(sent(script, 'a')).toEqual([]);
  });

  it('that have left this machine are a sign of life; requests are not', () => {
    const script = runWith(20, 32);
    for (const id of ['reader', 'other']) {
      prepares(script, id);
      for (const index of all(14)) script.says(id, { kind: 'need', chunks: [index] });
    }
    for (let nowMs = 500; nowMs <= 5000; nowMs += 500) {
      script.tick(nowMs);
      script.says('other', { kind: 'need', chunks: [14 + (nowMs === 500 ? 0 : 1)] });
      due(script);
      sent(script, 'reader');
    }
    expect([...script.state.membership.members.keys()]).toEqual(['reader']);
  });
});
