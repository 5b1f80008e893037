import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exponential } from '../../shared/arithmetic/exponential.js';
import { auc } from '../../shared/metrics/area-under-curve.js';
import { accuracy, f1, precision, recall, topK } from '../../shared/metrics/class-metrics.js';
import { meanAbsoluteError, r2, rootMeanSquaredError } from '../../shared/metrics/error-metrics.js';
import type { Metric, MetricInput } from '../../shared/metrics/metric.js';
import { metricByName } from '../../shared/metrics/metric-names.js';

/** Measures samples in two parts. */
function measure(
  metric: Metric,
  input: Partial<MetricInput>,
  outputs: number[],
  targets: number[],
  rows: number,
): number {
  const all = { output: [], target: [], loss: 'meanSquaredError', ...input };
  const accumulator = metric.start(all);
  const cut = Math.floor(rows / 2);
  const part = (values: number[], from: number, to: number): Float32Array =>
    Float32Array.from(values.slice((from * values.length) / rows, (to * values.length) / rows));
  for (const [from, to] of [
    [0, cut],
    [cut, rows],
  ] as const)
    accumulator.add({ rows: to - from, outputs: part(outputs, from, to), targets: part(targets, from, to) });
  return accumulator.result({});
}

const CLASSES = 3;
const samples = fc.array(
  fc.record({
    scores: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: CLASSES, maxLength: CLASSES }),
    truth: fc.nat(CLASSES - 1),
  }),
  { minLength: 2, maxLength: 40 },
);
type Sample = { readonly scores: readonly number[]; readonly truth: number };

/** The class that a sample is taken for: of equal scores, the first. */
const taken = ({ scores }: Sample): number => scores.indexOf(Math.max(...scores));

describe('metrics of classes', () => {
  const input = { output: [CLASSES], target: [], loss: 'sparseCategoricalCrossentropy' };
  const of = (metric: Metric, all: readonly Sample[]): number =>
    measure(
      metric,
      input,
      all.flatMap(({ scores }) => [...scores]),
      all.map(({ truth }) => truth),
      all.length,
    );
  const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);
  const perClass = (all: readonly Sample[]) =>
    Array.from({ length: CLASSES }, (_, kind) => {
      const hits = all.filter((sample) => sample.truth === kind && taken(sample) === kind).length;
      const found = all.filter((sample) => taken(sample) === kind).length;
      const there = all.filter(({ truth }) => truth === kind).length;
      const [p, r] = [ratio(hits, found), ratio(hits, there)];
      return { p, r, f: ratio(2 * p * r, p + r), there };
    });
  const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

  it('are those of their definitions', () => {
    fc.assert(
      fc.property(samples, (all) => {
        const each = perClass(all);
        expect(of(accuracy(), all)).toBe(
          all.filter((sample) => taken(sample) === sample.truth).length / all.length,
        );
        expect(of(precision(), all)).toBeCloseTo(mean(each.map(({ p }) => p)), 12);
        expect(of(recall(), all)).toBeCloseTo(mean(each.map(({ r }) => r)), 12);
        expect(of(f1(), all)).toBeCloseTo(mean(each.map(({ f }) => f)), 12);
        const weighted = each.reduce((sum, { f, there }) => sum + f * there, 0) / all.length;
        expect(of(f1({ average: 'weighted' }), all)).toBeCloseTo(weighted, 12);
        // Each term is taken for one class, so micro averages are the accuracy.
        expect(of(f1({ average: 'micro' }), all)).toBe(of(accuracy(), all));
        expect(of(topK(CLASSES), all)).toBe(1);
        expect(of(topK(1), all)).toBe(of(accuracy(), all));
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it('count pairs in order for the area under the curve', () => {
    fc.assert(
      fc.property(samples, (all) => {
        const areas = Array.from({ length: CLASSES }, (_, kind) => {
          const [inside, outside] = [true, false].map((is) =>
            all.filter(({ truth }) => (truth === kind) === is),
          );
          const pairs = inside!.flatMap((a) =>
            outside!.map((b) => Math.sign(a.scores[kind]! - b.scores[kind]!)),
          );
          return mean(pairs.map((sign) => (sign + 1) / 2));
        });
        // A class without a pair has no area.
        if (areas.some(Number.isNaN)) expect(of(auc(), all)).toBeNaN();
        else expect(of(auc(), all)).toBeCloseTo(mean(areas), 12);
      }),
      { seed: 2, numRuns: 100 },
    );
  });

  it('read probabilities of yes, one-hot targets, and sequences with ignored terms', () => {
    const yes = { output: [1], target: [1], loss: 'binaryCrossentropy' };
    const [outputs, targets] = [
      [0.9, 0.4, 0.6, 0.2],
      [1, 1, 0, 0],
    ];
    expect(measure(precision(), yes, outputs, targets, 4)).toBe(1 / 2);
    expect(measure(f1(), yes, outputs, targets, 4)).toBe(1 / 2);
    expect(measure(auc(), yes, outputs, targets, 4)).toBe(3 / 4);
    const oneHot = { output: [2], target: [2], loss: 'categoricalCrossentropy' };
    expect(measure(accuracy(), oneHot, [0.3, 0.7, 0.6, 0.4], [0, 1, 0, 1], 2)).toBe(1 / 2);
    const text = { output: [2, 2], target: [2], loss: 'sparseCategoricalCrossentropy', ignored: 9 };
    expect(measure(accuracy(), text, [1, 0, 0, 1, 1, 0, 0, 1], [0, 9, 1, 1], 2)).toBe(2 / 3);
  });

  it('refuse what they cannot compare', () => {
    expect(() => accuracy().start({ output: [3], target: [2], loss: 'meanSquaredError' })).toThrow(
      'the metric accuracy compares classes: an output of shape [3] and a target of shape [2] do not fit',
    );
    expect(() => metricByName('f2')).toThrow('there is no metric f2; did you mean f1?');
    expect(metricByName('top7').name).toBe('top7Accuracy');
  });
});

describe('metrics of numbers', () => {
  it('are those of their definitions', () => {
    const number = fc.float({ noNaN: true, min: -8, max: 8 });
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number), { minLength: 2, maxLength: 30 }), (pairs) => {
        const input = { output: [1], target: [] };
        const [y, t] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
        const of = (metric: Metric): number => measure(metric, input, y, t, pairs.length);
        const errors = pairs.map(([a, b]) => a - b);
        const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
        const center = sum(t) / t.length;
        const squares = sum(t.map((value) => (value - center) ** 2));
        expect(of(meanAbsoluteError())).toBeCloseTo(sum(errors.map(Math.abs)) / t.length, 10);
        expect(of(rootMeanSquaredError()) ** 2).toBeCloseTo(sum(errors.map((e) => e * e)) / t.length, 8);
        if (squares > 0.1) expect(of(r2()) / (1 - sum(errors.map((e) => e * e)) / squares)).toBeCloseTo(1, 6);
      }),
      { seed: 3, numRuns: 100 },
    );
    expect(measure(r2(), { output: [2], target: [2] }, [1, 5, 3, 5], [1, 4, 3, 6], 2)).toBe((1 + 0) / 2);
  });
});

it('computes exponentials without the engine', () => {
  for (let x = -700; x <= 709; x += 0.37) expect(exponential(x) / Math.exp(x)).toBeCloseTo(1, 14);
  expect([exponential(0), exponential(710), exponential(-800)]).toEqual([1, Number.POSITIVE_INFINITY, 0]);
});
