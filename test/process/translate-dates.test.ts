import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { TrainResult } from '../../scripts/training/result.js';
import { nativeIsas } from '../../shared/kernels/native-kernels.js';
import { start, temporaryFolder } from '../support/process.js';

const SHORT = ['--steps', 3, '--batch', 20, '--leaf', 4, '--json'];

const RECIPES = ['translate-dates', 'translate-dates-lstm'];

it.each(RECIPES)('%s: the same bits and metrics by 1, 2 and 3 workers and every build', async (recipe) => {
  // Where there is no C compiler, there is one build only.
  const other = nativeIsas().length > 0 ? 'native' : 'wasm';
  const results: TrainResult[] = [];
  for (const [workers, backend] of [
    [1, 'wasm'],
    [2, other],
    [3, other],
  ] as const) {
    const folder = temporaryFolder();
    const options = ['--workers', workers, '--backend', backend, '--run-dir', 'run'];
    const { status, stdout, stderr } = await start(['train', recipe, ...SHORT, ...options], folder).ended;
    expect(status, stderr).toBe(0);
    expect(stderr).toMatch(/measured: exactMatch [\d.]+, characterErrorRate [\d.]+/);
    const result = JSON.parse(stdout) as TrainResult;
    const { exactMatch, characterErrorRate } = result.metrics;
    const lines = readFileSync(join(folder, 'run', 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n');
    expect(JSON.parse(lines.at(-1) as string)).toEqual({ step: 3, exactMatch, characterErrorRate });
    results.push(result);
  }
  const [first] = results;
  expect(first?.metrics.characterErrorRate).toBeGreaterThan(0);
  for (const { weightsSha256, metrics } of results) {
    expect(weightsSha256).toBe(first?.weightsSha256);
    expect(metrics).toEqual(first?.metrics);
  }
});
