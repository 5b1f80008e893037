import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { HonestRun } from '../support/honest-run.js';
import { verifyHere } from '../support/in-process.js';
import { readLines } from '../support/metrics.js';

/*
 * Runs that are no lie must be proven, whatever happened to them. A few by default; for more, from another seed on:
 *
 *     UNISUM_HONEST_RUNS=200 UNISUM_HONEST_SEED=1000 npx vitest run test/process/honest-runs.test.ts
 */
const RUNS = Number(process.env.UNISUM_HONEST_RUNS ?? 10);
const FIRST_SEED = Number(process.env.UNISUM_HONEST_SEED ?? 1);

const ROOT = mkdtempSync(join(tmpdir(), 'unisum-honest-'));
afterAll(() => rmSync(ROOT, { recursive: true }));

const reasons = new Map<string, number>();

/** A run of which the record of the session that had saved last was lost. */
const ONCE_FAILED = [189];

it.each([...new Set([...ONCE_FAILED, ...Array.from({ length: RUNS }, (_, i) => FIRST_SEED + i)])])(
  'the honest run of seed %i is proven',
  async (seed) => {
    const path = join(ROOT, String(seed));
    const run = new HonestRun(seed, path);
    await run.train();
    const { problem, result } = await verifyHere([path]);
    if (run.hasLostRecord)
      return expect(problem).toMatch(/begins at step \d+: the origin of that state is not recorded/);
    expect(problem, run.story.join('\n')).toBeUndefined();
    expect(result).toMatchObject({ ok: true, mode: 'full', missProbability: 0 });
    const { exitReason, steps, checkedSteps } = result as Record<string, number | string>;
    expect(checkedSteps).toBe(steps);
    expect(readLines(join(path, 'metrics.jsonl')).at(-1)).toMatchObject({
      event: 'ended',
      reason: exitReason,
    });
    reasons.set(String(exitReason), (reasons.get(String(exitReason)) ?? 0) + 1);
    rmSync(path, { recursive: true });
  },
  60_000,
);

it('the honest runs ended in several ways', () => {
  if (RUNS >= 40) expect(reasons.size).toBeGreaterThanOrEqual(3);
  if (RUNS > 40) process.stderr.write(`${JSON.stringify(Object.fromEntries(reasons))}\n`);
});
