import type { MetricsRecord } from '../../coordinator/run-directory.js';

/** What a run says of itself, as far as it still holds. */
export interface RunTruth {
  /** What was written down of each step that is part of the run: its means by name. */
  readonly steps: ReadonlyMap<number, MetricsRecord>;
  /** Hash of the weights by the steps done before. */
  readonly weights: ReadonlyMap<number, string>;
  /** What evaluations came to, by the steps done before. */
  readonly evaluations: ReadonlyMap<number, MetricsRecord>;
  /** The step whose weights the run has ended with, where these are not the last. */
  readonly restored: number | undefined;
  /** The step from which on the settings were those of now. */
  readonly settledAt: number;
}

/**
 * Reads the lines of metrics.jsonl. Steps that were taken back, or done again after a restart, count as they were done
 * last.
 */
export function runTruth(records: readonly MetricsRecord[]): RunTruth {
  const steps = new Map<number, MetricsRecord>();
  const weights = new Map<number, string>();
  const evaluations = new Map<number, MetricsRecord>();
  let settledAt = 0;
  let restored: number | undefined;
  const undo = (to: number): void => {
    for (const map of [steps, weights, evaluations])
      for (const step of [...map.keys()]) if (step > to) map.delete(step);
  };
  for (const record of records) {
    const { step, event, to, weightsSha256, changes } = record;
    if (typeof step !== 'number') continue;
    if (event === 'reverted' && typeof to === 'number') undo(to);
    else if (event === 'checkpoint' && typeof weightsSha256 === 'string') weights.set(step, weightsSha256);
    else if (event === 'restored' && typeof to === 'number' && typeof weightsSha256 === 'string') {
      restored = to;
      // A checkpoint of it may have been passed over.
      if (!weights.has(to)) weights.set(to, weightsSha256);
    } else if (event === 'resumed') {
      restored = undefined;
      if (changes !== undefined) settledAt = step;
    } else if (event === undefined && 'epoch' in record) steps.set(step, record);
    else if (event === undefined) evaluations.set(step, { ...evaluations.get(step), ...record });
  }
  return { steps, weights, evaluations, restored, settledAt };
}
