import type { Plan } from '../../shared/compiler/plan.js';
import type { StepMetrics } from '../state/messages.js';
import type { Metrics } from '../state/observer.js';

/**
 * Means of the metrics, from their sums over so many samples: over all terms, or over those that count where some are
 * ignored; 0 when none counts. The mean of right answers is the accuracy.
 */
export function metricMeans(
  { metrics, terms }: Pick<Plan, 'metrics' | 'terms'>,
  sums: StepMetrics,
  samples: number,
): Metrics {
  const counted = metrics.includes('counted')
    ? (sums[metrics.indexOf('counted')] as number)
    : samples * terms;
  return Object.fromEntries(
    metrics
      .map((metric, i): [string, number] => [
        metric === 'correct' ? 'accuracy' : metric,
        counted === 0 ? 0 : (sums[i] as number) / counted,
      ])
      .filter(([name]) => name !== 'counted'),
  );
}
