import type { Plan } from '../shared/graph/plan.js';
import type { StepMetrics } from './messages.js';
import type { Metrics } from './observer.js';

/**
 * Means of the metrics, from their sums over so many samples: over all terms, or over those that count where some are
 * ignored; 0 when none does. Of right answers the mean is the accuracy.
 */
export function meansOf(
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
