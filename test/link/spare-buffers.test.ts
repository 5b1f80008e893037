import { describe, expect, it } from 'vitest';
import { SpareBuffers } from '../../shared/link/spare-buffers.js';

describe('spare buffers', () => {
  it('reuse a returned buffer once, for the same size', () => {
    const spares = new SpareBuffers();
    const buffer = spares.take(100);
    expect(buffer).toHaveLength(100);
    spares.give(buffer);
    expect(spares.take(99)).not.toBe(buffer);
    expect(spares.take(100)).toBe(buffer);
    expect(spares.take(100)).not.toBe(buffer);
  });

  it('do not take a part of a buffer, since another part may be in use', () => {
    const spares = new SpareBuffers();
    const whole = new Uint8Array(100);
    spares.give(whole.subarray(0, 50));
    spares.give(new Uint8Array(whole.buffer, 50));
    expect(spares.take(50).buffer).not.toBe(whole.buffer);
  });

  it('keep a bounded number of bytes, of the latest buffers', () => {
    const spares = new SpareBuffers();
    const buffers = [1, 2, 3, 4, 5].map((more) => new Uint8Array(64 * 2 ** 20 - more));
    for (const buffer of buffers) spares.give(buffer);
    // Compares identity only: a comparison of the contents would take minutes.
    expect(spares.take(64 * 2 ** 20 - 1) === buffers[0]).toBe(false);
    expect(spares.take(64 * 2 ** 20 - 5) === buffers[4]).toBe(true);
  });

  it('keep a bounded number of buffers', () => {
    const spares = new SpareBuffers();
    const buffers = Array.from({ length: 65 }, (_, i) => new Uint8Array(i + 1));
    for (const buffer of buffers) spares.give(buffer);
    expect(spares.take(1)).not.toBe(buffers[0]);
    expect(spares.take(2)).toBe(buffers[1]);
  });
});
