import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classStats, confusionMatrix } from '../../shared/metrics/confusion-matrix.js';
import { topKAccuracy, truthRanks } from '../../shared/metrics/top-k.js';

const CLASSES = 4;
/** Samples with outputs, some of them equal. */
const samples = fc.array(
  fc.record({
    truth: fc.nat(CLASSES - 1),
    predicted: fc.nat(CLASSES - 1),
    outputs: fc.array(fc.integer({ min: -2, max: 2 }), { minLength: CLASSES, maxLength: CLASSES }),
  }),
  { minLength: 1, maxLength: 40 },
);

describe('top-k accuracy', () => {
  it('is right in an example', () => {
    const ranks = truthRanks([0.1, 0.7, 0.2, 0.5, 0.5, 0], [2, 1], 3);
    expect([...ranks]).toEqual([1, 1]);
    expect([1, 2].map((k) => topKAccuracy(ranks, k))).toEqual([0, 1]);
  });

  it('agrees with removing the largest output k times', () => {
    fc.assert(
      fc.property(samples, fc.integer({ min: 1, max: CLASSES }), (all, k) => {
        const right = all.filter(({ truth, outputs }) => {
          const left = [...outputs];
          for (let i = 0; i < k; i++) {
            const largest = left.indexOf(Math.max(...left));
            if (largest === truth) return true;
            left[largest] = Number.NEGATIVE_INFINITY;
          }
          return false;
        });
        const ranks = truthRanks(
          all.flatMap(({ outputs }) => outputs),
          all.map(({ truth }) => truth),
          CLASSES,
        );
        expect(topKAccuracy(ranks, k)).toBe(right.length / all.length);
      }),
    );
  });
});

describe('the confusion matrix', () => {
  it('and the statistics of each class agree with counting', () => {
    fc.assert(
      fc.property(samples, (all) => {
        const counts = confusionMatrix(
          all.map(({ truth }) => truth),
          all.map(({ predicted }) => predicted),
          CLASSES,
        );
        const stats = classStats(counts);
        for (let a = 0; a < CLASSES; a++) {
          for (let b = 0; b < CLASSES; b++)
            expect(counts[a]![b]).toBe(
              all.filter(({ truth, predicted }) => truth === a && predicted === b).length,
            );
          const [actual, guessed] = [
            all.filter(({ truth }) => truth === a),
            all.filter(({ predicted }) => predicted === a),
          ];
          expect(stats[a]!.recall).toBe(
            actual.filter(({ predicted }) => predicted === a).length / actual.length,
          );
          expect(stats[a]!.precision).toBe(
            guessed.filter(({ truth }) => truth === a).length / guessed.length,
          );
        }
      }),
    );
  });

  it('refuses numbers that are not classes', () => {
    expect(() => confusionMatrix([0, 2], [0, 1], 2)).toThrow('2 or 1 is not one of 2 classes');
    expect(() => confusionMatrix([0, 1], [0, -1], 2)).toThrow('1 or -1 is not one of 2 classes');
    expect(() => confusionMatrix([0], [], 2)).toThrow('1 samples, but 0 predictions');
  });
});
