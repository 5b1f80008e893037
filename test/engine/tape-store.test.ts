import { describe, expect, it } from 'vitest';
import { ComputeMemory } from '../../shared/engine/memory.js';
import { TapeStore } from '../../shared/engine/tape-store.js';
import type { Tape } from '../../shared/kernels/tape.js';

/** A tape of `calls` calls that hold `mark`: 5 words each. */
function write(mark: number, calls: number): (tape: Tape) => void {
  return (tape) => {
    for (let i = 0; i < calls; i++) tape.emit('addVectors', { out: mark, a: mark, b: mark, n: mark });
  };
}

describe('a store of tapes', () => {
  it('makes a tape once and finds it again', () => {
    const store = new TapeStore(new ComputeMemory());
    const made = store.get('a', write(1, 1));
    expect(store.get('a', () => expect.unreachable())).toEqual(made);
    expect(store.get('b', write(2, 1)).offset).not.toBe(made.offset);
    store.forget();
    expect(store.get('a', write(1, 1)).offset).not.toBe(made.offset);
  });

  it('leaves a tape alone that was found and not run yet, also when there is no room for the next', () => {
    const memory = new ComputeMemory();
    const store = new TapeStore(memory);
    const calls = 1000;
    for (let round = 0; round < 200; round++) {
      // The oldest tape of all, as a step's first; then new ones, as its last.
      const first = store.get('first', write(7, calls));
      const before = memory.i32(first.offset, first.words).slice();
      store.get(`last ${round}`, write(round, calls));
      const after = memory.i32(first.offset, first.words);
      expect(
        before.every((word, i) => word === after[i]),
        `round ${round}`,
      ).toBe(true);
    }
  });

  it('takes no more memory, however many it is asked for', () => {
    const memory = new ComputeMemory();
    const store = new TapeStore(memory);
    const before = memory.allocate(0);
    for (let i = 0; i < 300; i++) store.get(`${i}`, write(i, 1000));
    expect(memory.allocate(0)).toBe(before);
  });

  it('refuses a tape that has no room at all', () => {
    const store = new TapeStore(new ComputeMemory());
    expect(() => store.get('large', write(1, 60_000))).toThrow(/^a tape of 1200000 bytes exceeds/);
  });
});
