import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ComputeMemory } from '../../shared/engine/memory.js';
import { UserError } from '../../shared/errors.js';
import { STATIC_BYTES } from '../../shared/kernels/memory-map.js';

const GIB = 2 ** 30;

describe('compute memory', () => {
  it('allocates aligned regions that do not overlap', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300_000), { maxLength: 40 }), (sizes) => {
        const memory = new ComputeMemory();
        let end = STATIC_BYTES;
        for (const size of sizes) {
          const offset = memory.allocate(size);
          expect(offset % 64).toBe(0);
          expect(offset).toBeGreaterThanOrEqual(end);
          end = offset + size;
          expect(memory.u8(offset, size).length).toBe(size);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('keeps earlier views valid when it grows', () => {
    const memory = new ComputeMemory();
    const first = memory.allocate(16);
    const view = memory.f32(first, 4);
    const pages = memory.pages;
    const second = memory.allocate(64 * 2 ** 20);
    expect(memory.pages).toBeGreaterThan(pages);
    view.set([1, 2, 3, 4]);
    expect([...memory.f32(first, 4)]).toEqual([1, 2, 3, 4]);
    expect(memory.u32(second, 16 * 2 ** 20).every((word) => word === 0)).toBe(true);
    expect([...memory.i32(first, 1)]).toEqual([0x3f800000]);
  });

  it('reports what took the space when it is used up, and goes on with what is left', () => {
    const memory = new ComputeMemory();
    memory.allocate(2 * GIB, 'data chunks');
    memory.allocate(GIB, 'partial sums');
    const ask = (): number => memory.allocate(1.5 * GIB, 'activations');
    expect(ask).toThrow(UserError);
    expect(ask).toThrow(
      'out of memory: the 4 GiB of a process are used up and activations need 1536.0 MiB more ' +
        '(largest so far: data chunks 2048.0 MiB, partial sums 1024.0 MiB); ' +
        'use a smaller model, batch or data set, or more machines',
    );
    const last = memory.allocate(GIB - STATIC_BYTES);
    expect(memory.pages).toBe(65536);
    memory.u8(last + GIB - STATIC_BYTES - 1, 1)[0] = 1;
    expect(() => memory.allocate(1)).toThrow(UserError);
  });

  it('is zeros again after a rewind, and no longer counted', () => {
    const memory = new ComputeMemory();
    memory.allocate(100, 'threads');
    const mark = memory.mark();
    const first = memory.allocate(GIB / 1024, 'data');
    memory.u8(first, GIB / 1024).fill(7);
    memory.rewind(mark);
    expect(memory.allocate(1000, 'weights')).toBe(first);
    const second = memory.allocate(GIB / 512, 'sums');
    for (const [at, bytes] of [
      [first, 1000],
      [second, GIB / 512],
    ] as const)
      expect(memory.u8(at, bytes).every((byte) => byte === 0)).toBe(true);
    memory.limit(memory.mark().end);
    expect(() => memory.allocate(1, 'command buffers')).toThrow(
      /used up and command buffers need .*\(largest so far: sums 2.0 MiB, weights 0.0 MiB, threads 0.0 MiB\)/,
    );
  });

  it('does not allocate a length that is not a whole number', () => {
    const memory = new ComputeMemory();
    for (const bytes of [-1, 0.5, Number.NaN, Infinity])
      expect(() => memory.allocate(bytes)).toThrow(/cannot allocate/);
  });
});
