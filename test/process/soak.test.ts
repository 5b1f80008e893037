import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../shared/actor/clock.js';
import { median } from '../support/gauge.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { type InjectedFault, Soak, undisturbedSha256 } from '../support/soak.js';

/*
 * Workers of a real run are killed, frozen, or cut off in the middle of a frame, at random. A few by default; for more:
 *
 *     UNISUM_SOAK_FAULTS=200 npx vitest run test/process/soak.test.ts
 *     UNISUM_SOAK_SECONDS=1800 npx vitest run test/process/soak.test.ts
 *
 * Then the figures are printed, and lost time and memory growth are checked against limits. They are meaningful only on
 * an idle machine.
 */
const INJECTED_FAULTS = Number(process.env.UNISUM_SOAK_FAULTS ?? 5);
const SECONDS = Number(process.env.UNISUM_SOAK_SECONDS ?? 0);
const isLong = SECONDS > 0 || process.env.UNISUM_SOAK_FAULTS !== undefined;
const SEED = Number(process.env.UNISUM_SOAK_SEED ?? 1);

/** Most time that a fault may cost besides a step, when the connection breaks and when the worker is silent. */
const LOST_MS_MAX: Readonly<Record<InjectedFault, number>> = { kill: 200, cut: 200, freeze: 2000 };

/** Largest growth of memory from the second quarter of a soak to the last. */
const GROWTH_MAX = 1.1;

const ROOT = mkdtempSync(join(tmpdir(), 'unisum-soak-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
afterAll(() => rmSync(ROOT, { recursive: true }));

describe('a run with random faults of workers', () => {
  it(
    'ends with the weights of an undisturbed run, and leaks nothing',
    async () => {
      const begunMs = systemClock.nowMs();
      const goesOn = (injectedFaults: number): boolean =>
        SECONDS > 0 ? systemClock.nowMs() - begunMs < SECONDS * 1000 : injectedFaults < INJECTED_FAULTS;
      const { faults, weightsSha256, ...stats } = await new Soak(SEED, ROOT).run(DATA, goesOn);
      expect(weightsSha256).toBe(await undisturbedSha256(DATA, stats.steps));
      const lasting = Object.entries({ coordinator: stats.coordinator, worker: stats.worker });
      for (const [who, { handles }] of lasting) expect(handles[1], who).toBeLessThanOrEqual(handles[0]);
      if (!isLong) return;
      const worst = Object.fromEntries(
        Object.keys(LOST_MS_MAX).map((injectedFault) => {
          const lost = faults
            .filter((one) => one.injectedFault === injectedFault)
            .map(({ lostMs }) => lostMs);
          return [injectedFault, { times: lost.length, medianMs: median(lost), mostMs: Math.max(...lost) }];
        }),
      );
      const tooMuch = faults.filter(
        ({ injectedFault, lostMs }) => lostMs > LOST_MS_MAX[injectedFault] + 2 * stats.medianStepMs,
      );
      process.stderr.write(
        `${JSON.stringify({ injectedFaults: faults.length, worst, tooMuch, ...stats })}\n`,
      );
      expect(tooMuch).toEqual([]);
      // With fewer faults, most of them occur while processes warm up.
      if (faults.length < 100) return;
      for (const [who, { mebibytes }] of lasting)
        expect(mebibytes[1], who).toBeLessThan(GROWTH_MAX * mebibytes[0]);
    },
    isLong ? 7_200_000 : 60_000,
  );
});
