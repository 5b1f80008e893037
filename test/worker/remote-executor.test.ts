import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Device } from '../../shared/engine/device.js';
import { nodePlatform } from '../../shared/engine/node-platform.js';
import { UserError } from '../../shared/errors.js';
import { sha256Hex } from '../../shared/files/sha256.js';
import { Graph } from '../../shared/graph/graph.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import type { Run } from '../../shared/protocol/messages.js';
import { joinVectors } from '../../shared/reduction/segments.js';
import type { Computed } from '../../worker/executor.js';
import { RemoteExecutor } from '../../worker/remote-executor.js';

const MIB = 2 ** 20;
const EVENTS = { nowMs: () => 0, completed: () => {}, retracted: () => {} };
const STEP = { step: 0, range: { from: 0, to: 8 }, appliesUpdate: false };

/** What a test chooses of a run. A sample is a vector of `width` numbers, and so is its target. */
interface Choice {
  readonly width?: number;
  readonly layers?: number;
  readonly samples?: number;
  readonly batch?: number;
  readonly seed?: number;
}

const chunkOf = (samples: number, width: number): Uint8Array =>
  new Uint8Array(Float32Array.from({ length: samples * 2 * width }, (_, i) => Math.sin(i)).buffer);

/** A run with eight leaves a step, and with one chunk of data unless the data are large. */
function runOf({ width = 4, layers = 1, samples = 64, batch = 64, seed = 1 }: Choice): Run {
  const x = new Graph().input('x', [width]);
  const body = sequential(Array.from({ length: layers }, () => dense(width)));
  const field = { dtype: 'f32', shape: [width], scale: 1, shift: 0 } as const;
  const isSmall = samples * width < 1e6;
  const chunkSamples = isSmall ? samples : 10_000;
  const hash = isSmall ? sha256Hex(chunkOf(samples, width)) : '0'.repeat(64);
  return {
    kind: 'run',
    memberId: 'a',
    proof: '0'.repeat(64),
    model: JSON.parse(JSON.stringify(x.graph.model(body(x), meanSquaredError({ target: 'y' })))),
    settings: { seed, batch, leafSize: batch / 8, leavesPerGroup: 1 },
    data: {
      ...{ name: 'numbers', samples, chunkSamples, recordBytes: 8 * width },
      fields: { x: { ...field, offset: 0 }, y: { ...field, offset: 4 * width } },
      chunkHashes: new Array(Math.ceil(samples / chunkSamples)).fill(hash),
    },
  };
}

function hashOf(executor: RemoteExecutor, computed: Computed | undefined): string {
  return sha256Hex(joinVectors(executor.vectors(computed?.partialSums ?? [])?.views ?? []));
}

describe('the memory of a remote executor', () => {
  let machine: Device;
  beforeAll(async () => {
    machine = await Device.start(1, 'wasm', nodePlatform());
  });
  afterAll(() => machine.stop());

  /** Prepares a run, computes a step with equal weights, and returns the hash of its sums. */
  async function sums(executor: RemoteExecutor, choice: Choice): Promise<string> {
    const run = runOf(choice);
    const { missing, weights } = await executor.prepare(run);
    const { samples, recordBytes } = run.data;
    for (const index of missing) expect(executor.store(index, chunkOf(samples, recordBytes / 8))).toBe(true);
    executor.expect('weights');
    const computed = executor.compute(STEP, EVENTS);
    for (const [index, { bytes }] of (weights?.cut.segments ?? []).entries())
      executor.load({ vector: 0, index }, new Uint8Array(new Float32Array(bytes / 4).fill(0.25).buffer));
    return hashOf(executor, await computed);
  }

  it.each([
    ['a model', { width: 6000 }, /^the run needs 4\d\d MiB of memory here, and may have 64 MiB: /],
    ['a data set', { samples: 100_000_000 }, /^the run needs \d{4} MiB .* and may have 64 MiB: /],
    ['the values of a leaf', { width: 64, layers: 64, samples: 80_000, batch: 80_000 }, /64 MiB: /],
  ])('is not allocated at all when %s exceeds the limit', async (_what, choice, why) => {
    const executor = new RemoteExecutor(machine, 64 * MIB);
    const { end } = machine.memory.mark();
    const refusal = executor.prepare(runOf(choice));
    await expect(refusal).rejects.toThrow(UserError);
    await expect(refusal).rejects.toThrow(why);
    await expect(refusal).rejects.toThrow('allow more with --memory, or join from a larger machine');
    expect(machine.memory.mark().end).toBe(end);
  });

  it('is bounded during a computation too: a range that is too large fails and names --memory', async () => {
    const choice = { width: 64, layers: 32, samples: 8000, batch: 8000 };
    const executor = new RemoteExecutor(machine, 32 * MIB);
    await expect(sums(executor, choice)).rejects.toThrow(/MiB of --memory are used up and activations need/);
    expect(machine.memory.mark().end).toBeLessThan(32 * MIB);
  });

  it('is used for one run after another, which leave nothing behind', async () => {
    const choices = [{ width: 8 }, { width: 512, seed: 2 }, { width: 8 }, { width: 512, seed: 2 }];
    const executor = new RemoteExecutor(machine);
    const hashes: string[] = [];
    const ends: number[] = [];
    for (const choice of choices) {
      hashes.push(await sums(executor, choice));
      ends.push(machine.memory.mark().end);
    }
    expect(hashes.slice(2)).toEqual(hashes.slice(0, 2));
    expect(ends.slice(2)).toEqual(ends.slice(0, 2));
  });

  it('has one place for the sums of a step, however many ranges of it are asked for', async () => {
    const executor = new RemoteExecutor(machine);
    const whole = await sums(executor, { width: 512 });
    const { end } = machine.memory.mark();
    const part = { ...STEP, range: { from: 0, to: 4 } };
    const first = hashOf(executor, await executor.compute(part, EVENTS));
    expect(hashOf(executor, await executor.compute(part, EVENTS))).toBe(first);
    expect(hashOf(executor, await executor.compute(STEP, EVENTS))).toBe(whole);
    const vectorBytes = 4 * 512 * 513;
    expect(machine.memory.mark().end - end).toBeLessThan(vectorBytes);
  });

  it('is not reused while threads still compute for a link that is gone', async () => {
    const executor = new RemoteExecutor(machine);
    const undisturbed = await sums(executor, { width: 512 });
    let isDone = false;
    const late = executor.compute(STEP, EVENTS).then((computed) => {
      isDone = true;
      return hashOf(executor, computed);
    });
    const next = executor.prepare(runOf({ width: 8 })).then(() => expect(isDone).toBe(true));
    expect(await late).toBe(undisturbed);
    await next;
  });
});
