import { UserError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import { auc } from './area-under-curve.js';
import { accuracy, f1, precision, recall, topK } from './class-metrics.js';
import { meanAbsoluteError, r2, rootMeanSquaredError } from './error-metrics.js';
import type { Metric } from './metric.js';
import { lossPerplexity } from './perplexity.js';

const METRICS: Readonly<Record<string, () => Metric>> = {
  ...{ accuracy, auc, f1, mae: meanAbsoluteError, perplexity: lossPerplexity, precision, r2, recall },
  rmse: rootMeanSquaredError,
};

/** The metrics that an option names; `top5` stands for any number. */
export const METRIC_NAMES: readonly string[] = [...Object.keys(METRICS), 'top5'];

/** The metric with this name and its default settings. @throws UserError (wrong usage) when there is none */
export function metricByName(name: string): Metric {
  const make = Object.hasOwn(METRICS, name) ? METRICS[name] : undefined;
  const [, k] = /^top(\d{1,6})$/.exec(name) ?? [];
  if (make !== undefined) return make();
  if (k !== undefined && Number(k) > 0) return topK(Number(k));
  throw new UserError(`there is no metric ${name}; ${didYouMean(name, METRIC_NAMES, 'metrics')}`, 2);
}
