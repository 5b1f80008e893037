/*
 * Metrics of predicted numbers y with targets t, in the units that the network sees. Sums run over all elements in order.
 */
import { UserError } from '../errors.js';
import { placeOf } from './class-metrics.js';
import type { Accumulator, MeasuredRows, Metric, MetricInput } from './metric.js';

export interface ErrorMetricOptions {
  /** Of a model with several outputs, the one that is measured; its name is part of the metric's. */
  readonly output?: string;
  /** The field of the data that holds the targets. Default: the target of the loss. */
  readonly target?: string;
}

/** The mean of |y - t|. */
export function meanAbsoluteError(options: ErrorMetricOptions = {}): Metric {
  return meanOf(
    'meanAbsoluteError',
    options,
    (error) => Math.abs(error),
    (mean) => mean,
  );
}

/** The square root of the mean of (y - t)^2. */
export function rootMeanSquaredError(options: ErrorMetricOptions = {}): Metric {
  return meanOf('rootMeanSquaredError', options, (error) => error * error, Math.sqrt);
}

function meanOf(
  name: string,
  options: ErrorMetricOptions,
  measure: (error: number) => number,
  finish: (mean: number) => number,
): Metric {
  return {
    ...placeOf(name, options),
    start(input): Accumulator {
      elementsOf(name, input);
      let sum = 0;
      let count = 0;
      return {
        add({ outputs, targets }) {
          for (let i = 0; i < outputs.length; i++)
            sum += measure((outputs[i] as number) - (targets[i] as number));
          count += outputs.length;
        },
        result: () => finish(sum / count),
      };
    },
  };
}

/**
 * The share of the targets' variance that is explained, 1 - sum (y - t)^2 / sum (t - mean)^2: of several outputs, the mean of
 * their shares. The variance is summed as by Welford (1962). Of targets that are all equal, 1 if they are met, else 0.
 */
export function r2(options: ErrorMetricOptions = {}): Metric {
  return {
    ...placeOf('r2', options),
    start(input): Accumulator {
      const elements = elementsOf('r2', input);
      const [means, squares, errors] = [0, 1, 2].map(() => new Float64Array(elements)) as [
        Float64Array,
        Float64Array,
        Float64Array,
      ];
      let count = 0;
      const addRow = ({ outputs, targets }: MeasuredRows, at: number): void => {
        count += 1;
        for (let i = 0; i < elements; i++) {
          const [y, t] = [outputs[at + i], targets[at + i]] as [number, number];
          errors[i] = (errors[i] as number) + (y - t) * (y - t);
          const before = t - (means[i] as number);
          means[i] = (means[i] as number) + before / count;
          squares[i] = (squares[i] as number) + before * (t - (means[i] as number));
        }
      };
      return {
        add(samples) {
          for (let at = 0; at < samples.outputs.length; at += elements) addRow(samples, at);
        },
        result() {
          const shares = errors.map((error, i) => {
            const square = squares[i] as number;
            return square === 0 ? Number(error === 0) : 1 - error / square;
          });
          return shares.reduce((sum, share) => sum + share, 0) / elements;
        },
      };
    },
  };
}

/** The number of elements of an output. @throws UserError when the target has another number */
function elementsOf(metric: string, { output, target }: MetricInput): number {
  const size = (shape: readonly number[]): number => shape.reduce((product, each) => product * each, 1);
  if (target !== undefined && size(output) === size(target)) return size(output);
  throw new UserError(
    `the metric ${metric} compares numbers: an output of shape [${output.join(', ')}] and a target of shape ` +
      `[${(target ?? []).join(', ')}] do not fit; leave it out, or name the field of the targets, { target: 'y' }`,
  );
}
