import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classFigures, confusionMatrix } from '../../shared/metrics/confusion-matrix.js';
import { topKAccuracy, truthRanks } from '../../shared/metrics/top-k.js';

const CLASSES = 4;
/** Samples with outputs that are equal now and then. */
const samples = fc.array(
  fc.record({
    truth: fc.nat(CLASSES - 1),
    said: fc.nat(CLASSES - 1),
    outputs: fc.array(fc.integer({ min: -2, max: 2 }), { minLength: CLASSES, maxLength: CLASSES }),
  }),
  { minLength: 1, maxLength: 40 },
);

describe('top-k accuracy', () => {
  it('by hand', () => {
    const ranks = truthRanks([0.1, 0.7, 0.2, 0.5, 0.5, 0], [2, 1], 3);
    expect([...ranks]).toEqual([1, 1]);
    expect([1, 2].map((k) => topKAccuracy(ranks, k))).toEqual([0, 1]);
  });

  it('agrees with taking the likeliest away, one by one', () => {
    fc.assert(
      fc.property(samples, fc.integer({ min: 1, max: CLASSES }), (all, k) => {
        const right = all.filter(({ truth, outputs }) => {
          const left = [...outputs];
          for (let i = 0; i < k; i++) {
            const likeliest = left.indexOf(Math.max(...left));
            if (likeliest === truth) return true;
            left[likeliest] = Number.NEGATIVE_INFINITY;
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
  it('and what it says of each class agree with counting', () => {
    fc.assert(
      fc.property(samples, (all) => {
        const counts = confusionMatrix(
          all.map(({ truth }) => truth),
          all.map(({ said }) => said),
          CLASSES,
        );
        const figures = classFigures(counts);
        for (let a = 0; a < CLASSES; a++) {
          for (let b = 0; b < CLASSES; b++)
            expect(counts[a]![b]).toBe(all.filter(({ truth, said }) => truth === a && said === b).length);
          const [there, meant] = [
            all.filter(({ truth }) => truth === a),
            all.filter(({ said }) => said === a),
          ];
          expect(figures[a]!.recall).toBe(there.filter(({ said }) => said === a).length / there.length);
          expect(figures[a]!.precision).toBe(meant.filter(({ truth }) => truth === a).length / meant.length);
        }
      }),
    );
  });

  it('knows no class but those there are', () => {
    expect(() => confusionMatrix([0, 2], [0, 1], 2)).toThrow('no class 2 or 1 among 2');
    expect(() => confusionMatrix([0, 1], [0, -1], 2)).toThrow('no class 1 or -1 among 2');
    expect(() => confusionMatrix([0], [], 2)).toThrow('1 samples, and 0 answers');
  });
});
