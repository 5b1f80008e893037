import { describe, expect, it } from 'vitest';
import { ComputeMemory } from '../../../shared/engine/memory.js';
import { CommandBufferCache } from '../../../shared/engine/step/command-buffer-cache.js';
import { UserError } from '../../../shared/errors.js';
import type { CommandBuffer } from '../../../shared/kernels/command-buffer.js';

/** Writes `calls` calls with `mark` as their arguments: 5 words each. */
function write(mark: number, calls: number): (commandBuffer: CommandBuffer) => void {
  return (commandBuffer) => {
    for (let i = 0; i < calls; i++)
      commandBuffer.emit('addVectors', { out: mark, a: mark, b: mark, n: mark });
  };
}

describe('a command buffer cache', () => {
  it('writes a command buffer once and finds it again', () => {
    const cache = new CommandBufferCache(new ComputeMemory());
    const made = cache.get('a', write(1, 1));
    expect(cache.get('a', () => expect.unreachable())).toEqual(made);
    expect(cache.get('b', write(2, 1)).offset).not.toBe(made.offset);
    cache.forget();
    expect(cache.get('a', write(1, 1)).offset).not.toBe(made.offset);
  });

  it('keeps a command buffer valid until it has run, also when the region is full meanwhile', () => {
    const memory = new ComputeMemory();
    const cache = new CommandBufferCache(memory);
    const calls = 1000;
    for (let turn = 0; turn < 200; turn++) {
      // As in a step: the first command buffer is the oldest one, the last is new.
      const first = cache.get('first', write(7, calls));
      const before = memory.i32(first.offset, first.words).slice();
      cache.get(`last ${turn}`, write(turn, calls));
      const after = memory.i32(first.offset, first.words);
      expect(
        before.every((word, i) => word === after[i]),
        `turn ${turn}`,
      ).toBe(true);
    }
  });

  it('takes no more memory for more command buffers', () => {
    const memory = new ComputeMemory();
    const cache = new CommandBufferCache(memory);
    const before = memory.allocate(0);
    for (let i = 0; i < 300; i++) cache.get(`${i}`, write(i, 1000));
    expect(memory.allocate(0)).toBe(before);
  });

  it('grows for a command buffer that is larger than a region, and keeps the others valid', () => {
    const memory = new ComputeMemory();
    const cache = new CommandBufferCache(memory);
    const first = cache.get('first', write(7, 1000));
    const before = memory.i32(first.offset, first.words).slice();
    const large = cache.get('large', write(1, 60_000));
    expect(large.words).toBe(300_000);
    expect(memory.i32(first.offset, first.words)).toEqual(before);
    const after = memory.allocate(0);
    // Both regions have grown: more of the same size take no more memory.
    for (let i = 0; i < 20; i++) cache.get(`${i}`, write(i, 60_000));
    const grown = memory.allocate(0);
    for (let i = 20; i < 60; i++) cache.get(`${i}`, write(i, 60_000));
    expect(memory.allocate(0)).toBe(grown);
    expect(grown - after).toBeLessThanOrEqual(2 ** 21);
  });

  it('refuses a command buffer that is too large, with what to change', () => {
    const cache = new CommandBufferCache(new ComputeMemory());
    expect(() => cache.get('large', write(1, 3_500_000))).toThrow(
      new UserError(
        'the network takes too many operations a step: a command buffer of 67 MiB, more than 64; ' +
          'use fewer layers or timesteps, or a smaller batch',
      ),
    );
  });
});
