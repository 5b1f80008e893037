import { describe, expect, it } from 'vitest';
import { encodeCheckpoint } from '../../../coordinator/storage/checkpoint.js';
import { CheckpointStore, DAMAGED_LEDGER_FILE } from '../../../coordinator/storage/checkpoint-store.js';
import { encodeLedger, LEDGER_FILE, LOST_LEDGER } from '../../../coordinator/storage/member-ledger.js';
import { sha256Hex } from '../../../shared/files/sha256.js';
import type { DirectoryStorage } from '../../../shared/files/storage.js';
import { storageSuite } from '../../suites/storage-suite.js';
import { CrashingDisk } from '../../support/crashing-disk.js';

async function save(
  storage: DirectoryStorage,
  step: number,
  best: number | null = null,
  kept?: number,
): Promise<void> {
  const progress = { step, optimizer: {}, best: best === null ? null : { step: best, loss: 1 } };
  const parameters = [{ name: 'w', shape: [2], values: Float32Array.of(step, 1) }];
  const { pieces } = await encodeCheckpoint({ progress, settings: {}, parameters, buffers: [] }, sha256Hex);
  await new CheckpointStore(storage, kept).save(progress, pieces);
}

async function newest(storage: DirectoryStorage): Promise<number | undefined> {
  return (await new CheckpointStore(storage).newest()).checkpoint?.progress.step;
}

const fileOf = (step: number): string => `step-${String(step).padStart(13, '0')}.safetensors`;

storageSuite(async () => new CrashingDisk());

describe('checkpoints', () => {
  it('are found newest first, and only the last three and the best are kept', async () => {
    const disk = new CrashingDisk();
    expect(await newest(disk)).toBeUndefined();
    for (const step of [0, 9, 10, 100, 1000, 10_000]) await save(disk, step, step === 0 ? 0 : 9);
    expect((await disk.list()).sort()).toEqual([9, 100, 1000, 10_000].map(fileOf));
    expect(await newest(disk)).toBe(10_000);
  });

  it('are kept in any number, or all', async () => {
    const disk = new CrashingDisk();
    for (const step of [0, 9, 10, 11]) await save(disk, step, null, Number.POSITIVE_INFINITY);
    expect((await disk.list()).sort()).toEqual([0, 9, 10, 11].map(fileOf));
    await save(disk, 12, 0, 1);
    expect((await disk.list()).sort()).toEqual([0, 12].map(fileOf));
  });

  it('that are ahead of the record of the run are passed over, and told', async () => {
    const disk = new CrashingDisk();
    for (const step of [1, 2, 3]) await save(disk, step);
    const { checkpoint, damaged } = await new CheckpointStore(disk).newest(2);
    expect(checkpoint?.progress.step).toBe(2);
    expect(damaged).toEqual([`${fileOf(3)} is ahead of metrics.jsonl, which is whole up to step 2`]);
    expect((await new CheckpointStore(disk).newest(0)).checkpoint).toBeUndefined();
  });

  it.each([
    ['cut off', (text: string) => text.slice(0, -3)],
    ['empty', () => ''],
    ['of another form', () => '{"unverified":{"a/eve":-1}}'],
  ])(
    'with a ledger of members that is %s: the worst is assumed of whom it named, and it is set aside',
    async (_what, damage) => {
      const disk = new CrashingDisk();
      const store = new CheckpointStore(disk);
      expect(await store.ledger()).toBeUndefined();
      const ledger = {
        ...{ unverified: { 'a/eve': 3 }, bases: [], rollbacks: 1 },
        ...{ expulsions: { 'a/eve': { wrong: 1, silent: 0 } }, banned: [] },
      };
      const text = new TextDecoder().decode(encodeLedger(ledger));
      const bytes = new TextEncoder().encode(damage(text));
      await disk.write(LEDGER_FILE, [new TextEncoder().encode(text)]);
      expect(await store.ledger()).toEqual({ ledger });
      await disk.write(LEDGER_FILE, [bytes]);
      expect(await store.ledger()).toEqual({ ledger: LOST_LEDGER, lost: 'damaged' });
      await store.replaceLedger({ ledger: LOST_LEDGER, lost: 'damaged' });
      expect(await disk.read(DAMAGED_LEDGER_FILE)).toEqual(bytes);
      // A process that ends before its first save leaves what the next one has to assume.
      expect(await store.ledger()).toEqual({ ledger: LOST_LEDGER });
    },
  );

  it('are intact after a loss of power at any byte or operation', async () => {
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
        // The next save works, and removes partial files.
        await save(after, 6);
        expect(await newest(after)).toBe(6);
        expect((await after.list()).filter((name) => name.endsWith('.partial'))).toEqual([]);
      }
    }
    expect([...found].sort()).toEqual([4, 5]);
  });

  it('that are torn are skipped and reported', async () => {
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

  it('under another name than their own are skipped', async () => {
    const disk = new CrashingDisk();
    for (const step of [1, 2]) await save(disk, step);
    await disk.rename(fileOf(1), fileOf(7));
    const { checkpoint, damaged } = await new CheckpointStore(disk).newest();
    expect(checkpoint?.progress.step).toBe(2);
    expect(damaged).toEqual([`${fileOf(7)} holds step 1: it was renamed; use another`]);
  });

  it('after the step from which a run continues are removed', async () => {
    const disk = new CrashingDisk();
    for (const step of [1, 2, 3]) await save(disk, step);
    await new CheckpointStore(disk).forgetAfter(2);
    expect((await disk.list()).sort()).toEqual([1, 2].map(fileOf));
  });
});
