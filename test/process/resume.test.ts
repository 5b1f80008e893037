import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainResult } from '../../trainer/result.js';
import { type Ended, start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { programHere, runHere } from '../support/program-here.js';

/* A run that ends early resumes from its last checkpoint and ends bit-identical to an uninterrupted run. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-resume-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = ['train', '--batch', 64, '--leaf', 8, '--json', '--data', DATA, '--schedule', 'cosine'];
const STEPS = 1500;

let uninterrupted: TrainResult;
beforeAll(async () => {
  uninterrupted = resultOf(await runHere(...RUN, '--steps', STEPS, '--workers', 1), 0);
});
afterAll(() => rmSync(ROOT, { recursive: true }));

function resultOf({ status, stdout, stderr }: Ended, expected: number): TrainResult {
  expect(status, stderr).toBe(expected);
  return JSON.parse(stdout) as TrainResult;
}

/** A run in `folder`/r that was interrupted after its first epochs. */
async function interrupted(
  folder: string,
  signal: NodeJS.Signals = 'SIGINT',
  ...more: (string | number)[]
): Promise<Ended> {
  const first = start([...RUN, '--steps', STEPS, '--workers', 2, '--run-dir', 'r', ...more], folder);
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

describe('a run that is interrupted', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'by %s saves a checkpoint, says how to resume, and ends with the same weights',
    async (signal, status) => {
      const folder = temporaryFolder();
      const ended = await interrupted(folder, signal);
      const { steps } = resultOf(ended, status);
      expect(steps).toBeLessThan(STEPS);
      expect(ended.stderr).toContain(
        `interrupted at step ${steps}, with a checkpoint; to resume:  npm start -- --resume r\n`,
      );
      const again = start(['train', '--resume', 'r', '--workers', 3, '--json'], folder);
      const result = resultOf(await again.ended, 0);
      expect((await again.ended).stderr).toContain(`r resumes from step ${steps}\n`);
      const { weightsSha256, metrics, trainLoss, samples } = uninterrupted;
      expect(result).toMatchObject({ weightsSha256, metrics, trainLoss, samples, steps: STEPS });
      // One line per step, as in an uninterrupted run.
      const losses = linesOf(folder).filter(({ loss }) => loss !== undefined);
      expect(losses.map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
    },
  );

  it('resumes from the latest undamaged checkpoint, and reports it and other files that are damaged', async () => {
    const folder = temporaryFolder();
    await interrupted(folder);
    writeFileSync(join(folder, 'r', 'checkpoints', 'members.json'), '{"unverified":');
    const [latest = ''] = checkpoints(folder)
      .filter((name) => name.startsWith('step-'))
      .slice(-1);
    const path = join(folder, 'r', 'checkpoints', latest);
    truncateSync(path, statSync(path).size - 1);
    const again = await programHere(folder, 'train', '--resume', 'r', '--json');
    expect(again.stderr).toMatch(
      new RegExp(`skipped a checkpoint: ${latest} [^\\n]* it is damaged [^\\n]*\\n`),
    );
    expect(again.stderr).toContain(
      'members.json is damaged, and was set aside as members.json.damaged: who was expelled or banned is forgotten',
    );
    expect(checkpoints(folder)).toContain('members.json.damaged');
    expect(resultOf(again, 0).weightsSha256).toBe(uninterrupted.weightsSha256);
  });

  it('tells what it has forgotten where members.json of an audited run was removed', async () => {
    const folder = temporaryFolder();
    await interrupted(folder, 'SIGINT', '--audit', 0.5);
    const file = join(folder, 'r', 'checkpoints', 'members.json');
    rmSync(file);
    const again = await programHere(folder, 'train', '--resume', 'r', '--json');
    expect(again.stderr).toContain('members.json is missing: who was expelled or banned is forgotten');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ unverified: { '': 0 } });
    expect(resultOf(again, 0).weightsSha256).toBe(uninterrupted.weightsSha256);
  });

  it('lists the settings that have changed, and refuses those that it cannot resume with', async () => {
    const folder = temporaryFolder();
    await interrupted(folder);
    const longer = await programHere(folder, 'train', '--resume', 'r', '--steps', 1600, '--lr', 0.01);
    expect(longer.stderr).toContain(
      'settings changed since then: steps 1600 (was 1500), learningRate 0.01 (was 0.001)\n',
    );
    expect(longer.status).toBe(0);
    const shorter = await programHere(folder, 'train', '--resume', 'r', '--steps', 100);
    expect(shorter.stderr).toBe(
      'unisum: the run has already done 1600 steps, more than the 100 requested; request more\n',
    );
    expect(shorter.status).toBe(2);
    const other = await programHere(folder, 'train', '--resume', 'r', '--batch', 32);
    expect(other.stderr).toMatch(
      /^unisum: the run was started with other settings: batch 32 \(was 64\); [^\n]*\n$/,
    );
    expect(other.status).toBe(2);
    const adagrad = await programHere(folder, 'train', '--resume', 'r', '--optimizer', 'sgd');
    expect(adagrad.stderr).toMatch(
      /^unisum: the run was started with the optimizer adam, not sgd; [^\n]*\n$/,
    );
  });

  it('refuses a second coordinator while the first one runs', async () => {
    const folder = temporaryFolder();
    const first = start([...RUN, '--steps', 10_000_000, '--workers', 1, '--run-dir', 'r'], folder);
    await first.prints(/epoch 1:/);
    const second = await programHere(folder, 'train', '--resume', 'r');
    expect(second.stderr).toMatch(
      /^unisum: r is in use by process \d+ on [^\n]* since [^\n]*; wait until it ends or stop it, [^\n]*\n$/,
    );
    expect(second.status).toBe(1);
    const third = await programHere(folder, ...RUN, '--steps', 10, '--workers', 1, '--run-dir', 'r');
    expect(third.stderr).toMatch(/^unisum: r is in use by process \d+ [^\n]*\n$/);
    expect(third.status).toBe(1);
    first.signal('SIGINT');
    // The files of the first are as they would be without the others.
    expect((await first.ended).status).toBe(130);
    const verified = await programHere(folder, 'verify', 'r', '--sample', '1');
    expect(verified.stderr).not.toMatch(/differs|does not belong|is missing/);
  });
});

describe('a run that is killed', () => {
  it('starts again at step 0 when nothing was saved', async () => {
    const folder = temporaryFolder();
    await interrupted(folder);
    rmSync(join(folder, 'r', 'checkpoints'), { recursive: true });
    const again = await programHere(folder, 'train', '--resume', 'r', '--json');
    expect(again.stderr).toContain('r has no checkpoint: the run starts again at step 0\n');
    expect(resultOf(again, 0).weightsSha256).toBe(uninterrupted.weightsSha256);
  });

  it('loses a line that was cut off, says so, and gives the same bits', async () => {
    const folder = temporaryFolder();
    await interrupted(folder);
    const metrics = join(folder, 'r', 'metrics.jsonl');
    truncateSync(metrics, statSync(metrics).size - 10);
    const again = await programHere(folder, 'train', '--resume', 'r', '--json');
    expect(again.stderr).toMatch(/removed line \d+ of metrics.jsonl, which was cut off\n/);
    expect(resultOf(again, 0).weightsSha256).toBe(uninterrupted.weightsSha256);
    const verified = await programHere(folder, 'verify', 'r');
    expect(verified.status, verified.stderr).toBe(0);
  });

  it('is the latest one in runs/ when none is named', async () => {
    const folder = temporaryFolder();
    expect((await programHere(folder, 'train', '--resume')).stderr).toBe(
      'unisum: there is no run in runs/: name a run directory with --resume DIR\n',
    );
    const first = start([...RUN, '--steps', STEPS, '--workers', 1], folder);
    await first.prints(/epoch 2:/);
    first.signal('SIGKILL');
    await first.ended;
    const result = resultOf(await programHere(folder, 'train', '--resume', '--json'), 0);
    expect(result.runDir).toMatch(/^runs\/mnist-mlp-/);
    expect(result.weightsSha256).toBe(uninterrupted.weightsSha256);
  });
});

describe('a full disk', () => {
  it.skipIf(process.platform === 'win32')('says how to finish a run that has a checkpoint', async () => {
    const folder = temporaryFolder();
    // Room for weights and checkpoints, but not for the metrics of all steps.
    const args = [...RUN, '--steps', 4000, '--workers', 1, '--run-dir', 'r'];
    const { status, stderr } = await start(args, folder, { fileBytesMax: 192 * 2 ** 10 }).ended;
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /unisum: cannot write r\/metrics\.jsonl: [^\n]*; then finish the run from step \d+: {2}npm start -- --resume r\n$/,
    );
  });

  it.skipIf(process.platform === 'win32')(
    'is reported once; training continues to the same weights',
    async () => {
      const folder = temporaryFolder();
      // Room for the weights (32 KiB), but not for checkpoints (96 KiB).
      const args = [...RUN, '--steps', 40, '--workers', 1, '--run-dir', 'r'];
      const ended = await start(args, folder, { fileBytesMax: 64 * 2 ** 10 }).ended;
      expect(ended.stderr.match(/no checkpoint of step/g)).toHaveLength(1);
      expect(ended.stderr).toMatch(
        /no checkpoint of step 0: it cannot be written: a file may not grow that large here; [^\n]*; the run has none yet\n/,
      );
      expect(checkpoints(folder)).toEqual([]);
      const reference = resultOf(await runHere(...RUN, '--steps', 40, '--workers', 1), 0);
      expect(resultOf(ended, 0).weightsSha256).toBe(reference.weightsSha256);
    },
  );
});
