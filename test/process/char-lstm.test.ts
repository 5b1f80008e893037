import { join } from 'node:path';
import { expect, it } from 'vitest';
import { nativeIsas } from '../../shared/kernels/native-kernels.js';
import type { TrainResult } from '../../trainer/result.js';
import { start, temporaryFolder } from '../support/process.js';
import { writeFiles } from '../support/process-data.js';
import { runHere } from '../support/program-here.js';

const TEXT = Array.from({ length: 60 }, (_, i) => `${i} times ${i} is ${i * i}\n`).join('');

it('LSTMs on a text give the same bits with 1, 2 and 3 workers and every build', async () => {
  const folder = writeFiles(temporaryFolder(), { 'squares.txt': TEXT });
  const short = ['train', 'char-lstm', '--text', join(folder, 'squares.txt'), '--steps', 2, '--json'];
  // Without a C compiler there is only one build.
  const other = nativeIsas().length > 0 ? 'native' : 'wasm';
  const hashes: string[] = [];
  for (const [workers, backend] of [
    [1, 'wasm'],
    [2, other],
    [3, other],
  ] as const) {
    const { status, stdout, stderr } = await start([...short, '--workers', workers, '--backend', backend])
      .ended;
    expect(status, stderr).toBe(0);
    hashes.push((JSON.parse(stdout) as TrainResult).weightsSha256);
  }
  expect(hashes).toEqual(hashes.map(() => hashes[0]));
});

it('a missing text is reported with the option that names one', async () => {
  const { status, stderr } = await runHere('train', 'char-lstm');
  expect(status).toBe(2);
  expect(stderr).toMatch(/char-lstm needs a text to learn: name one with --text FILE/);
});
