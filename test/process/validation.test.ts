import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { TrainResult } from '../../trainer/result.js';
import { trainHere, verifyHere } from '../support/in-process.js';
import { readLines, writeLines } from '../support/metrics.js';
import { smallData, writeFiles } from '../support/process-data.js';

/*
 * Evaluations use validation samples; the test samples are measured once, with the final weights. These are a moving average, whose
 * best was restored.
 */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-validation-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const METRICS = 'top3,precision,recall,f1,auc,perplexity';
const MEASURED = ['Accuracy', 'Auc', 'F1', 'Loss', 'Perplexity', 'Precision', 'Recall', 'Top3Accuracy'];
const SIZE = ['--batch', 64, '--leaf', 8, '--epochs', 40, '--data', DATA, '--validation', 0.2];
const RUN = [...SIZE, '--evaluate-every', 6, '--early-stopping', 3, '--metrics', METRICS, '--ema', 0.9];

afterAll(() => rmSync(ROOT, { recursive: true }));

describe('a validation set', () => {
  it('decides early stopping, and leaves the test set to one measurement at the end', async () => {
    const folder = join(ROOT, 'run');
    const { text, result, problem } = await trainHere([...RUN, '--workers', 1, '--run-dir', folder]);
    expect(problem).toBeUndefined();
    const { best, metrics, weightsSha256, exitReason } = result as unknown as TrainResult;
    expect(exitReason).toBe('stopped');
    expect(metrics.validationLoss).toBe(best?.loss);
    const names = ['test', 'validation'].flatMap((set) => MEASURED.map((name) => set + name));
    expect(Object.keys(metrics).sort()).toEqual(names);
    // Macro recall is a mean over classes, accuracy over samples; the classes are drawn at random.
    expect(metrics.testPerplexity).toBeCloseTo(Math.exp(metrics.testLoss ?? 0), 12);
    expect(metrics.testTop3Accuracy).toBeGreaterThan(metrics.testAccuracy ?? 1);
    expect(Math.abs((metrics.validationAuc ?? 0) - 0.5)).toBeLessThan(0.15);
    expect(text).toMatch(/epoch .*: validationLoss .*, validationF1 0\.\d{4}, validationAuc/);
    const [, aside] = /(\d+) of 500 training samples are set aside for validation/.exec(text) ?? [];
    expect(Number(aside)).toBeGreaterThan(60);
    expect(Number(aside)).toBeLessThan(140);

    const lines = readLines(join(folder, 'metrics.jsonl'));
    const measured = lines.filter((line) => JSON.stringify(line).includes('testLoss'));
    expect(measured).toHaveLength(1);
    expect(measured[0]).toMatchObject({ event: 'measured', metrics: { testLoss: metrics.testLoss } });

    const others = await trainHere([...RUN, '--workers', 3, '--run-dir', join(ROOT, 'others')]);
    expect(others.result).toMatchObject({ metrics, weightsSha256 });
    expect(await verifyHere([folder, '--data', DATA])).toMatchObject({ result: { ok: true, weightsSha256 } });
    writeLines(
      join(folder, 'metrics.jsonl'),
      lines.map((line) =>
        line.event === 'measured' ? { ...line, metrics: { ...metrics, testLoss: 9 } } : line,
      ),
    );
    expect((await verifyHere([folder, '--data', DATA])).problem).toMatch(/the \w+ measured in the end/);
  });

  it('is refused where its share makes no sense', async () => {
    const { problem } = await trainHere(['--data', DATA, '--validation', 1]);
    expect(problem).toBe('--validation takes a share above 0 and below 1, such as 0.1, not "1"');
  });

  it('is measured again when a finished run goes on with more steps', async () => {
    const size = ['--workers', 1, '--data', DATA, '--batch', 64, '--leaf', 8, '--validation', 0.2];
    const whole = await trainHere([...size, '--steps', 16, '--run-dir', join(ROOT, 'whole')]);
    const folder = join(ROOT, 'longer');
    await trainHere([...size, '--steps', 8, '--run-dir', folder]);
    const longer = await trainHere(['--resume', folder, '--steps', 16, '--workers', 1]);
    expect(longer.problem).toBeUndefined();
    const { weightsSha256, metrics } = whole.result as unknown as TrainResult;
    expect(longer.result).toMatchObject({ weightsSha256, metrics });
    expect((await verifyHere([folder])).result).toMatchObject({ ok: true, weightsSha256 });
  });
});
