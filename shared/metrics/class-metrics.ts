/*
 * Metrics of classifiers, from counts: exact integers, and one division at the end. 0 / 0 counts as 0.
 */
import { UserError } from '../errors.js';
import { argMax } from './arg-max.js';
import type { Accumulator, MeasuredRows, Metric, MetricInput } from './metric.js';
import { truthRanks } from './top-k.js';

/** How the numbers of the classes become one. */
export type Average = 'macro' | 'micro' | 'weighted';

export interface ClassMetricOptions {
  /** Of a model with several outputs, the one that is measured; its name is part of the metric's. */
  readonly output?: string;
  /** The field of the data that holds the classes. Default: the target of the loss. */
  readonly target?: string;
  /**
   * macro: the mean over the classes; weighted: the mean weighted by the samples of each class; micro: from the counts of all
   * classes together. Of a yes or no, the numbers of yes, and this is left out. Default: macro.
   */
  readonly average?: Average;
}

/** How outputs and targets of classes are read. */
export interface ClassTerms {
  /** 1 for yes or no: each output element is the probability of yes. */
  readonly classes: number;
  /** Calls back for every term that is not ignored, in order. @param scores the outputs of its classes */
  each(samples: MeasuredRows, visit: (scores: Float32Array, truth: number) => void): void;
}

/**
 * How the outputs of a classifier are compared with its targets: class numbers, a probability for each class, or yes and no.
 * @throws UserError when the targets do not fit the outputs
 */
export function classTerms(metric: string, { output, target, loss, ignored }: MetricInput): ClassTerms {
  const elements = sizeOf(output);
  const width = output.at(-1) ?? 1;
  const targets = target === undefined ? 0 : sizeOf(target);
  const isBinary = targets === elements && (width === 1 || loss === 'binaryCrossentropy');
  if (isBinary)
    return {
      classes: 1,
      each({ outputs, targets: truth }, visit) {
        for (let i = 0; i < outputs.length; i++)
          visit(outputs.subarray(i, i + 1), (truth[i] as number) >= 0.5 ? 1 : 0);
      },
    };
  if (targets === elements)
    return {
      classes: width,
      each({ outputs, targets: truth }, visit) {
        for (let at = 0; at < outputs.length; at += width)
          visit(outputs.subarray(at, at + width), argMax(truth.subarray(at, at + width)));
      },
    };
  if (targets * width === elements)
    return {
      classes: width,
      each({ outputs, targets: truth }, visit) {
        for (let i = 0; i < truth.length; i++)
          if (truth[i] !== ignored) visit(outputs.subarray(i * width, (i + 1) * width), truth[i] as number);
      },
    };
  throw new UserError(
    `the metric ${metric} compares classes: an output of shape [${output.join(', ')}] and a target of shape ` +
      `[${(target ?? []).join(', ')}] do not fit; leave it out, or name the field of the classes, { target: 'label' }`,
  );
}

/** The class that scores say; of yes or no, 1 from a probability of one half. */
function decide(scores: Float32Array): number {
  return scores.length === 1 ? Number((scores[0] as number) >= 0.5) : argMax(scores);
}

/** The share of terms whose likeliest class is right. */
export function accuracy(options: Omit<ClassMetricOptions, 'average'> = {}): Metric {
  return ranked('accuracy', options, (scores, truth) => decide(scores) === truth);
}

/** The share of terms whose class is among the k likeliest. */
export function topK(k = 5, options: Omit<ClassMetricOptions, 'average'> = {}): Metric {
  if (!Number.isInteger(k) || k < 1) throw new UserError(`topK() takes a whole number from 1, not ${k}`);
  return ranked(
    `top${k}Accuracy`,
    options,
    (scores, truth) => (truthRanks(scores, [truth], scores.length)[0] as number) < k,
  );
}

/** The share of terms that are right. */
function ranked(
  name: string,
  { target, output }: ClassMetricOptions,
  isRight: (scores: Float32Array, truth: number) => boolean,
): Metric {
  return {
    ...placeOf(name, { target, output }),
    start(input): Accumulator {
      const terms = classTerms(name, input);
      let right = 0;
      let all = 0;
      return {
        add(samples) {
          terms.each(samples, (scores, truth) => {
            right += Number(isRight(scores, truth));
            all += 1;
          });
        },
        result: () => share(right, all),
      };
    },
  };
}

/** What was counted of one class. */
interface ClassCounts {
  /** Terms of the class that were found. */
  hits: number;
  /** Terms that were taken for the class. */
  predicted: number;
  /** Terms of the class. */
  actual: number;
}

/** Of the terms that were taken for a class, the share that is of it. */
export function precision(options: ClassMetricOptions = {}): Metric {
  return counted('precision', options, ({ hits, predicted }) => share(hits, predicted));
}

/** Of the terms of a class, the share that was found. */
export function recall(options: ClassMetricOptions = {}): Metric {
  return counted('recall', options, ({ hits, actual }) => share(hits, actual));
}

/** The harmonic mean of precision and recall: 2 hits / (predicted + actual). */
export function f1(options: ClassMetricOptions = {}): Metric {
  return counted('f1', options, ({ hits, predicted, actual }) => share(2 * hits, predicted + actual));
}

function counted(
  name: string,
  { target, output, average = 'macro' }: ClassMetricOptions,
  measure: (counts: ClassCounts) => number,
): Metric {
  return {
    ...placeOf(name, { target, output }),
    start(input): Accumulator {
      const terms = classTerms(name, input);
      const isBinary = terms.classes === 1;
      const counts = Array.from({ length: isBinary ? 2 : terms.classes }, () => ({
        hits: 0,
        predicted: 0,
        actual: 0,
      }));
      return {
        add(samples) {
          terms.each(samples, (scores, truth) => {
            const found = decide(scores);
            const [own, taken] = [counts[truth], counts[found]] as [ClassCounts, ClassCounts];
            own.actual += 1;
            taken.predicted += 1;
            if (found === truth) own.hits += 1;
          });
        },
        result: () => (isBinary ? measure(counts[1] as ClassCounts) : averageOf(counts, average, measure)),
      };
    },
  };
}

function averageOf(
  counts: readonly ClassCounts[],
  average: Average,
  measure: (counts: ClassCounts) => number,
): number {
  const total = (part: keyof ClassCounts): number => counts.reduce((sum, count) => sum + count[part], 0);
  if (average === 'micro')
    return measure({ hits: total('hits'), predicted: total('predicted'), actual: total('actual') });
  const weight = ({ actual }: ClassCounts): number => (average === 'weighted' ? actual : 1);
  const weights = counts.reduce((sum, count) => sum + weight(count), 0);
  return share(
    counts.reduce((sum, count) => sum + weight(count) * measure(count), 0),
    weights,
  );
}

/** The name of a metric, and what it compares. */
export function placeOf(
  name: string,
  { target, output }: Pick<Metric, 'target' | 'output'>,
): Pick<Metric, 'name' | 'target' | 'output'> {
  const own = `${output}${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
  return { name: output === undefined ? name : own, target, output };
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
