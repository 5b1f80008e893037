import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ScalingResult } from '../../scripts/bench/scaling-bench.js';
import { scalingReport } from '../../scripts/reports/scaling/report.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** For a dozen short runs and some processes, on a machine that may be busy. */
const WAIT_MS = 240_000;

const RESULT: ScalingResult = {
  ...{
    workload: 'mlp10',
    mode: 'strong',
    spread: 'workers',
    exchange: 'step',
    workers: 1,
    oversubscribed: false,
    batch: 64,
  },
  ...{
    backend: 'wasm',
    usPerStep: 10,
    fastestUsPerStep: 9,
    slowestUsPerStep: 12,
    noise: 0.3,
    speedUp: 1,
    efficiency: 1,
  },
};

describe('the page of curves', () => {
  it('is self-contained, and escapes its data', async () => {
    const page = await scalingReport({
      title: '</script>',
      machine: 'here',
      peer: undefined,
      results: [RESULT],
    });
    expect(page).toContain('var uPlot=');
    expect(page).toContain('.u-legend');
    expect(page).toContain('"title":"\\u003c/script>"');
    expect(page).toContain('drawCurves(');
    expect(page).not.toMatch(/\/\* (chart|page|data)/);
    // An icon of no bytes lies in the page itself, so that no browser asks for one.
    expect(page).not.toMatch(/<(script|link|img)[^>]*(src|href)=(?!"data:)/);
  });
});

describe('the benchmark of scaling', () => {
  it(
    'measures local workers and processes, which end with equal hashes',
    () => {
      const args = [
        'mlp10',
        '--workers',
        '2',
        '--threads',
        '1',
        '--remote',
        '1',
        '--joined',
        '1',
        '--batch',
        '64',
      ];
      const options = ['--backend', 'wasm', '--repeats', '1', '--any-load', '--json'];
      const program = ['dist/scripts/unisum.js', 'bench', 'scaling', ...args, ...options];
      const { status, stdout, stderr } = spawnSync(process.execPath, program, {
        cwd: ROOT,
        encoding: 'utf8',
      });
      expect(stderr).toContain('strong workers');
      expect(status).toBe(0);
      const { machine, results } = JSON.parse(stdout) as { machine: object; results: ScalingResult[] };
      expect(machine).toHaveProperty('cores');
      const points = results.map(
        ({ mode, spread, workers, batch }) => `${mode} ${spread} ${workers} ${batch}`,
      );
      expect(points).toEqual([
        'strong workers 1 64',
        'strong workers 2 64',
        'strong remote 1 64',
        'weak workers 2 128',
      ]);
      expect(new Set(results.slice(0, 3).map(({ weightsSha256 }) => weightsSha256)).size).toBe(1);
      expect(results.at(-1)?.weightsSha256).not.toBe(results[0]?.weightsSha256);
      for (const { usPerStep, speedUp, split, spread, payloadBytesPerStep } of results) {
        expect(usPerStep).toBeGreaterThan(0);
        expect(speedUp).toBeGreaterThan(0);
        expect(Object.keys(split ?? {})).toEqual([
          ...['compute', 'wait', 'wire', 'reduce', 'update', 'hidden'],
        ]);
        if (spread === 'remote') expect(payloadBytesPerStep).toBeGreaterThan(2 * 7960 * 4);
        else expect(payloadBytesPerStep).toBe(0);
      }
    },
    WAIT_MS,
  );
});
