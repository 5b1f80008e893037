import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { saveSafetensors } from '../../shared/files/safetensors.js';
import { run, start } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';

/* A run is done again and held to what it says of itself. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-verify-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = join(ROOT, 'r');
const METRICS = join(RUN, 'metrics.jsonl');
afterAll(() => rmSync(ROOT, { recursive: true }));

const verify = (...args: string[]) => start(['verify', RUN, '--workers', '2', ...args]).ended;

beforeEach(async () => {
  const words = ['--batch', 64, '--leaf', 8, '--steps', 60, '--checkpoint-every', 20, '--workers', 1];
  const { status, stderr } = await run('train', ...words, '--data', DATA, '--run-dir', RUN);
  expect(status, stderr).toBe(0);
});

describe('verify', () => {
  it('does all steps of a run again, or some stretches of it', async () => {
    const whole = await verify('--json');
    expect(whole.status, whole.stderr).toBe(0);
    expect(JSON.parse(whole.stdout)).toMatchObject({ ok: true, checkedSteps: 60 });
    // On a slow disk a short run is over before its first checkpoint is safe; a longer one then has the end of the first.
    const longer = await run('train', '--resume', RUN, '--steps', 100);
    expect(longer.status, longer.stderr).toBe(0);
    const some = await verify('--json', '--sample', '1');
    expect(some.status, some.stderr).toBe(0);
    const { checkedSteps } = JSON.parse(some.stdout) as { checkedSteps: number };
    expect(checkedSteps).toBeGreaterThan(0);
    expect(checkedSteps).toBeLessThan(100);
  });

  it('goes on from where settings were changed, however many checkpoints came after', async () => {
    const changed = await run('train', '--resume', RUN, '--lr', 0.05, '--steps', 400);
    expect(changed.status, changed.stderr).toBe(0);
    const whole = await verify('--json');
    expect(whole.status, whole.stderr).toBe(0);
    expect(JSON.parse(whole.stdout)).toMatchObject({ ok: true, checkedSteps: 340 });
  });

  it('names the step that departs', async () => {
    const lines = readFileSync(METRICS, 'utf8').trim().split('\n');
    const altered = lines.map((line) => {
      const record = JSON.parse(line) as { step: number; loss?: number };
      if (record.step === 33 && record.loss !== undefined) record.loss += 2 ** -40;
      return JSON.stringify(record);
    });
    writeFileSync(METRICS, `${altered.join('\n')}\n`);
    const { status, stderr } = await verify();
    expect(stderr).toMatch(
      /\nunisum: [^\n]* departs at step 33: its loss is [^\n]*, and was recorded as [^\n]*; the weights after step \d+ were right\n$/,
    );
    expect(status).toBe(1);
  });

  it('sees weights that are not those of the run', async () => {
    const values = Float32Array.of(1);
    await saveSafetensors(join(RUN, 'weights.safetensors'), [{ name: 'w', shape: [1], values }]);
    const { status, stderr } = await verify();
    expect(stderr).toMatch(
      /^unisum: [^\n]* departs at step 60: weights.safetensors holds other weights than recorded\n$/,
    );
    expect(status).toBe(1);
  });
});
