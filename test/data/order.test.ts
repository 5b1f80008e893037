import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SAMPLES_MAX, sampleOrder, stepPlace, stepsPerEpoch } from '../../shared/data/order.js';
import { AssertionError } from '../../shared/errors.js';
import { sha256Hex } from '../../shared/files/sha256.js';

function hashOf(order: Uint32Array): string {
  const bytes = new Uint8Array(order.length * 4);
  const view = new DataView(bytes.buffer);
  order.forEach((sample, i) => {
    view.setUint32(4 * i, sample, true);
  });
  return sha256Hex(bytes);
}

describe('sampleOrder', () => {
  // Golden values of an independent implementation (Python, integers of any size). A change here changes all weights.
  it('is the order that it always was', () => {
    expect([...sampleOrder(0, 0, 10)]).toEqual([0, 1, 3, 2, 4, 6, 7, 9, 5, 8]);
    expect([...sampleOrder(7, 1, 10)]).toEqual([8, 9, 0, 6, 7, 4, 1, 2, 3, 5]);
    expect([...sampleOrder(2 ** 53 - 1, 2 ** 32 - 1, 10)]).toEqual([9, 5, 6, 1, 3, 0, 4, 2, 8, 7]);
    expect(hashOf(sampleOrder(1, 0, 60_000))).toBe(
      'e62016aedce7f720032b15d3c6db16bca75e77b3490f514de1110c54e7e99fec',
    );
    expect(hashOf(sampleOrder(2 ** 53 - 1, 3, 12_345))).toBe(
      '2028587dfa2bacb9e9ecb08f57de165ce9dad0dd0db6a2130f21a2e5d032f550',
    );
  });

  it('rejects the word that would make some orders more likely, and no other (one in each epoch comes close)', () => {
    expect(hashOf(sampleOrder(1, 1, 60_000))).toBe(
      '5dbef2436837b0d08b7312b2358d3353e1bed892e6b018c9ba6aec6a76451032',
    );
    expect(hashOf(sampleOrder(1, 7, 60_000))).toBe(
      '991ddf3c6a81a5857fbe62919f1a54a30ecdc3ee24f372d79223a4863a0fe2ab',
    );
  });

  it('is a permutation', () => {
    const sizes = fc.tuple(fc.nat(2 ** 32), fc.nat(1000), fc.integer({ min: 1, max: 3000 }));
    fc.assert(
      fc.property(sizes, ([seed, epoch, samples]) => {
        const seen = new Set(sampleOrder(seed, epoch, samples));
        expect(seen.size).toBe(samples);
        expect(Math.max(...seen)).toBe(samples - 1);
      }),
    );
  });

  it('gives each of the 24 orders of 4 samples its share (chi-square below its 99.9% bound)', () => {
    const draws = 24_000;
    const counts = new Map<string, number>();
    for (let epoch = 0; epoch < draws; epoch++) {
      const order = sampleOrder(3, epoch, 4).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const expected = draws / 24;
    const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    expect(chiSquare).toBeLessThan(49.7);
  });

  it('differs by epoch and by all bits of the seed', () => {
    const orders = [
      sampleOrder(1, 0, 1000),
      sampleOrder(1, 1, 1000),
      sampleOrder(2, 0, 1000),
      sampleOrder(1 + 2 ** 32, 0, 1000),
    ];
    expect(new Set(orders.map(hashOf)).size).toBe(4);
  });

  it.each([
    [-1, 0, 10],
    [0.5, 0, 10],
    [2 ** 53, 0, 10],
    [0, -1, 10],
    [0, 2 ** 32, 10],
    [0, 0, 0],
    [0, 0, Number.NaN],
    [0, 0, SAMPLES_MAX + 1],
  ])('refuses seed %s, epoch %s, %s samples', (seed, epoch, samples) => {
    expect(() => sampleOrder(seed, epoch, samples)).toThrow(AssertionError);
  });
});

describe('stepPlace', () => {
  it('walks through epochs whose last step may be smaller', () => {
    expect(stepsPerEpoch(60_000, 128)).toBe(469);
    expect(stepPlace(0, 60_000, 128)).toEqual({ epoch: 0, position: 0, size: 128 });
    expect(stepPlace(468, 60_000, 128)).toEqual({ epoch: 0, position: 59_904, size: 96 });
    expect(stepPlace(469, 60_000, 128)).toEqual({ epoch: 1, position: 0, size: 128 });
    expect(stepPlace(5, 10, 100)).toEqual({ epoch: 5, position: 0, size: 10 });
  });

  it('visits every sample once an epoch', () => {
    const sizes = fc.tuple(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 200 }), fc.nat(5));
    fc.assert(
      fc.property(sizes, ([samples, batch, epoch]) => {
        let next = 0;
        const steps = stepsPerEpoch(samples, batch);
        for (let step = epoch * steps; step < (epoch + 1) * steps; step++) {
          const place = stepPlace(step, samples, batch);
          expect(place.epoch).toBe(epoch);
          expect(place.position).toBe(next);
          expect(place.size).toBeGreaterThan(0);
          expect(place.size).toBeLessThanOrEqual(batch);
          next += place.size;
        }
        expect(next).toBe(samples);
      }),
    );
  });

  it.each([-1, 0.5, Number.NaN])('refuses step %s', (step) => {
    expect(() => stepPlace(step, 10, 2)).toThrow(AssertionError);
  });

  it.each([0, -1, 1.5])('refuses a batch of %s', (batch) => {
    expect(() => stepPlace(0, 10, batch)).toThrow(AssertionError);
  });
});
