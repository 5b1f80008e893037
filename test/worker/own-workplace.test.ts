import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Machine } from '../../shared/engine/machine.js';
import { UserError } from '../../shared/errors.js';
import { sha256Hex } from '../../shared/files/sha256.js';
import { Graph } from '../../shared/graph/graph.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { createPlan } from '../../shared/graph/plan.js';
import { parseModel } from '../../shared/graph/resolve.js';
import type { Run } from '../../shared/protocol/messages.js';
import { OwnWorkplace } from '../../worker/own-workplace.js';

const MIB = 2 ** 20;
const LEAVES = { from: 0, to: 8 };

/** Parts of a run that a test chooses; samples are vectors of as many numbers, and so are their targets. */
interface Choice {
  readonly width?: number;
  readonly layers?: number;
  readonly samples?: number;
  readonly batch?: number;
  readonly seed?: number;
}

const chunkOf = (samples: number, width: number): Uint8Array =>
  new Uint8Array(Float32Array.from({ length: samples * 2 * width }, (_, i) => Math.sin(i)).buffer);

/** A run of eight leaves a step, and one chunk of data for all of its samples. */
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
    settings: { seed, batch, leafSize: batch / 8, granule: 1 },
    data: {
      ...{ name: 'numbers', samples, chunkSamples, recordBytes: 8 * width },
      fields: { x: { ...field, offset: 0 }, y: { ...field, offset: 4 * width } },
      chunkHashes: new Array(Math.ceil(samples / chunkSamples)).fill(hash),
    },
  };
}

describe('the memory of a node', () => {
  let machine: Machine;
  beforeAll(async () => {
    machine = await Machine.start(1, 'wasm');
  });
  afterAll(() => machine.stop());

  /** Joins, computes a step with weights of one number, and returns the hash of its sums. */
  async function sums(workplace: OwnWorkplace, choice: Choice): Promise<string> {
    const run = runOf(choice);
    const { missing } = await workplace.prepare(run);
    const { samples, recordBytes } = run.data;
    for (const index of missing) expect(workplace.store(index, chunkOf(samples, recordBytes / 8))).toBe(true);
    const { parameterFloats } = createPlan(parseModel(run.model));
    workplace.loadWeights(new Uint8Array(new Float32Array(parameterFloats).fill(0.25).buffer));
    return sha256Hex(workplace.payload(await workplace.compute(0, LEAVES)) as Uint8Array);
  }

  it.each([
    ['a model', { width: 6000 }, /^the run needs 8\d\d MiB of memory here, and may have 64 MiB: /],
    ['a data set', { samples: 100_000_000 }, /^the run needs \d{4} MiB .* and may have 64 MiB: /],
    ['the values of a leaf', { width: 64, layers: 64, samples: 80_000, batch: 80_000 }, /64 MiB: /],
  ])(
    'is refused for %s that exceeds what it may take, before any is laid out',
    async (_what, choice, why) => {
      const workplace = new OwnWorkplace(machine.memory, machine.team, 64 * MIB);
      const { end } = machine.memory.mark();
      const refusal = workplace.prepare(runOf(choice));
      await expect(refusal).rejects.toThrow(UserError);
      await expect(refusal).rejects.toThrow(why);
      await expect(refusal).rejects.toThrow('allow more with --memory, or join from a larger machine');
      expect(machine.memory.mark().end).toBe(end);
    },
  );

  it('is bounded while it works too: a share that is too large ends the work with a word about --memory', async () => {
    const choice = { width: 64, layers: 32, samples: 8000, batch: 8000 };
    const workplace = new OwnWorkplace(machine.memory, machine.team, 32 * MIB);
    await expect(sums(workplace, choice)).rejects.toThrow(/MiB of --memory are used up and activations need/);
    expect(machine.memory.mark().end).toBeLessThan(32 * MIB);
  });

  it('serves for one run after the other, whatever lay in it', async () => {
    const choices = [{ width: 8 }, { width: 512, seed: 2 }, { width: 8 }, { width: 512, seed: 2 }];
    const workplace = new OwnWorkplace(machine.memory, machine.team);
    const hashes: string[] = [];
    const ends: number[] = [];
    for (const choice of choices) {
      hashes.push(await sums(workplace, choice));
      ends.push(machine.memory.mark().end);
    }
    expect(hashes.slice(2)).toEqual(hashes.slice(0, 2));
    expect(ends.slice(2)).toEqual(ends.slice(0, 2));
  });

  it('is not taken from under threads that compute for a link that is gone', async () => {
    const workplace = new OwnWorkplace(machine.memory, machine.team);
    const undisturbed = await sums(workplace, { width: 512 });
    let isDone = false;
    const late = workplace.compute(0, LEAVES).then((partials) => {
      isDone = true;
      return sha256Hex(workplace.payload(partials) as Uint8Array);
    });
    const next = workplace.prepare(runOf({ width: 8 })).then(() => expect(isDone).toBe(true));
    expect(await late).toBe(undisturbed);
    await next;
  });
});
