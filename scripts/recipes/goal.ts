import type { Goal } from '../../coordinator/recipe.js';

/** Whether a recipe has reached what it is meant to. A metric that is missing has not been reached. */
export function isReached(goal: Goal, metrics: Readonly<Record<string, number>>): boolean {
  const value = metrics[goal.metric] ?? Number.NaN;
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost;
}

/** Such as "testAccuracy 0.9227 (at least 0.92)". */
export function describeGoal(goal: Goal, metrics: Readonly<Record<string, number>>): string {
  const bound = 'atLeast' in goal ? `at least ${goal.atLeast}` : `at most ${goal.atMost}`;
  return `${goal.metric} ${metrics[goal.metric]?.toFixed(4) ?? 'missing'} (${bound})`;
}
