import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { TrainResult } from '../../scripts/training/result.js';
import { nativeIsas } from '../../shared/kernels/native-kernels.js';
import { start, temporaryFolder } from '../support/process.js';

/** Three trainings. */
const TIMEOUT_MS = 120_000;
const SHORT = ['--steps', 2, '--batch', 12, '--leaf', 4, '--json'];

it(
  'summarise: the same bits and metrics by 1, 2 and 3 workers and every build',
  async () => {
    const data = join(temporaryFolder(), 'texts.jsonl');
    const words = 'one two three four five six seven eight nine ten eleven'.split(' ');
    // Of 200 sources eight are held out.
    const lines = Array.from({ length: 200 }, (_, i) => {
      const [a, b] = [i, i * i + 1].map((number) => words[number % 11]);
      const source = `${i}`.replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)] as string);
      return JSON.stringify({ name: source, source, long: `${a} ${b} ${source}. More.`, short: `${a} ${b}` });
    });
    writeFileSync(data, lines.join('\n'));
    // Where there is no C compiler, there is one build only.
    const other = nativeIsas().length > 0 ? 'native' : 'wasm';
    const results: TrainResult[] = [];
    for (const [workers, backend, threads] of [
      [1, 'wasm', 2],
      [2, other, 1],
      [3, other, 1],
    ] as const) {
      const place = ['--workers', workers, '--backend', backend, '--threads', threads];
      const options = ['--data', data, ...place];
      const run = start(['train', 'summarise', ...SHORT, ...options], temporaryFolder());
      const { status, stdout, stderr } = await run.ended;
      expect(status, stderr).toBe(0);
      results.push(JSON.parse(stdout) as TrainResult);
    }
    const [first] = results;
    // The first sentence has both words of the short text, and one more.
    expect(first?.metrics.leadRougeL).toBeCloseTo(0.8, 9);
    expect(first?.metrics.rougeL).toBeLessThan(0.4);
    for (const { weightsSha256, metrics } of results) {
      expect(weightsSha256).toBe(first?.weightsSha256);
      expect(metrics).toEqual(first?.metrics);
    }
  },
  TIMEOUT_MS,
);
