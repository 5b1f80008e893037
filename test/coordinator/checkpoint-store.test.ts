import { describe, expect, it } from 'vitest';
import { encodeCheckpoint } from '../../coordinator/checkpoint.js';
import { CheckpointStore } from '../../coordinator/checkpoint-store.js';
import { sha256Hex } from '../../shared/files/sha256.js';
import type { Storage } from '../../shared/files/storage.js';
import { storageSuite } from '../suites/storage-suite.js';
import { CrashingDisk } from '../support/crashing-disk.js';

async function save(
  storage: Storage,
  step: number,
  best: number | null = null,
  pinned?: number,
): Promise<void> {
  const progress = { step, optimizer: {}, best: best === null ? null : { step: best, loss: 1 } };
  const parameters = [{ name: 'w', shape: [2], values: Float32Array.of(step, 1) }];
  const { pieces } = await encodeCheckpoint({ progress, settings: {}, parameters, slots: [] }, sha256Hex);
  await new CheckpointStore(storage, pinned).save(progress, pieces);
}

async function newest(storage: Storage): Promise<number | undefined> {
  return (await new CheckpointStore(storage).newest()).checkpoint?.progress.step;
}

const fileOf = (step: number): string => `step-${String(step).padStart(13, '0')}.safetensors`;

storageSuite(async () => new CrashingDisk());

describe('checkpoints', () => {
  it('are found by their step, the newest first, and only the last three and the best are kept', async () => {
    const disk = new CrashingDisk();
    expect(await newest(disk)).toBeUndefined();
    for (const step of [0, 9, 10, 100, 1000, 10_000]) await save(disk, step, step === 0 ? 0 : 9);
    expect((await disk.list()).sort()).toEqual([9, 100, 1000, 10_000].map(fileOf));
    expect(await newest(disk)).toBe(10_000);
  });

  it('are kept at the step at which settings were changed', async () => {
    const disk = new CrashingDisk();
    for (const step of [0, 9, 10]) await save(disk, step);
    for (const step of [11, 12, 13, 14]) await save(disk, step, null, 10);
    expect((await disk.list()).sort()).toEqual([10, 12, 13, 14].map(fileOf));
  });

  it('are found whole after the power went at whatever byte or operation', async () => {
    const whole = new CrashingDisk();
    for (const step of [1, 2, 3, 4]) await save(whole, step);
    const before = whole.work;
    await save(whole, 5);
    const units = whole.work - before;
    const found = new Set<number | undefined>();
    for (let power = 0; power <= units; power++) {
      for (const keeps of [false, true]) {
        const disk = new CrashingDisk();
        for (const step of [1, 2, 3, 4]) await save(disk, step);
        disk.setPower(power);
        const outcome = await save(disk, 5).then(
          () => 'saved',
          () => 'failed',
        );
        const after = disk.afterPowerCut(keeps);
        const step = await newest(after);
        expect([4, 5]).toContain(step);
        if (outcome === 'saved') expect(step).toBe(5);
        found.add(step);
        // The next save finds its way, and takes away what was left aside.
        await save(after, 6);
        expect(await newest(after)).toBe(6);
        expect((await after.list()).filter((name) => name.endsWith('.partial'))).toEqual([]);
      }
    }
    expect([...found].sort()).toEqual([4, 5]);
  });

  it('that a disk has torn under their own name are passed over, and told', async () => {
    const disk = new CrashingDisk();
    for (const step of [1, 2, 3]) await save(disk, step);
    const bytes = await disk.read(fileOf(3));
    for (let length = 0; length < bytes.length; length++) {
      await disk.write(fileOf(3), [bytes.subarray(0, length)]);
      const { checkpoint, damaged } = await new CheckpointStore(disk).newest();
      expect(checkpoint?.progress.step).toBe(2);
      expect(damaged).toHaveLength(1);
      expect(damaged[0]).toMatch(/^step-0000000000003\.safetensors [^\n]*; [^\n]*$/);
    }
  });

  it('under another name than their own are passed over', async () => {
    const disk = new CrashingDisk();
    for (const step of [1, 2]) await save(disk, step);
    await disk.rename(fileOf(1), fileOf(7));
    const { checkpoint, damaged } = await new CheckpointStore(disk).newest();
    expect(checkpoint?.progress.step).toBe(2);
    expect(damaged).toEqual([`${fileOf(7)} holds step 1: it was renamed; use another`]);
  });

  it('behind the step from which a run goes on are forgotten', async () => {
    const disk = new CrashingDisk();
    for (const step of [1, 2, 3]) await save(disk, step);
    await new CheckpointStore(disk).forgetAfter(2);
    expect((await disk.list()).sort()).toEqual([1, 2].map(fileOf));
  });
});
