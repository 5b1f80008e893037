import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainResult } from '../../scripts/training/result.js';
import { type Ended, run, start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';

/* A run that ends early, however, goes on where it was saved last, and comes to the same bits. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-resume-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = ['train', '--batch', 64, '--leaf', 8, '--json', '--data', DATA, '--schedule', 'cosine'];
const STEPS = 1500;

let undisturbed: TrainResult;
beforeAll(async () => {
  undisturbed = resultOf(await run(...RUN, '--steps', STEPS, '--workers', 1), 0);
});
afterAll(() => rmSync(ROOT, { recursive: true }));

function resultOf({ status, stdout, stderr }: Ended, expected: number): TrainResult {
  expect(status, stderr).toBe(expected);
  return JSON.parse(stdout) as TrainResult;
}

/** A run in `folder`/r that was interrupted after its first epochs. */
async function interrupted(folder: string, signal: NodeJS.Signals = 'SIGINT'): Promise<Ended> {
  const first = start([...RUN, '--steps', STEPS, '--workers', 2, '--run-dir', 'r'], folder);
  await first.prints(/epoch 3:/);
  first.signal(signal);
  return first.ended;
}

const checkpoints = (folder: string): string[] => readdirSync(join(folder, 'r', 'checkpoints')).sort();

function linesOf(folder: string): { step: number; event?: string; loss?: number }[] {
  const text = readFileSync(join(folder, 'r', 'metrics.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('a run that was interrupted', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s was saved, says how to go on, and comes to the same end', async (signal, status) => {
    const folder = temporaryFolder();
    const ended = await interrupted(folder, signal);
    const { steps } = resultOf(ended, status);
    expect(steps).toBeLessThan(STEPS);
    expect(ended.stderr).toContain(
      `interrupted at step ${steps}, and saved there; to go on:  npm start -- --resume r\n`,
    );
    const again = start(['train', '--resume', 'r', '--workers', 3, '--json'], folder);
    const result = resultOf(await again.ended, 0);
    expect((await again.ended).stderr).toContain(`r goes on from step ${steps}\n`);
    const { weightsSha256, metrics, trainLoss, samples } = undisturbed;
    expect(result).toMatchObject({ weightsSha256, metrics, trainLoss, samples, steps: STEPS });
    // One line a step, as if it had never been away.
    const losses = linesOf(folder).filter(({ loss }) => loss !== undefined);
    expect(losses.map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
  });

  it('goes on from the latest whole checkpoint when a newer one is torn, and tells', async () => {
    const folder = temporaryFolder();
    await interrupted(folder);
    const [latest = ''] = checkpoints(folder).slice(-1);
    const path = join(folder, 'r', 'checkpoints', latest);
    truncateSync(path, statSync(path).size - 1);
    const again = await start(['train', '--resume', 'r', '--json'], folder).ended;
    expect(again.stderr).toMatch(new RegExp(`passed over: ${latest} [^\\n]* it is damaged [^\\n]*\\n`));
    expect(resultOf(again, 0).weightsSha256).toBe(undisturbed.weightsSha256);
  });

  it('tells in one line which settings differ, and refuses those under which it cannot go on', async () => {
    const folder = temporaryFolder();
    await interrupted(folder);
    const longer = await start(['train', '--resume', 'r', '--steps', 1600, '--lr', 0.01], folder).ended;
    expect(longer.stderr).toContain(
      'settings that differ from then: steps 1600 (was 1500), learningRate 0.01 (was 0.001)\n',
    );
    expect(longer.status).toBe(0);
    const shorter = await start(['train', '--resume', 'r', '--steps', 100], folder).ended;
    expect(shorter.stderr).toBe(
      'unisum: the run has done 1600 steps, more than the 100 that are asked for; ask for more\n',
    );
    expect(shorter.status).toBe(2);
    const other = await start(['train', '--resume', 'r', '--batch', 32], folder).ended;
    expect(other.stderr).toMatch(
      /^unisum: the run was begun with other settings: batch 32 \(was 64\); [^\n]*\n$/,
    );
    expect(other.status).toBe(2);
    const adagrad = await start(['train', '--resume', 'r', '--optimizer', 'sgd'], folder).ended;
    expect(adagrad.stderr).toMatch(/^unisum: the run was begun with the optimizer adam, not sgd; [^\n]*\n$/);
  });

  it('is left alone by a second coordinator while the first is at work', async () => {
    const folder = temporaryFolder();
    const first = start([...RUN, '--steps', 10_000_000, '--workers', 1, '--run-dir', 'r'], folder);
    await first.prints(/epoch 1:/);
    const second = await start(['train', '--resume', 'r'], folder).ended;
    expect(second.stderr).toMatch(/^unisum: cannot listen on [^\n]*: the port is in use; [^\n]*\n$/);
    expect(second.status).toBe(1);
  });
});

describe('a run that was killed', () => {
  it('begins anew when nothing was saved', async () => {
    const folder = temporaryFolder();
    await interrupted(folder);
    rmSync(join(folder, 'r', 'checkpoints'), { recursive: true });
    const again = await start(['train', '--resume', 'r', '--json'], folder).ended;
    expect(again.stderr).toContain('r has no checkpoint: the run begins anew\n');
    expect(resultOf(again, 0).weightsSha256).toBe(undisturbed.weightsSha256);
  });

  it('is the latest in runs/ where none is named', async () => {
    const folder = temporaryFolder();
    expect((await start(['train', '--resume'], folder).ended).stderr).toBe(
      'unisum: there is no run in runs/: name its folder with --resume DIR\n',
    );
    const first = start([...RUN, '--steps', STEPS, '--workers', 1], folder);
    await first.prints(/epoch 2:/);
    first.signal('SIGKILL');
    await first.ended;
    const result = resultOf(await start(['train', '--resume', '--json'], folder).ended, 0);
    expect(result.runDir).toMatch(/^runs\/mnist-mlp-/);
    expect(result.weightsSha256).toBe(undisturbed.weightsSha256);
  });
});

describe('a disk that takes no more', () => {
  it.skipIf(process.platform === 'win32')('is told once; training goes on, to the same weights', async () => {
    const folder = temporaryFolder();
    // Room for the weights (32 KiB), but not for checkpoints (96 KiB).
    const args = [...RUN, '--steps', 40, '--workers', 1, '--run-dir', 'r'];
    const ended = await start(args, folder, { fileBytesMax: 64 * 2 ** 10 }).ended;
    expect(ended.stderr.match(/no checkpoint of step/g)).toHaveLength(1);
    expect(ended.stderr).toMatch(
      /no checkpoint of step 0: it cannot be written: a file may not grow that large here; [^\n]*; there is none yet\n/,
    );
    expect(checkpoints(folder)).toEqual([]);
    const reference = resultOf(await run(...RUN, '--steps', 40, '--workers', 1), 0);
    expect(resultOf(ended, 0).weightsSha256).toBe(reference.weightsSha256);
  });
});
