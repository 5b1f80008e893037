import { join } from 'node:path';
import { expect, it } from 'vitest';
import { nativeIsas } from '../../../shared/kernels/native-kernels.js';
import type { TrainResult } from '../../../trainer/result.js';
import { readLines } from '../../support/metrics.js';
import { temporaryFolder } from '../../support/process.js';
import { programHere } from '../../support/program-here.js';

const SHORT = ['--steps', 3, '--batch', 20, '--leaf', 4, '--json'];

const RECIPES = ['translate-dates', 'translate-dates-lstm'];

it.each(RECIPES)(
  '%s: the same bits and metrics with 1, 2 and 3 workers and every build',
  async (recipe) => {
    // Without a C compiler there is only one build.
    const other = nativeIsas().length > 0 ? 'native' : 'wasm';
    const results: TrainResult[] = [];
    for (const [workers, backend] of [
      [1, 'wasm'],
      [2, other],
      [3, other],
    ] as const) {
      const folder = temporaryFolder();
      const options = ['--workers', workers, '--backend', backend, '--run-dir', 'run'];
      const { status, stdout, stderr } = await programHere(folder, 'train', recipe, ...SHORT, ...options);
      expect(status, stderr).toBe(0);
      expect(stderr).toMatch(/measured: exactMatch [\d.]+, characterErrorRate [\d.]+/);
      const result = JSON.parse(stdout) as TrainResult;
      const { exactMatch, characterErrorRate } = result.metrics;
      const lines = readLines(join(folder, 'run', 'metrics.jsonl'));
      const measured = { event: 'measured', step: 3, metrics: { exactMatch, characterErrorRate } };
      expect(lines.at(-2)).toEqual(measured);
      results.push(result);
      if (recipe !== 'translate-dates' || workers > 1) continue;
      const verified = await programHere(folder, 'verify', 'run', '--workers', 1, '--json');
      expect(verified.status, verified.stderr).toBe(0);
      expect(verified.stderr).toContain('what was measured in the end is as recorded');
    }
    const [first] = results;
    expect(first?.metrics.characterErrorRate).toBeGreaterThan(0);
    for (const { weightsSha256, metrics } of results) {
      expect(weightsSha256).toBe(first?.weightsSha256);
      expect(metrics).toEqual(first?.metrics);
    }
  },
  90_000,
);
