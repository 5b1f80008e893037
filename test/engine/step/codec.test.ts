import { afterAll, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../shared/actor/seeded-random.js';
import { CODECS, type Codec, encodedBytes } from '../../../shared/codec/codec.js';
import { createPlan } from '../../../shared/compiler/plan.js';
import { type Dataset, packDataset } from '../../../shared/data/dataset.js';
import { Device } from '../../../shared/engine/device.js';
import { nodePlatform } from '../../../shared/engine/node-platform.js';
import type { PartialSum } from '../../../shared/engine/step/partial-sum-addition.js';
import { StepExecutor, type ThreadShare } from '../../../shared/engine/step/step-executor.js';
import { sumCodecOf } from '../../../shared/engine/step/sum-codec.js';
import { allocateOptimizer } from '../../../shared/engine/update-memory.js';
import { sha256Hex } from '../../../shared/files/sha256.js';
import { weightsSha256 } from '../../../shared/files/tensors.js';
import { Graph } from '../../../shared/graph/graph.js';
import { batchNormalization } from '../../../shared/graph/layers/batch-normalization.js';
import { dense } from '../../../shared/graph/layers/dense.js';
import { sequential } from '../../../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../../shared/graph/model.js';
import { l2 } from '../../../shared/graph/regularizers.js';
import type { Backend } from '../../../shared/kernels/kernels.js';
import { nativeIsas } from '../../../shared/kernels/native-kernels.js';
import { adamw } from '../../../shared/optim/adam.js';
import { clipByGlobalNorm } from '../../../shared/optim/clipping.js';
import { muon } from '../../../shared/optim/muon.js';
import { SCALARS_MAX } from '../../../shared/optim/optimizer.js';
import { createOptimizer, type OptimizerSettings } from '../../../shared/optim/settings.js';
import type { LeafRange } from '../../../shared/reduction/tree.js';
import { allocateRun, parametersOf } from '../../../trainer/training-memory.js';

/*
 * With a codec too, a run ends with the same weights however its steps run: many in one execution, step by step on one
 * machine, or on several machines that exchange encoded sums and updates.
 */
const [BATCH, LEAF, STEPS] = [52, 2, 5];
/** 26 leaves are seven shards of 4, the last of 2. */
const LEAVES = 26;
const SHARD = 4;
const COMPRESSIONS = CODECS.filter((codec) => codec !== 'none');

function data(): Dataset {
  const random = new SeededRandom(3);
  const bytes = (count: number, values: number): Uint8Array =>
    Uint8Array.from({ length: count }, () => random.below(values));
  const x = { dtype: 'u8', shape: [12], bytes: bytes(12 * 300, 256), scale: 1 / 256, shift: 0 } as const;
  const y = { dtype: 'u8', shape: [], bytes: bytes(300, 4), scale: 1, shift: 0 } as const;
  return packDataset('codec', 300, { x, y }, sha256Hex);
}

/** Several blocks of both codecs, a regularised matrix, and moving averages, which are not encoded. */
function model(): Model {
  const x = new Graph().input('x', [12]);
  const network = sequential([
    dense(150, { activation: 'relu', kernelRegularizer: l2(0.01) }),
    batchNormalization({ virtualBatchSize: 4 }),
    dense(9, { activation: 'tanh' }),
    dense(4, { activation: 'softmax' }),
  ]);
  return x.graph.model(network(x), sparseCategoricalCrossentropy({ target: 'y' }));
}

const devices: Device[] = [];
afterAll(async () => {
  for (const device of devices) await device.stop();
});

interface Setup {
  readonly codec: Codec;
  readonly threads?: number;
  readonly backend?: Backend;
  readonly optimizer?: OptimizerSettings;
  readonly isCoordinator?: boolean;
}

/** One machine. */
async function open(setup: Setup) {
  const { codec, threads = 1, backend = 'wasm', isCoordinator = true } = setup;
  const { optimizer = adamw({ learningRate: 0.02 }) } = setup;
  const device = await Device.start(threads, backend, nodePlatform());
  devices.push(device);
  const plan = createPlan(model());
  const runMemory = allocateRun(device, { plan, data: data(), leafSize: LEAF, seed: 9 });
  const sumCodec = sumCodecOf(codec, plan, { batch: BATCH, leafSize: LEAF });
  const rule = {
    optimizer: createOptimizer(optimizer),
    clipping: clipByGlobalNorm(0.7),
    noise: { eta: 1e-4, gamma: 0.5, seed: 9 },
  };
  const updater = allocateOptimizer(device, plan, rule, sumCodec, isCoordinator);
  let state = updater.optimizer.init();
  const scalars = Array.from({ length: STEPS }, () => {
    const next = updater.optimizer.update(state, 0.02);
    state = next.state;
    return next.scalars;
  });
  const shape = { batch: BATCH, leavesPerGroup: SHARD, codec: sumCodec };
  const executor = new StepExecutor(device.threadPool, runMemory, shape, updater);
  const { memory } = device;
  return {
    ...{ executor, scalars, sumCodec, plan, memory },
    hash: () => weightsSha256(parametersOf(runMemory)),
    compute: (step: number, leaves: LeafRange) =>
      executor.compute(step, { threads: { from: 0, to: threads }, leaves }),
    /** What an encoded partial sum is as bytes. */
    bytesOf: ({ buffer }: PartialSum) => memory.u8(buffer, sumCodec?.sumBytes ?? plan.vectorFloats * 4),
  };
}

type Machine = Awaited<ReturnType<typeof open>>;

const all = (threads: number): ThreadShare => ({
  threads: { from: 0, to: threads },
  leaves: { from: 0, to: LEAVES },
});

async function inExecutions(
  machine: Machine,
  threads: number,
  cuts: readonly number[] = [],
): Promise<string> {
  for (const [i, from] of [0, ...cuts].entries())
    await machine.executor.execute(from, [all(threads)], machine.scalars.slice(from, cuts[i] ?? STEPS));
  return machine.hash();
}

/** Step by step on several machines, the first of which is the coordinator's. @returns the hashes of all */
async function together(
  machines: readonly Machine[],
  rangesOf: (step: number) => readonly LeafRange[],
): Promise<string[]> {
  const [home, ...others] = machines as [Machine, ...Machine[]];
  const sumBytes = home.sumCodec?.sumBytes ?? 0;
  for (let step = 0; step < STEPS; step++) {
    const arrived: PartialSum[] = [];
    for (const [i, range] of rangesOf(step).entries()) {
      const machine = machines[i % machines.length] as Machine;
      for (const sum of await machine.compute(step, range)) {
        const buffer = machine === home ? sum.buffer : home.memory.allocate(sumBytes);
        if (machine !== home) home.memory.u8(buffer, sumBytes).set(machine.bytesOf(sum));
        arrived.push({ node: sum.node, buffer });
      }
    }
    await home.executor.finish(step, arrived, home.scalars[step] as readonly number[]);
    for (const other of others) {
      other.executor.updateBytes.set(home.executor.updateBytes);
      await other.executor.applyUpdate(step);
    }
  }
  return machines.map((machine) => machine.hash());
}

/** Cuts between machines that move from step to step, always between shards. */
const moving =
  (machines: number) =>
  (step: number): LeafRange[] =>
    Array.from({ length: machines }, (_, i) => ({
      from: Math.min(LEAVES, SHARD * (i === 0 ? 0 : Math.floor((7 * i) / machines) + ((step + i) % 2))),
      to: Math.min(
        LEAVES,
        i === machines - 1 ? LEAVES : SHARD * (Math.floor((7 * (i + 1)) / machines) + ((step + i + 1) % 2)),
      ),
    })).filter(({ from, to }) => from < to);

describe.each(COMPRESSIONS)('a step executor with %s', (codec) => {
  it('ends with the same weights however its steps run', async () => {
    const wanted = await inExecutions(await open({ codec }), 1);
    expect(await inExecutions(await open({ codec, threads: 3 }), 3, [1, 4])).toBe(wanted);
    expect(await inExecutions(await open({ codec, backend: 'wasm-exact' }), 1)).toBe(wanted);
    expect(await together([await open({ codec, threads: 2 })], () => [{ from: 0, to: LEAVES }])).toEqual([
      wanted,
    ]);
    if (nativeIsas().length > 0)
      expect(await inExecutions(await open({ codec, backend: 'native', threads: 2 }), 2)).toBe(wanted);
  });

  it.each([2, 3, 5])('ends with the same weights on each of %i machines', async (count) => {
    const wanted = await inExecutions(await open({ codec }), 1);
    const machines: Machine[] = [];
    for (let i = 0; i < count; i++) {
      const backend = i === 1 && nativeIsas().length > 0 ? 'native' : 'wasm';
      machines.push(await open({ codec, isCoordinator: i === 0, backend, threads: 1 + (i % 2) }));
    }
    expect(await together(machines, moving(count))).toEqual(machines.map(() => wanted));
  });

  it('ends with the same weights with an optimizer of whole matrices', async () => {
    const optimizer = muon({ learningRate: 0.02 });
    const wanted = await inExecutions(await open({ codec, optimizer }), 1);
    const machines = [
      await open({ codec, optimizer, threads: 2 }),
      await open({ codec, optimizer, threads: 2, isCoordinator: false }),
    ];
    expect(await together(machines, moving(2))).toEqual([wanted, wanted]);
  });

  it('computes other weights than float32', async () => {
    const [plain, rounded] = [await open({ codec: 'none' }), await open({ codec })];
    expect(await inExecutions(rounded, 1)).not.toBe(await inExecutions(plain, 1));
  });

  it('exchanges sums and updates of the stated size', async () => {
    const { sumCodec, plan } = await open({ codec });
    const trained = plan.parameters.filter(({ momentum }) => momentum === undefined);
    const averages = plan.gradientFloats - plan.trainedFloats;
    const metrics = plan.vectorFloats - plan.gradientFloats;
    expect(sumCodec?.sumBytes).toBe(encodedBytes(codec, trained) + 4 * (averages + metrics));
    expect(sumCodec?.updateBytes).toBe(encodedBytes(codec, trained) + 4 * averages + 4 * SCALARS_MAX);
  });
});

describe('a step that is not finite', () => {
  it('leaves weights and residual as they are', async () => {
    for (const codec of COMPRESSIONS) {
      const [disturbed, plain] = [await open({ codec }), await open({ codec })];
      await disturbed.executor.execute(0, [all(1)], disturbed.scalars.slice(0, 2));
      const sums = await disturbed.compute(2, { from: 0, to: LEAVES });
      const before = disturbed.hash();
      const [first] = sums as [PartialSum];
      const kept = disturbed.bytesOf(first).slice();
      // All scales and codes: with scales of NaN no value is a number.
      disturbed.bytesOf(first).fill(0xff);
      const broken = await disturbed.executor.finish(2, sums, disturbed.scalars[2] as readonly number[]);
      expect(broken.isBroken).toBe(true);
      expect(disturbed.hash()).toBe(before);
      disturbed.bytesOf(first).set(kept);
      await disturbed.executor.finish(2, sums, disturbed.scalars[2] as readonly number[]);
      await disturbed.executor.execute(3, [all(1)], disturbed.scalars.slice(3));
      expect(disturbed.hash()).toBe(await inExecutions(plain, 1));
    }
  });
});
