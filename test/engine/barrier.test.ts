import { describe, expect, it } from 'vitest';
import { abortBarrier, Barrier } from '../../shared/engine/barrier.js';
import { controlBytes } from '../../shared/engine/control-block.js';

function wordsFor(threads: number): Int32Array {
  const words = new Int32Array(new SharedArrayBuffer(controlBytes(threads)));
  Barrier.prepare(words, threads);
  return words;
}

/* How threads wait for each other is for stride.test.ts, which has threads. */
describe('a barrier', () => {
  it('lets a single thread through, time and again, with the last word', () => {
    const barrier = new Barrier(wordsFor(1), 1, 10);
    let calls = 0;
    for (let i = 0; i < 5; i++) expect(barrier.meet(() => calls++)).toBe(true);
    expect(barrier.meet()).toBe(true);
    expect(calls).toBe(5);
  });

  it.each([0, 10])('lets nobody through once it is aborted (%i spins)', (spins) => {
    const words = wordsFor(2);
    const barrier = new Barrier(words, 2, spins);
    abortBarrier(words);
    expect(barrier.meet(() => expect.unreachable())).toBe(false);
    expect(barrier.meet(() => expect.unreachable())).toBe(false);
  });
});
