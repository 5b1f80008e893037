/*
 * The area under the receiver operating characteristic, by the statistic of Mann and Whitney (1947): of all pairs of a term of the
 * class and one that is not, the share in which the first has the larger output; equal outputs count half. The counts are exact.
 */
import { type ClassMetricOptions, classTerms, placeOf } from './class-metrics.js';
import type { Accumulator, Metric } from './metric.js';

/** The scores that one class was given, by whether the term is of the class. */
interface Scores {
  readonly inside: number[];
  readonly outside: number[];
}

/** The area of yes, or the mean of the areas of each class against the rest; NaN while a class has no pair. */
export function auc(options: Omit<ClassMetricOptions, 'average'> = {}): Metric {
  return {
    ...placeOf('auc', options),
    start(input): Accumulator {
      const terms = classTerms('auc', input);
      const scores = Array.from({ length: terms.classes }, (): Scores => ({ inside: [], outside: [] }));
      return {
        add(samples) {
          terms.each(samples, (outputs, truth) => {
            for (const [kind, { inside, outside }] of scores.entries()) {
              const isInside = terms.classes === 1 ? truth === 1 : truth === kind;
              (isInside ? inside : outside).push(outputs[kind] as number);
            }
          });
        },
        result: () => scores.reduce((sum, each) => sum + areaOf(each), 0) / scores.length,
      };
    },
  };
}

function areaOf({ inside, outside }: Scores): number {
  const [above, below] = [Float32Array.from(inside).sort(), Float32Array.from(outside).sort()];
  // Twice the number of pairs in order: whole numbers.
  let pairs = 0;
  let less = 0;
  let equal = 0;
  for (const score of above) {
    while (less < below.length && (below[less] as number) < score) less += 1;
    equal = Math.max(equal, less);
    while (equal < below.length && below[equal] === score) equal += 1;
    pairs += less + equal;
  }
  return pairs / (2 * above.length * below.length);
}
