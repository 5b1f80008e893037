import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Box, intersectionOverUnion } from '../../shared/metrics/boxes.js';
import { meanAveragePrecision } from '../../shared/metrics/mean-average-precision.js';
import { type Detection, suppressNonMaxima } from '../../shared/metrics/non-maximum-suppression.js';
import { spread } from '../support/numbers.js';
import { isKept, referenceMeanAveragePrecision } from './reference-detection.js';

const at = (x: number, y: number, width = 10, height = 10): Box => ({ x, y, width, height });
const found = (x: number, score: number, kind = 0): Detection => ({ ...at(x, 0), kind, score });
const there = (x: number, kind = 0) => ({ ...at(x, 0), kind });

describe('intersection over union', () => {
  it('is right in examples', () => {
    expect(intersectionOverUnion(at(0, 0), at(0, 0))).toBe(1);
    expect(intersectionOverUnion(at(0, 0), at(5, 0))).toBeCloseTo(1 / 3, 12);
    expect(intersectionOverUnion(at(0, 0), at(10, 0))).toBe(0);
    expect(intersectionOverUnion(at(0, 0), at(0, 0, -10, -10))).toBe(0);
  });

  it('agrees with counting unit squares', () => {
    const numbers = spread(5, 400, 1, 20).map(Math.round);
    for (let i = 0; i < 400; i += 8) {
      const [a, b] = [numbers.subarray(i, i + 4), numbers.subarray(i + 4, i + 8)].map(
        ([x = 0, y = 0, width = 0, height = 0]) => at(2 * x, 2 * y, 2 * width, 2 * height),
      ) as [Box, Box];
      let [both, either] = [0, 0];
      for (let x = -50; x < 100; x++)
        for (let y = -50; y < 100; y++) {
          const within = [a, b].filter(
            (box) =>
              x >= box.x - box.width / 2 &&
              x < box.x + box.width / 2 &&
              y >= box.y - box.height / 2 &&
              y < box.y + box.height / 2,
          ).length;
          both += within === 2 ? 1 : 0;
          either += within > 0 ? 1 : 0;
        }
      expect(intersectionOverUnion(a, b)).toBeCloseTo(both / either, 12);
    }
  });
});

it('non-maximum suppression keeps the most confident of overlapping detections of a class', () => {
  const all = [found(0, 1), found(1, 3), found(2, 2), found(1, 1, 7), found(40, 0)];
  expect(suppressNonMaxima(all, 0.5).map(({ x, kind }) => [x, kind])).toEqual([
    [1, 0],
    [1, 7],
    [40, 0],
  ]);
});

describe('mean average precision', () => {
  it('is right for right, wrong and right detections of three objects', () => {
    const truth = [there(0), there(20), there(40)];
    const detections = [found(0, 3), found(90, 2), found(20, 1)];
    expect(meanAveragePrecision([{ truth, found: detections }])).toBeCloseTo((1 + 2 / 3) / 3, 12);
  });

  it('makes precision monotonically decreasing', () => {
    const truth = [there(0), there(20)];
    const detections = [found(90, 4), found(0, 3), found(20, 2)];
    expect(meanAveragePrecision([{ truth, found: detections }])).toBeCloseTo(2 / 3, 12);
  });

  it('counts an object once, in its own image, and for its own class', () => {
    expect(
      meanAveragePrecision([{ truth: [there(0)], found: [found(90, 2), found(0, 1), found(0, 0)] }]),
    ).toBe(0.5);
    expect(
      meanAveragePrecision([
        { truth: [there(0)], found: [] },
        { truth: [], found: [found(0, 1)] },
      ]),
    ).toBe(0);
    const two = [there(0, 1), there(0, 2)];
    expect(meanAveragePrecision([{ truth: two, found: [found(0, 1, 1), found(0, 1, 3)] }])).toBe(0.5);
  });
});

describe('with overlaps and equal scores, the results equal those of the references', () => {
  const small = fc.integer({ min: 1, max: 6 });
  const box = fc.record({ x: small, y: small, width: small, height: small, kind: fc.nat(2) });
  const detection = fc.tuple(box, fc.integer({ min: -3, max: 3 })).map(([own, score]) => ({ ...own, score }));

  it('non-maximum suppression', () => {
    fc.assert(
      fc.property(
        fc.array(detection, { maxLength: 12 }),
        fc.constantFrom(0, 0.2, 0.45, 0.9),
        (all, limit) => {
          const expected = all.filter((_, i) => isKept(all, i, limit)).sort((a, b) => b.score - a.score);
          expect(suppressNonMaxima(all, limit)).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('mean average precision', () => {
    const image = fc.record({
      truth: fc.array(box, { maxLength: 4 }),
      found: fc.array(detection, { maxLength: 6 }),
    });
    const images = fc
      .array(image, { minLength: 1, maxLength: 4 })
      .filter((all) => all.some(({ truth }) => truth.length > 0));
    fc.assert(
      fc.property(images, fc.constantFrom(0.1, 0.3, 0.5), (all, least) => {
        const expected = referenceMeanAveragePrecision(all, least);
        expect(meanAveragePrecision(all, least)).toBeCloseTo(expected, 12);
      }),
      { numRuns: 500 },
    );
  });
});
