import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutVector, joinVectors, SegmentArrival, travelWhole } from '../../shared/reduction/segments.js';

const cuts = fc
  .record({
    tensors: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }),
    most: fc.integer({ min: 4, max: 24 }),
  })
  .map(({ tensors, most }) => {
    const borders = tensors.map((_, i) => tensors.slice(0, i).reduce((sum, size) => sum + size, 0));
    const bytes = tensors.reduce((sum, size) => sum + size, 0);
    return { tensors, borders, most, cut: cutVector(bytes, borders, most) };
  });

describe('the segments of a vector', () => {
  it('are the vector, each within the bound', () => {
    fc.assert(
      fc.property(cuts, ({ cut, most }) => {
        let end = 0;
        for (const { at, bytes } of cut.segments) {
          expect(at).toBe(end);
          expect(bytes).toBeGreaterThan(0);
          expect(bytes).toBeLessThanOrEqual(most);
          end = at + bytes;
        }
        expect(end).toBe(cut.bytes);
      }),
    );
  });

  it('split only tensors that are larger than a segment, and share none of their segments with others', () => {
    fc.assert(
      fc.property(cuts, ({ tensors, borders, cut, most }) => {
        for (const [i, size] of tensors.entries()) {
          const from = borders[i] as number;
          const own = cut.segments.filter(({ at, bytes }) => at < from + size && at + bytes > from);
          if (size <= most) expect(own).toHaveLength(1);
          else {
            expect(own).toHaveLength(Math.ceil(size / most));
            expect(own[0]?.at).toBe(from);
          }
        }
      }),
    );
  });

  it('are one where the vector is small, which travels with its message', () => {
    const cut = cutVector(12, [0, 4], 24);
    expect(cut.segments).toEqual([{ at: 0, bytes: 12 }]);
    expect([1, 2, 3].map((vectors) => travelWhole(cut, vectors))).toEqual([true, true, false]);
    expect(joinVectors([Uint8Array.of(1, 2), Uint8Array.of(3, 4)])).toEqual(Uint8Array.of(1, 2, 3, 4));
  });
});

describe('an arrival', () => {
  it('is complete when each segment of each vector has come once, in any order', () => {
    const cut = cutVector(10, [], 4);
    const places = [0, 1].flatMap((vector) => cut.segments.map((_, index) => ({ vector, index })));
    fc.assert(
      fc.property(fc.shuffledSubarray(places, { minLength: places.length }), (order) => {
        const arrival = new SegmentArrival(cut, 2);
        for (const place of order) {
          expect(arrival.isComplete).toBe(false);
          expect(arrival.take(place, cut.segments[place.index]?.bytes ?? 0)).toBeUndefined();
        }
        expect(arrival.isComplete).toBe(true);
      }),
    );
  });

  it('refuses segments that come twice, have another size, or are none of it, and stays as it was', () => {
    const arrival = new SegmentArrival(cutVector(10, [], 4), 1);
    expect(arrival.take({ vector: 0, index: 0 }, 4)).toBeUndefined();
    expect(arrival.take({ vector: 0, index: 0 }, 4)).toBe('segment 0 of vector 0 came twice');
    expect(arrival.take({ vector: 0, index: 2 }, 4)).toMatch(/has 4 bytes instead of 2$/);
    expect(arrival.take({ vector: 0, index: 3 }, 4)).toMatch(/is none of 1 vectors of 3 segments$/);
    expect(arrival.take({ vector: 1, index: 0 }, 4)).toMatch(/is none of 1 vectors/);
    arrival.take({ vector: 0, index: 1 }, 4);
    expect(arrival.isComplete).toBe(false);
    arrival.take({ vector: 0, index: 2 }, 2);
    expect(arrival.isComplete).toBe(true);
  });
});
