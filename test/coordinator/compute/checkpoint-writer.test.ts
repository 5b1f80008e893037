import { describe, expect, it } from 'vitest';
import { CheckpointWriter } from '../../../coordinator/compute/checkpoint-writer.js';
import type { RunVectors } from '../../../coordinator/compute/run-vectors.js';
import { decodeCheckpoint } from '../../../coordinator/storage/checkpoint.js';
import { ComputeMemory } from '../../../shared/engine/memory.js';
import type { RunMemory } from '../../../shared/engine/run-memory.js';

const FLOATS = 5;
const PROGRESS = { step: 3, optimizer: {}, best: null };

/** Weights and one vector of the optimizer, in memory. */
function vectorsOf(): { vectors: RunVectors; weights: Float32Array } {
  const memory = new ComputeMemory();
  const [weights, state] = [memory.allocate(4 * FLOATS), memory.allocate(4 * FLOATS)] as const;
  const plan = { parameters: [{ name: 'w', shape: [FLOATS], offset: 0, size: FLOATS }] };
  const runMemory = { memory, plan, weights } as unknown as RunMemory;
  const view = memory.f32(weights, FLOATS);
  view.set([1, 2, 3, 4, 5]);
  return { vectors: { runMemory, state: [state], residual: undefined, best: undefined }, weights: view };
}

/** A store that takes a piece whenever it is told to. */
function slowStore() {
  const taken: Uint8Array[] = [];
  let takeAll = (): void => {};
  let flush = (): void => {};
  const [mayTake, isFlushed] = [
    new Promise<void>((resolve) => {
      takeAll = resolve;
    }),
    new Promise<void>((resolve) => {
      flush = resolve;
    }),
  ];
  const save = async (_: unknown, pieces: Iterable<Uint8Array>): Promise<void> => {
    await mayTake;
    taken.push(...pieces);
    await isFlushed;
  };
  const target = { store: { save, forgetAfter: async () => -1 }, prepare: async () => {} };
  const weightsTaken = (): number[] => [
    ...(decodeCheckpoint(Buffer.concat(taken), 'f').parameters[0]?.values ?? []),
  ];
  return { target, takeAll, flush, weightsTaken };
}

describe('a writer of checkpoints', () => {
  it('copies small vectors, which may change at once', async () => {
    const { vectors, weights } = vectorsOf();
    const writer = new CheckpointWriter(vectors, {});
    const { target, takeAll, flush, weightsTaken } = slowStore();
    const writing = writer.write(PROGRESS, false);
    expect(writer.captured).toBeUndefined();
    weights.fill(9);
    writer.writeTo(target);
    takeAll();
    flush();
    await writing;
    expect(weightsTaken()).toEqual([1, 2, 3, 4, 5]);
  });

  it('reads large vectors where they are, and tells when they may change', async () => {
    const { vectors, weights } = vectorsOf();
    const writer = new CheckpointWriter(vectors, {}, 8 * FLOATS - 1);
    const { target, takeAll, flush, weightsTaken } = slowStore();
    writer.writeTo(target);
    const writing = writer.write(PROGRESS, false);
    const { captured } = writer;
    expect(captured).toBeDefined();
    takeAll();
    await captured;
    // The disk is still at work.
    weights.fill(9);
    expect(writer.captured).toBeUndefined();
    flush();
    const { weightsSha256 } = await writing;
    expect(weightsTaken()).toEqual([1, 2, 3, 4, 5]);
    const copying = new CheckpointWriter(vectorsOf().vectors, {});
    const other = slowStore();
    copying.writeTo(other.target);
    other.takeAll();
    other.flush();
    expect((await copying.write(PROGRESS, false)).weightsSha256).toBe(weightsSha256);
  });

  it('lets vectors change that could not be saved', async () => {
    const writer = new CheckpointWriter(vectorsOf().vectors, {}, 0);
    const full = Object.assign(new Error('full'), { code: 'ENOSPC' });
    writer.writeTo({
      store: { save: () => Promise.reject(full), forgetAfter: async () => -1 },
      prepare: async () => {},
    });
    const writing = writer.write(PROGRESS, false);
    const { captured } = writer;
    await expect(writing).rejects.toThrow('it cannot be written');
    await captured;
    expect(writer.captured).toBeUndefined();
  });
});
