import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { saveSafetensors } from '../../shared/files/safetensors.js';
import { editLines } from '../support/metrics.js';
import { start, temporaryFolder } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { programHere, runHere } from '../support/program-here.js';

/* A run is replayed and compared with its record. What a forger tries is in forger.test.ts. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-verify-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = join(ROOT, 'r');
const METRICS = join(RUN, 'metrics.jsonl');
afterAll(() => rmSync(ROOT, { recursive: true }));

const verify = (...args: string[]) => runHere('verify', RUN, '--workers', '2', ...args);

beforeEach(async () => {
  const words = ['--batch', 64, '--leaf', 8, '--steps', 60, '--checkpoint-every', 20, '--workers', 1];
  const kept = ['--keep-checkpoints', 'all'];
  const { status, stderr } = await runHere('train', ...words, ...kept, '--data', DATA, '--run-dir', RUN);
  expect(status, stderr).toBe(0);
});

describe('verify', () => {
  it('replays all steps of a run, or some spans of it, and says what is proven', async () => {
    const whole = await verify('--json');
    expect(whole.status, whole.stderr).toBe(0);
    expect(JSON.parse(whole.stdout)).toMatchObject({
      ...{ ok: true, mode: 'full', steps: 60, checkedSteps: 60, missProbability: 0 },
      weightsSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(whole.stderr).toContain('all 60 steps were replayed from the weights drawn from seed 0');
    expect(whole.stderr).toContain('weights.safetensors holds the weights after step 60');
    expect(whole.stderr).toContain('not proven:\n  - who computed what');
    // On a slow disk a short run may end before its first checkpoint is durable. A longer one has at least that of its start.
    const longer = await runHere('train', '--resume', RUN, '--steps', 100);
    expect(longer.status, longer.stderr).toBe(0);
    const some = await verify('--json', '--sample', '1');
    expect(some.status, some.stderr).toBe(0);
    const { checkedSteps, mode, missProbability } = JSON.parse(some.stdout) as Record<string, unknown>;
    expect(mode).toBe('sampled');
    expect(checkedSteps).toBeGreaterThan(0);
    if (checkedSteps === 100) return expect(missProbability).toBe(0);
    expect(missProbability).toBeGreaterThan(0);
    expect(some.stderr).toContain(
      'a single altered step would have been missed with a probability of at most',
    );
  });

  it('replays all settings of a run in turn, however many checkpoints came after', async () => {
    const changed = await runHere('train', '--resume', RUN, '--lr', 0.05, '--steps', 400);
    expect(changed.status, changed.stderr).toBe(0);
    const whole = await verify('--json');
    expect(whole.status, whole.stderr).toBe(0);
    expect(JSON.parse(whole.stdout)).toMatchObject({ ok: true, checkedSteps: 400 });
    expect(whole.stderr).toContain('under 2 settings in turn');
  });

  it('reports the first step that differs', async () => {
    editLines(METRICS, (lines) =>
      lines.map((line) =>
        line.step === 33 && typeof line.loss === 'number' ? { ...line, loss: line.loss + 2 ** -40 } : line,
      ),
    );
    const { status, stderr, stdout } = await verify('--json');
    expect(stderr).toMatch(
      /\nunisum: [^\n]* differs at step 33: its loss is [^\n]*, and was recorded as [^\n]*; the weights after step \d+ were right\n$/,
    );
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, problem: expect.stringContaining('step 33') });
  });

  it('reports the first line that was altered without its hash', async () => {
    const text = readFileSync(METRICS, 'utf8');
    writeFileSync(METRICS, text.replace('"step":33,', '"step":34,'));
    const { status, stderr } = await verify();
    expect(stderr).toMatch(
      /^unisum: [^\n]* is not proven: line \d+ of metrics.jsonl is not part of the chain: its hash does not fit[^\n]*\n$/,
    );
    expect(status).toBe(1);
  });

  it('finds weights that are not those of the run', async () => {
    const values = Float32Array.of(1);
    await saveSafetensors(join(RUN, 'weights.safetensors'), [{ name: 'w', shape: [1], values }]);
    const { status, stderr } = await verify();
    expect(stderr).toMatch(
      /^unisum: [^\n]* is not proven: weights.safetensors does not hold the parameters of the network\n$/,
    );
    expect(status).toBe(1);
  });

  it('says of a run that was killed what is missing, and proves it once it has gone on', async () => {
    const folder = temporaryFolder();
    const words = ['train', '--batch', 64, '--leaf', 8, '--steps', 3000, '--data', DATA, '--run-dir', 'r'];
    const first = start([...words, '--checkpoint-every', 50, '--workers', 1], folder);
    await first.prints(/epoch 4:/);
    first.signal('SIGKILL');
    await first.ended;
    const killed = await programHere(folder, 'verify', 'r');
    expect(killed.stderr).toBe(
      'unisum: r is not proven: the run has not ended: it is still running, or was killed; finish it with --resume r\n',
    );
    expect(killed.status).toBe(1);
    expect((await programHere(folder, 'train', '--resume', 'r')).status).toBe(0);
    const resumed = await programHere(folder, 'verify', 'r');
    expect(resumed.status, resumed.stderr).toBe(0);
  });
});
