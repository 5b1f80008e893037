import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../shared/actor/clock.js';
import { median } from '../support/gauge.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { type Blow, Soak, undisturbedSha256 } from '../support/soak.js';

/*
 * Workers of a real run are killed, frozen, and cut off in the midst of a frame, at random. A few by default; for longer:
 *
 *     UNISUM_SOAK_BLOWS=200 npx vitest run test/process/soak.test.ts
 *     UNISUM_SOAK_SECONDS=1800 npx vitest run test/process/soak.test.ts
 *
 * The figures are printed then, and time and memory are held to what is promised: they mean something only on a machine
 * that has nothing else to do.
 */
const BLOWS = Number(process.env.UNISUM_SOAK_BLOWS ?? 5);
const SECONDS = Number(process.env.UNISUM_SOAK_SECONDS ?? 0);
const isLong = SECONDS > 0 || process.env.UNISUM_SOAK_BLOWS !== undefined;
const SEED = Number(process.env.UNISUM_SOAK_SEED ?? 1);

/** Most that a blow may cost besides a step, when the connection breaks and when nothing is heard. */
const LOST_MS_MAX: Readonly<Record<Blow, number>> = { kill: 200, cut: 200, freeze: 2000 };

/** Most that memory may grow from the second quarter of a soak to the last. */
const GROWTH_MOST = 1.1;

const ROOT = mkdtempSync(join(tmpdir(), 'unisum-soak-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
afterAll(() => rmSync(ROOT, { recursive: true }));

describe('a run whose workers are struck at random', () => {
  it(
    'ends with the weights of an undisturbed one, and leaks nothing',
    async () => {
      const begunMs = systemClock.nowMs();
      const goesOn = (blows: number): boolean =>
        SECONDS > 0 ? systemClock.nowMs() - begunMs < SECONDS * 1000 : blows < BLOWS;
      const { damages, weightsSha256, ...figures } = await new Soak(SEED, ROOT).run(DATA, goesOn);
      expect(weightsSha256).toBe(await undisturbedSha256(DATA, figures.steps));
      const lasting = Object.entries({ coordinator: figures.coordinator, worker: figures.worker });
      for (const [who, { handles }] of lasting) expect(handles[1], who).toBeLessThanOrEqual(handles[0]);
      if (!isLong) return;
      const worst = Object.fromEntries(
        Object.keys(LOST_MS_MAX).map((blow) => {
          const lost = damages.filter((one) => one.blow === blow).map(({ lostMs }) => lostMs);
          return [blow, { times: lost.length, medianMs: median(lost), mostMs: Math.max(...lost) }];
        }),
      );
      const tooMuch = damages.filter(
        ({ blow, lostMs }) => lostMs > LOST_MS_MAX[blow] + 2 * figures.medianStepMs,
      );
      process.stderr.write(`${JSON.stringify({ blows: damages.length, worst, tooMuch, ...figures })}\n`);
      expect(tooMuch).toEqual([]);
      // Of fewer blows most are dealt while processes warm up.
      if (damages.length < 100) return;
      for (const [who, { mebibytes }] of lasting)
        expect(mebibytes[1], who).toBeLessThan(GROWTH_MOST * mebibytes[0]);
    },
    isLong ? 7_200_000 : 60_000,
  );
});
