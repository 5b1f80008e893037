/*
 * Metrics of evaluations, computed from the outputs of the network and its targets. A metric adds up the samples in the order of
 * the data set, by one thread and with additions, multiplications, divisions and square roots of doubles, or with counts. So it
 * is the same for any number of workers and threads, and on every machine. Metrics do not reach weights.
 */

/** What a metric is told before the first sample. */
export interface MetricInput {
  /** Shape of the network's output for one sample. Classifiers output probabilities, also where they are trained on logits. */
  readonly output: readonly number[];
  /** Shape of the target of one sample; undefined for a metric without one. */
  readonly target: readonly number[] | undefined;
  /** The loss of the model, such as 'sparseCategoricalCrossentropy'. */
  readonly loss: string;
  /** Class number of terms that the loss ignores, such as padding. */
  readonly ignored?: number | undefined;
}

/** Some samples, in order. */
export interface MeasuredRows {
  readonly rows: number;
  /** rows * elements of the output. */
  readonly outputs: Float32Array;
  /** rows * elements of the target; empty for a metric without one. */
  readonly targets: Float32Array;
}

/** Adds up one evaluation. */
export interface Accumulator {
  add(samples: MeasuredRows): void;
  /** @param means of the model's loss and of what it counts, over all samples */
  result(means: Readonly<Record<string, number>>): number;
}

/** A metric of evaluations. */
export interface Metric {
  /** Its name in results is this one behind "test" or "validation": f1 -> testF1. */
  readonly name: string;
  /** The field of the data that outputs are compared with; left out: the target of the loss, if it has one. */
  readonly target?: string | undefined;
  /** Of a model with several outputs, the one that is measured. */
  readonly output?: string | undefined;
  /** @throws UserError when outputs or targets do not fit */
  readonly start: (input: MetricInput) => Accumulator;
}

/** A metric of one's own. @param metric its `start` returns an accumulator for one evaluation */
export function defineMetric(metric: Metric): Metric {
  return metric;
}
