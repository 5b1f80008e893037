import { describe, expect, it } from 'vitest';
import { abortBarriers, Barrier } from '../../../shared/engine/threads/barrier.js';
import { controlBytes } from '../../../shared/engine/threads/control-block.js';

function barrierOf(threads: number, spins: number): { words: Int32Array; barrier: Barrier } {
  const words = new Int32Array(new SharedArrayBuffer(controlBytes(threads)));
  Barrier.prepare(words, 0, threads);
  const barrier = new Barrier(words, spins);
  barrier.enter(0, threads);
  return { words, barrier };
}

/* step-loop.test.ts tests how threads wait for each other. */
describe('a barrier', () => {
  it('lets a single thread through every time, and calls `last`', () => {
    const { barrier } = barrierOf(1, 10);
    let calls = 0;
    for (let i = 0; i < 5; i++) expect(barrier.meet(() => calls++)).toBe(true);
    expect(barrier.meet()).toBe(true);
    expect(calls).toBe(5);
  });

  it.each([0, 10])('lets no thread through once it is aborted (%i spins)', (spins) => {
    const { words, barrier } = barrierOf(2, spins);
    abortBarriers(words, 2);
    expect(barrier.meet(() => expect.unreachable())).toBe(false);
    expect(barrier.meet(() => expect.unreachable())).toBe(false);
  });
});
