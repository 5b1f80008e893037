import { metricByName } from '../shared/metrics/metric-names.js';
import { withFrozenLayers } from './frozen-layers.js';
import type { TrainSettings } from './options/train-options.js';
import type { Recipe } from './recipe.js';

/** A recipe with what options add to it: frozen layers, and metrics of evaluations. */
export function withOptions(
  recipe: Recipe,
  { freeze, metrics }: Pick<TrainSettings, 'freeze' | 'metrics'>,
): Recipe {
  const frozen = withFrozenLayers(recipe, freeze);
  if (metrics === undefined) return frozen;
  return {
    ...frozen,
    evaluationMetrics: [...(recipe.evaluationMetrics ?? []), ...metrics.map(metricByName)],
  };
}
