import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSafetensors } from '../../shared/files/safetensors.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import type { TrainResult } from '../../trainer/result.js';
import { readLines, writeLines } from '../support/metrics.js';
import { type Ended, start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { programHere, runHere } from '../support/program-here.js';

/* With random labels a network soon overfits: the test loss rises. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-early-stopping-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const SIZE = ['train', '--batch', 64, '--leaf', 8, '--epochs', 400, '--data', DATA, '--json'];
const SCHEDULE = ['--schedule', 'reduceOnPlateau:factor=0.5,patience=2,minLr=0.0002,cooldown=1'];
const RUN = [...SIZE, ...SCHEDULE, '--early-stopping', '12:minDelta=0.0001', '--evaluate-every', 6];

let uninterrupted: TrainResult;
const folder = join(ROOT, 'uninterrupted');
beforeAll(async () => {
  uninterrupted = resultOf(await runHere(...RUN, '--workers', 1, '--run-dir', folder));
});
afterAll(() => rmSync(ROOT, { recursive: true }));

function resultOf({ status, stdout, stderr }: Ended): TrainResult {
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as TrainResult;
}

describe('early stopping', () => {
  it('ends a run with the weights and metrics of its best evaluation, and says why', async () => {
    const { steps, best, restoredStep, exitReason, metrics } = uninterrupted;
    expect(exitReason).toBe('stopped');
    expect(steps % 6).toBe(0);
    expect(restoredStep).toBe(best?.step);
    expect(best?.step).toBeLessThanOrEqual(steps - 12 * 6);
    expect(metrics.testLoss).toBe(best?.loss);
    const file = join(folder, 'weights.safetensors');
    expect(weightsSha256((await loadSafetensors(file)).tensors)).toBe(uninterrupted.weightsSha256);
    // The weights are those of a run that ends at that step.
    const short = [...SIZE.filter((word) => word !== '--epochs' && word !== 400), ...SCHEDULE];
    const atBest = resultOf(
      await runHere(...short, '--evaluate-every', 6, '--workers', 1, '--steps', best?.step ?? 0),
    );
    expect(atBest.weightsSha256).toBe(uninterrupted.weightsSha256);
    expect(atBest.metrics).toEqual(metrics);
  });

  it.each([2, 3])('gives the same bits with %i workers', async (workers) => {
    const ended = await runHere(...RUN, '--workers', workers);
    const { steps, best, metrics, weightsSha256 } = uninterrupted;
    expect(resultOf(ended)).toMatchObject({ steps, best, metrics, weightsSha256 });
    expect(ended.stderr).toContain(
      `stopped early at step ${steps}: no improvement in 12 evaluations in a row (best: step`,
    );
    expect(ended.stderr).toContain('evaluations have stopped improving, the learning rate falls to 0.0005\n');
  });

  it('gives the same result when the coordinator is killed and the run resumed', async () => {
    const place = temporaryFolder();
    const first = start([...RUN, '--workers', 2, '--checkpoint-every', 7, '--run-dir', 'r'], place);
    await first.prints(/the learning rate falls/);
    first.signal('SIGKILL');
    await first.ended;
    const again = resultOf(await programHere(place, 'train', '--resume', 'r', '--json'));
    const { steps, best, metrics, weightsSha256 } = uninterrupted;
    expect(again).toMatchObject({ steps, best, metrics, weightsSha256, exitReason: 'stopped' });
    const { status, stderr } = await runHere('verify', join(place, 'r'));
    expect(status, stderr).toBe(0);
    // Resuming a stopped run does nothing; with more patience it continues.
    const still = resultOf(await programHere(place, 'train', '--resume', 'r', '--json'));
    expect(still).toMatchObject({ steps, best, metrics, weightsSha256 });
    const longer = ['train', '--resume', 'r', '--early-stopping', 14, '--json'];
    expect(resultOf(await start(longer, place).ended).steps).toBeGreaterThan(steps);
  });

  it('is replayed by verify, which finds a false evaluation', async () => {
    const verified = await runHere('verify', folder, '--workers', 2, '--json');
    expect(verified.status, verified.stderr).toBe(0);
    expect(JSON.parse(verified.stdout)).toMatchObject({
      ok: true,
      weightsSha256: uninterrupted.weightsSha256,
    });
    const file = join(folder, 'metrics.jsonl');
    const lines = readLines(file);
    const altered = lines.map((line) =>
      line.step === 12 && line.testLoss !== undefined ? { ...line, testLoss: 9 } : line,
    );
    writeLines(file, altered);
    const differing = await runHere('verify', folder);
    writeLines(file, lines);
    expect(differing.stderr).toMatch(/differs at step 12: the testLoss after it is/);
  });
});
