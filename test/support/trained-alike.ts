import { expect } from 'vitest';
import { nativeIsas } from '../../shared/kernels/native-kernels.js';
import type { TrainResult } from '../../trainer/result.js';
import { start, temporaryFolder } from './process.js';

/** A run short enough to train three times, with JSON output. */
const SHORT = ['--steps', 2, '--batch', 12, '--leaf-size', 4, '--json'];

/**
 * Trains a recipe for a few steps with 1, 2 and 3 workers, on wasm and native, and compares their bits and metrics.
 * @returns the metrics
 */
export async function trainedAlike(recipe: string, data: string): Promise<TrainResult['metrics']> {
  // Without a C compiler there is no native build.
  const other = nativeIsas().length > 0 ? 'native' : 'wasm';
  const results: TrainResult[] = [];
  for (const [workers, backend, threads] of [
    [1, 'wasm', 2],
    [2, other, 1],
    [3, other, 1],
  ] as const) {
    const machine = ['--workers', workers, '--backend', backend, '--threads', threads];
    const run = start(['train', recipe, ...SHORT, '--data', data, ...machine], temporaryFolder());
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
