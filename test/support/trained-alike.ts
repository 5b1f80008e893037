import { expect } from 'vitest';
import type { TrainResult } from '../../scripts/training/result.js';
import { nativeIsas } from '../../shared/kernels/native-kernels.js';
import { start, temporaryFolder } from './process.js';

/** Short enough for three trainings, and what is printed as an object. */
const SHORT = ['--steps', 2, '--batch', 12, '--leaf', 4, '--json'];

/**
 * Trains a recipe a little by 1, 2 and 3 workers, on wasm and native: all must end with the same bits and metrics.
 * @returns the metrics
 */
export async function trainedAlike(recipe: string, data: string): Promise<TrainResult['metrics']> {
  // Where there is no C compiler, there is one build only.
  const other = nativeIsas().length > 0 ? 'native' : 'wasm';
  const results: TrainResult[] = [];
  for (const [workers, backend, threads] of [
    [1, 'wasm', 2],
    [2, other, 1],
    [3, other, 1],
  ] as const) {
    const place = ['--workers', workers, '--backend', backend, '--threads', threads];
    const run = start(['train', recipe, ...SHORT, '--data', data, ...place], temporaryFolder());
    const { status, stdout, stderr } = await run.ended;
    expect(status, stderr).toBe(0);
    results.push(JSON.parse(stdout) as TrainResult);
  }
  const [first] = results as [TrainResult];
  for (const { weightsSha256, metrics } of results) {
    expect(weightsSha256).toBe(first.weightsSha256);
    expect(metrics).toEqual(first.metrics);
  }
  return first.metrics;
}
