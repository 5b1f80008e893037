import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { TrainResult } from '../../scripts/training/result.js';
import { nativeIsas } from '../../shared/kernels/native-kernels.js';
import { start, temporaryFolder } from '../support/process.js';

/** Three trainings, and as many dictionaries. */
const TIMEOUT_MS = 120_000;
const SHORT = ['--steps', 2, '--batch', 12, '--leaf', 4, '--json'];

it(
  'translate: the same bits and metrics by 1, 2 and 3 workers and every build',
  async () => {
    const data = temporaryFolder();
    const write = (name: string, words: readonly string[]) => {
      // So many that 25 are held out.
      const lines = Array.from({ length: 1800 }, (_, i) =>
        [i, i * i + 1, i * 3, i * i * i, i + 5].map((number) => words[number % 11]).join(' '),
      );
      writeFileSync(join(data, name), `${lines.join('\n')}\n`);
    };
    write('source.txt', 'one two three four five six seven eight nine ten eleven'.split(' '));
    write('target.txt', 'uno dos tres cuatro cinco seis siete ocho nueve diez once'.split(' '));
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
      const run = start(['train', 'translate', ...SHORT, ...options], temporaryFolder());
      const { status, stdout, stderr } = await run.ended;
      expect(status, stderr).toBe(0);
      results.push(JSON.parse(stdout) as TrainResult);
    }
    const [first] = results;
    // Every word has one translation: the dictionary is right, an untrained network is not.
    expect(first?.metrics.dictionaryBleu).toBe(1);
    expect(first?.metrics.bleu).toBeLessThan(0.1);
    for (const { weightsSha256, metrics } of results) {
      expect(weightsSha256).toBe(first?.weightsSha256);
      expect(metrics).toEqual(first?.metrics);
    }
  },
  TIMEOUT_MS,
);
