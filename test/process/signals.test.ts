import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../shared/actor/clock.js';
import { type Ended, type Program, run, start } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';

/* Every command ends within a second of SIGTERM, whatever it is busy with. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-signals-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
afterAll(() => rmSync(ROOT, { recursive: true }));

/** A second, and what a busy machine may add. */
const END_MS_MAX = 2000;

/** Reads its data for a minute, without a pause in which a handler could run. */
const STUCK = writeFiles(join(ROOT, 'recipes'), {
  'stuck.js': `export const recipe = {
    summary: 'never gets its data', batch: 8, leafSize: 8, epochs: 1,
    optimizer: { name: 'sgd', learningRate: 0.1 },
    model: () => undefined,
    data: () => {
      process.stderr.write('reading\\n');
      for (const end = Date.now() + 60_000; Date.now() < end; );
    },
  };`,
});
const RECIPE = join(STUCK, 'stuck.js');
const RUN = join(ROOT, 'run');
const SIZE = ['--data', DATA, '--batch', 64, '--leaf', 8];

beforeAll(async () => {
  const { status, stderr } = await run('train', ...SIZE, '--steps', 20_000, '--workers', 1, '--run-dir', RUN);
  expect(status, stderr).toBe(0);
}, 60_000);

async function terminate(program: Program): Promise<{ ended: Ended; elapsedMs: number }> {
  const beganMs = systemClock.nowMs();
  program.signal('SIGTERM');
  const ended = await program.ended;
  return { ended, elapsedMs: systemClock.nowMs() - beganMs };
}

describe('SIGTERM ends', () => {
  it.each<[string, (string | number)[], RegExp]>([
    ['train, while it reads data', ['train', RECIPE], /reading/],
    ['lr-find, while it reads data', ['lr-find', RECIPE], /reading/],
    ['eval, while it reads data', ['eval', join(RUN, 'weights.safetensors'), '--recipe', RECIPE], /reading/],
    [
      'predict, while it reads data',
      ['predict', join(RUN, 'weights.safetensors'), '--recipe', RECIPE],
      /reading/,
    ],
    ['verify, while it computes', ['verify', RUN], /replaying steps 1 to 20000/],
    ['train, while it trains', ['train', ...SIZE, '--steps', 1_000_000], /epoch 1:/],
    [
      'train, while it waits for workers',
      ['train', ...SIZE, '--workers', 0, '--listen', '127.0.0.1:0'],
      /watch the run/,
    ],
    ['lr-find, while it trains', ['lr-find', '--data', DATA, '--batch', 64], /trying/],
    ['bench step', ['bench', 'step', '--any-load'], /batch \d+ \.\.\./],
    ['bench kernels', ['bench', 'kernels', '--any-load'], /./],
    ['bench scaling', ['bench', 'scaling', '--any-load', '--data', DATA], /repeat|points|measur|./],
    ['simulate', ['simulate', '--runs', 100_000, '--trace'], /./],
  ])('%s', async (_, words, pattern) => {
    const program = start(words);
    await program.prints(pattern);
    const { ended, elapsedMs } = await terminate(program);
    // By the signal itself, or by the status that shells give it.
    expect(ended.signal ?? ended.status, ended.stderr).toBeOneOf(['SIGTERM', 143]);
    expect(elapsedMs).toBeLessThan(END_MS_MAX);
  });

  it('worker and watch, while they wait and while they take part', async () => {
    const coordinator = start([
      'train',
      ...SIZE,
      '--steps',
      1_000_000,
      '--workers',
      0,
      '--listen',
      '127.0.0.1:0',
    ]);
    const url = await coordinator.joinUrl();
    const [, watchUrl = ''] = await coordinator.prints(/watch '([^']+)'/);
    const watcher = start(['watch', watchUrl]);
    const worker = start(['worker', url]);
    await watcher.prints(/loss/);
    for (const program of [worker, watcher]) {
      const { ended, elapsedMs } = await terminate(program);
      expect(ended.status, ended.stderr).toBe(143);
      expect(elapsedMs).toBeLessThan(END_MS_MAX);
    }
    const parted = start(['worker', url.replace(/:\d+\//, ':1/')]);
    await parted.prints(/./);
    expect((await terminate(parted)).elapsedMs).toBeLessThan(END_MS_MAX);
  });
});
