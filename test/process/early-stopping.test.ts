import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainResult } from '../../scripts/training/result.js';
import { loadSafetensors } from '../../shared/files/safetensors.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import { type Ended, run, start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';

/* Labels drawn at random: a network learns them by heart, and soon gets worse on others. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-early-stopping-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const SIZE = ['train', '--batch', 64, '--leaf', 8, '--epochs', 400, '--data', DATA, '--json'];
const SCHEDULE = ['--schedule', 'reduceOnPlateau:factor=0.5,patience=2,minLr=0.0002,cooldown=1'];
const RUN = [...SIZE, ...SCHEDULE, '--early-stopping', '12:minDelta=0.0001', '--evaluate-every', 6];

let undisturbed: TrainResult;
const folder = join(ROOT, 'undisturbed');
beforeAll(async () => {
  undisturbed = resultOf(await run(...RUN, '--workers', 1, '--run-dir', folder));
});
afterAll(() => rmSync(ROOT, { recursive: true }));

function resultOf({ status, stdout, stderr }: Ended): TrainResult {
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as TrainResult;
}

describe('a run that evaluations decide about', () => {
  it('ends early with the weights and metrics of its best evaluation, and tells why', async () => {
    const { steps, best, restoredStep, ending, metrics } = undisturbed;
    expect(ending).toBe('stopped');
    expect(steps % 6).toBe(0);
    expect(restoredStep).toBe(best?.step);
    expect(best?.step).toBeLessThanOrEqual(steps - 12 * 6);
    expect(metrics.testLoss).toBe(best?.loss);
    const file = join(folder, 'weights.safetensors');
    expect(weightsSha256((await loadSafetensors(file)).tensors)).toBe(undisturbed.weightsSha256);
    // The same weights as those of a run that ends there.
    const short = [...SIZE.filter((word) => word !== '--epochs' && word !== 400), ...SCHEDULE];
    const atBest = resultOf(
      await run(...short, '--evaluate-every', 6, '--workers', 1, '--steps', best?.step ?? 0),
    );
    expect(atBest.weightsSha256).toBe(undisturbed.weightsSha256);
    expect(atBest.metrics).toEqual(metrics);
  });

  it.each([2, 3])('comes to the same bits with %i workers', async (workers) => {
    const ended = await run(...RUN, '--workers', workers);
    const { steps, best, metrics, weightsSha256 } = undisturbed;
    expect(resultOf(ended)).toMatchObject({ steps, best, metrics, weightsSha256 });
    expect(ended.stderr).toContain(`stopped early at step ${steps}: 12 evaluations in a row brought no`);
    expect(ended.stderr).toContain(
      'no evaluation is better than before: the learning rate falls to 0.0005\n',
    );
  });

  it('goes on after its coordinator was killed, to the same end', async () => {
    const place = temporaryFolder();
    const first = start([...RUN, '--workers', 2, '--checkpoint-every', 7, '--run-dir', 'r'], place);
    await first.prints(/the learning rate falls/);
    first.signal('SIGKILL');
    await first.ended;
    const again = resultOf(await start(['train', '--resume', 'r', '--json'], place).ended);
    const { steps, best, metrics, weightsSha256 } = undisturbed;
    expect(again).toMatchObject({ steps, best, metrics, weightsSha256, ending: 'stopped' });
    const { status, stderr } = await run('verify', join(place, 'r'));
    expect(status, stderr).toBe(0);
    // What has stopped has nothing more to do, and more patience lets it go on from where it was.
    const still = resultOf(await start(['train', '--resume', 'r', '--json'], place).ended);
    expect(still).toMatchObject({ steps, best, metrics, weightsSha256 });
    const longer = ['train', '--resume', 'r', '--early-stopping', 14, '--json'];
    expect(resultOf(await start(longer, place).ended).steps).toBeGreaterThan(steps);
  });

  it('is done again by verify, which finds a false evaluation', async () => {
    const verified = await run('verify', folder, '--workers', 2, '--json');
    expect(verified.status, verified.stderr).toBe(0);
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, weightsSha256: undisturbed.weightsSha256 });
    const file = join(folder, 'metrics.jsonl');
    const text = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      text.replace(/("step":12,"testLoss":\d\.\d*?)\d,/, '$10,').replace(/("step":12,"testLoss":)\d/, '$19'),
    );
    const departed = await run('verify', folder);
    writeFileSync(file, text);
    expect(departed.stderr).toMatch(/departs at step 12: the testLoss after it is/);
  });
});
