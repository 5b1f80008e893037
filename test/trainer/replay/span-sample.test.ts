import { describe, expect, it } from 'vitest';
import { CheckpointStore } from '../../../coordinator/storage/checkpoint-store.js';
import { SeededRandom } from '../../../shared/actor/seeded-random.js';
import { RecordedRun } from '../../../trainer/replay/recorded-run.js';
import { sampleSpans } from '../../../trainer/replay/span-sample.js';
import { CrashingDisk } from '../../support/crashing-disk.js';
import { refusalOf } from '../../support/refusal.js';

const HASH = '0'.repeat(64);
const ORIGIN = {
  ...{ recipe: 'r', options: {}, settings: {}, testData: HASH, weights: null },
  code: { version: '0', kernels: HASH },
};

/** A run of so many steps with states recorded after some of them. */
function recordedRun(steps: number, saved: readonly number[], restored?: number): RecordedRun {
  const recorded = new RecordedRun();
  let line = 0;
  const take = (record: object): void => recorded.take({ ...record }, ++line);
  take({ event: 'begun', step: 0, format: 'unisum-record/1', ...ORIGIN });
  for (let step = 1; step <= steps; step++) {
    take({ step, epoch: 1, loss: 1, workers: 1 });
    if (step === restored) take({ step, testLoss: 1 });
    if (saved.includes(step)) take({ event: 'checkpoint', step, weightsSha256: HASH, sha256: HASH });
  }
  if (restored !== undefined) take({ event: 'restored', step: steps, to: restored, weightsSha256: HASH });
  take({ event: 'ended', step: steps, reason: 'finished', weightsSha256: HASH });
  return recorded;
}

/** A folder in which the states after these steps are kept. */
async function storeOf(kept: readonly number[]): Promise<CheckpointStore> {
  const disk = new CrashingDisk();
  for (const step of kept)
    await disk.write(`step-${String(step).padStart(13, '0')}.safetensors`, [new Uint8Array(1)]);
  return new CheckpointStore(disk);
}

const SAVED = [10, 20, 70, 75, 80];

describe('a sample of spans', () => {
  it.each([1, 2, 5])('of %i draws misses a step as often as it says', async (draws) => {
    const recorded = recordedRun(100, SAVED);
    const store = await storeOf(SAVED);
    const random = new SeededRandom(draws);
    const repeats = 4000;
    const missed = new Map<number, number>();
    let promised = 0;
    let halfPromised = 0;
    for (let i = 0; i < repeats; i++) {
      const { spans, missProbability, halfMissProbability, count } = await sampleSpans(
        recorded,
        store,
        draws,
        random,
      );
      expect(count).toBe(6);
      expect(spans.at(-1)).toMatchObject({ from: 80, to: 100, endsRun: true });
      promised = Math.max(promised, missProbability);
      halfPromised = Math.max(halfPromised, halfMissProbability);
      for (const [step] of Array.from({ length: 100 }, (_, n) => [n + 1] as const))
        if (!spans.some(({ from, to }) => from < step && step <= to))
          missed.set(step, (missed.get(step) ?? 0) + 1);
    }
    // 80 steps can be drawn, in spans of 10, 10, 50, 5 and 5.
    for (const [step, length] of [
      [5, 10],
      [15, 10],
      [40, 50],
      [72, 5],
      [78, 5],
    ] as const)
      expect((missed.get(step) ?? 0) / repeats).toBeCloseTo((1 - length / 80) ** draws, 1);
    for (const step of [81, 100]) expect(missed.get(step)).toBeUndefined();
    expect(promised).toBeCloseTo((1 - 5 / 80) ** draws, 10);
    expect(halfPromised).toBe(0.5 ** draws);
    // A forger who left out half of the steps is missed no more often than half of the draws allow.
    const half = (missed.get(40) ?? 0) / repeats;
    expect(half).toBeLessThan(0.5 ** draws + 0.03);
  });

  it('always holds what the final weights stand in', async () => {
    const store = await storeOf(SAVED);
    for (let seed = 0; seed < 50; seed++) {
      const { spans } = await sampleSpans(recordedRun(100, SAVED, 72), store, 1, new SeededRandom(seed));
      expect(spans.some(({ from, to }) => from === 70 && to === 75)).toBe(true);
      expect(spans.at(-1)?.to).toBe(100);
    }
  });

  it('misses nothing where it holds everything', async () => {
    const random = new SeededRandom(1);
    const whole = await sampleSpans(recordedRun(100, []), await storeOf([]), 1, random);
    expect(whole).toMatchObject({ count: 1, missProbability: 0 });
    const { missProbability, spans } = await sampleSpans(
      recordedRun(20, [10]),
      await storeOf([10]),
      1,
      random,
    );
    expect(spans.map(({ from, to }) => [from, to])).toEqual([
      [0, 10],
      [10, 20],
    ]);
    expect(missProbability).toBe(0);
  });

  it('is refused where a span cannot be drawn', async () => {
    const attempt = sampleSpans(
      recordedRun(100, SAVED),
      await storeOf([10, 70, 75, 80]),
      9,
      new SeededRandom(1),
    );
    expect(await refusalOf(attempt)).toBe(
      'steps 21 to 70 cannot be sampled, because the checkpoint of step 20 was not kept; leave --sample out, or train with --keep-checkpoints all',
    );
  });
});
