import { afterAll, describe, expect, it } from 'vitest';
import { layOutOptimizer, layOutRun, parametersOf } from '../../scripts/training/run-place.js';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { type Dataset, packDataset } from '../../shared/data/dataset.js';
import { Crew, type ThreadShare } from '../../shared/engine/crew.js';
import { Machine } from '../../shared/engine/machine.js';
import { sha256Hex } from '../../shared/files/sha256.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import { Graph } from '../../shared/graph/graph.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { dropout } from '../../shared/graph/layers/dropout.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../shared/graph/model.js';
import { createPlan } from '../../shared/graph/plan.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import { nativeIsas } from '../../shared/kernels/native-kernels.js';
import { adam } from '../../shared/optim/adam.js';

/*
 * The threads of one machine end with the same weights however their steps are run: in strides or one by one, by one
 * thread or several, together or as nodes of their own. The model draws random numbers, so it also matters that each
 * way knows which step it is at.
 */
const [BATCH, LEAF, LEAVES, STEPS] = [50, 4, 13, 7];

function data(samples: number): Dataset {
  const random = new SeededRandom(samples);
  const bytes = (count: number, values: number): Uint8Array =>
    Uint8Array.from({ length: count }, () => random.below(values));
  const x = { dtype: 'u8', shape: [12], bytes: bytes(12 * samples, 256), scale: 1 / 256, shift: 0 } as const;
  const y = { dtype: 'u8', shape: [], bytes: bytes(samples, 4), scale: 1, shift: 0 } as const;
  return packDataset('crew', samples, { x, y }, sha256Hex);
}

function model(): Model {
  const x = new Graph().input('x', [12]);
  const network = sequential([
    dropout(0.2),
    dense(24, { activation: 'relu' }),
    dropout(0.5),
    dense(4, { activation: 'softmax' }),
  ]);
  return x.graph.model(network(x), sparseCategoricalCrossentropy({ target: 'y' }));
}

const machines: Machine[] = [];
afterAll(async () => {
  for (const machine of machines) await machine.stop();
});

interface Rig {
  readonly crew: Crew;
  /** The optimizer's scalars of each step. */
  readonly scalars: readonly (readonly number[])[];
  hash(): string;
}

async function open(threads: number, backend: Backend = 'wasm', samples = 400): Promise<Rig> {
  const machine = await Machine.start(threads, backend);
  machines.push(machine);
  const plan = createPlan(model());
  const place = layOutRun(machine, { plan, data: data(samples), leaf: LEAF, seed: 9 });
  const updater = layOutOptimizer(machine, plan, adam({ learningRate: 0.01 }));
  let state = updater.optimizer.init();
  const scalars = Array.from({ length: STEPS }, () => {
    const next = updater.optimizer.update(state, 0.01);
    state = next.state;
    return next.scalars;
  });
  const crew = new Crew(machine.team, place, { batch: BATCH, granule: 1 }, updater);
  return { crew, scalars, hash: () => weightsSha256(parametersOf(place)) };
}

const all = (threads: number): ThreadShare => ({
  threads: { from: 0, to: threads },
  leaves: { from: 0, to: LEAVES },
});

async function inStrides(rig: Rig, shares: readonly ThreadShare[], cuts: readonly number[]): Promise<string> {
  for (const [i, from] of [0, ...cuts].entries()) {
    await rig.crew.stride(from, shares, rig.scalars.slice(from, cuts[i] ?? STEPS));
  }
  return rig.hash();
}

async function inRounds(rig: Rig, shares: readonly ThreadShare[]): Promise<string> {
  for (const [step, scalars] of rig.scalars.entries()) {
    const partials = await Promise.all(shares.map((share) => rig.crew.compute(step, share)));
    await rig.crew.finish(step, partials.flat(), scalars);
  }
  return rig.hash();
}

/** Two nodes of a thread each that share the batch unevenly. */
const APART: readonly ThreadShare[] = [
  { threads: { from: 0, to: 1 }, leaves: { from: 0, to: 5 } },
  { threads: { from: 1, to: 2 }, leaves: { from: 5, to: LEAVES } },
];

describe('a crew', () => {
  it('ends with the same weights however its steps are run', async () => {
    const wanted = await inStrides(await open(1), [all(1)], []);
    expect(await inStrides(await open(1), [all(1)], [1, 4])).toBe(wanted);
    expect(await inStrides(await open(2), [all(2)], [3])).toBe(wanted);
    expect(await inStrides(await open(2), APART, [])).toBe(wanted);
    expect(await inRounds(await open(1), [all(1)])).toBe(wanted);
    expect(await inRounds(await open(3), [all(3)])).toBe(wanted);
    expect(await inRounds(await open(2), APART)).toBe(wanted);
    expect(await inStrides(await open(2, 'wasm-exact'), [all(2)], [])).toBe(wanted);
    if (nativeIsas().length > 0) {
      expect(await inStrides(await open(2, 'native'), APART, [2])).toBe(wanted);
      expect(await inRounds(await open(2, 'native'), [all(2)])).toBe(wanted);
    }
  });

  it('knows its step, in strides and in rounds', async () => {
    // Of one sample, so that nothing else tells the steps apart.
    const ends = [0, 1].map(async (step) => {
      const share = { threads: { from: 0, to: 1 }, leaves: { from: 0, to: 1 } };
      const [strided, round] = [await open(1, 'wasm', 1), await open(1, 'wasm', 1)];
      const scalars = strided.scalars[0] as readonly number[];
      await strided.crew.stride(step, [share], [scalars]);
      await round.crew.finish(step, await round.crew.compute(step, share), scalars);
      expect(round.hash()).toBe(strided.hash());
      return strided.hash();
    });
    expect(await ends[0]).not.toBe(await ends[1]);
  });
});
