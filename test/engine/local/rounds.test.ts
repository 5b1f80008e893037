import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CODECS, type Codec, encodedBytes } from '../../../shared/codec/codec.js';
import { createPlan } from '../../../shared/compiler/plan.js';
import { ordersInUse } from '../../../shared/data/step-shape.js';
import { Device } from '../../../shared/engine/device.js';
import { OuterStep } from '../../../shared/engine/local/outer-step.js';
import { ReplicaExecutor } from '../../../shared/engine/local/replica-executor.js';
import {
  allocateOuterVectors,
  allocateRound,
  resultLayout,
} from '../../../shared/engine/local/round-memory.js';
import { RoundUpdate } from '../../../shared/engine/local/round-update.js';
import { nodePlatform } from '../../../shared/engine/node-platform.js';
import type { PartialSum } from '../../../shared/engine/step/partial-sum-addition.js';
import type { Backend } from '../../../shared/kernels/kernels.js';
import { adamw } from '../../../shared/optim/adam.js';
import { createOptimizer, type OptimizerSettings } from '../../../shared/optim/settings.js';
import { sgd } from '../../../shared/optim/sgd.js';
import type { LeafRange } from '../../../shared/reduction/tree.js';
import { replicaRule } from '../../../trainer/local-run.js';
import { allocateRun } from '../../../trainer/training-memory.js';
import {
  BATCH,
  byReference,
  type Course,
  clipping,
  data,
  LEAF,
  LOCAL,
  model,
  SAMPLES,
  SEED,
  scalarsOf,
} from './reference-rounds.js';

/* Rounds of local updates have the bits of the reference, wherever their replicas are computed. */
const RATE = 0.01;

const devices: Device[] = [];
afterAll(async () => {
  for (const device of devices) await device.stop();
});

async function start(threads: number, backend: Backend): Promise<Device> {
  const device = await Device.start(threads, backend, nodePlatform());
  devices.push(device);
  return device;
}

/** A machine that computes replicas. */
async function machine(settings: OptimizerSettings, compress: Codec, threads: number, backend: Backend) {
  const device = await start(threads, backend);
  const { memory, threadPool } = device;
  const plan = createPlan(model());
  const request = { sync: LOCAL, batch: BATCH, optimizer: settings, clipping, seed: SEED, compress };
  const rule = replicaRule(request, 1, plan);
  if (rule === undefined) throw new Error('there are local updates');
  const round = allocateRound(memory, plan, rule);
  const shape = { samples: SAMPLES, batch: BATCH, leafSize: LEAF, local: LOCAL };
  const place = { weights: round.weights, orders: ordersInUse(shape) };
  const runMemory = allocateRun(device, { plan, data: data(), leafSize: LEAF, seed: SEED }, place);
  return { memory, threadPool, plan, rule, round, runMemory };
}

/**
 * @param takers threads of each worker; replica r of round k goes to worker (r + k) modulo their number
 * @param elsewhere with a codec, another worker has its own memory, where each round begins by an update
 */
async function byRounds(
  settings: OptimizerSettings,
  compress: Codec,
  takers: readonly LeafRange[],
  backend: Backend,
  elsewhere = false,
): Promise<Course> {
  const home = await machine(settings, compress, Math.max(...takers.map(({ to }) => to)), backend);
  const { memory, threadPool, plan, rule, round, runMemory } = home;
  const vectors = allocateOuterVectors(memory, plan, rule);
  const { velocity, residual, average } = vectors;
  const outer = new OuterStep(threadPool, runMemory, round, rule, vectors);
  const workers: Pick<ReplicaExecutor, 'compute'>[] = takers.map(
    (range) => new ReplicaExecutor(threadPool.group(range), runMemory, round, rule),
  );
  const other = elsewhere && rule.codec ? await machine(settings, compress, 2, 'wasm') : undefined;
  const update = other && rule.codec && new RoundUpdate(other.runMemory, other.round, rule.codec);
  if (other !== undefined) {
    const replicas = new ReplicaExecutor(other.threadPool, other.runMemory, other.round, other.rule);
    const bytes = 4 * resultLayout(plan, rule).floats;
    const compute = async (step: number, replica: number): Promise<PartialSum[]> => {
      const [result] = (await replicas.compute(step, replica)) as [PartialSum];
      const buffer = memory.allocate(bytes);
      memory.u8(buffer, bytes).set(other.memory.u8(result.buffer, bytes));
      return [{ node: result.node, buffer }];
    };
    workers.push({ compute });
  }
  const metrics: number[][] = [];
  for (const [k, scalars] of scalarsOf(settings).entries()) {
    outer.begin(scalars);
    if (other !== undefined && update !== undefined) {
      // A member that joins is sent the whole state.
      if (k === 0)
        other.memory.u8(other.round.weights, round.bytes).set(memory.u8(round.weights, round.bytes));
      else {
        update.bytes.set(outer.updateBytes as Uint8Array);
        await update.apply(other.threadPool);
      }
      expect(other.memory.u8(other.round.weights, round.bytes)).toEqual(
        memory.u8(round.weights, round.bytes),
      );
    }
    const results = await Promise.all(
      workers.map(async (worker, w) => {
        const own: PartialSum[] = [];
        for (let r = 0; r < LOCAL.replicas; r++)
          if ((r + k) % workers.length === w) own.push(...((await worker.compute(k, r)) ?? []));
        return own;
      }),
    );
    const outcome = await outer.finish(results.flat());
    expect(outcome.isBroken).toBe(false);
    metrics.push(outcome.metrics);
  }
  const all = [round.weights, ...round.state, velocity, residual, average].filter((at) => at !== undefined);
  return { vectors: all.map((at) => memory.u32(at, plan.parameterFloats).slice()), metrics };
}

const CASES: readonly (readonly [string, OptimizerSettings, Codec])[] = [
  ['AdamW', adamw({ learningRate: RATE }), 'none'],
  ['AdamW and a moving average', adamw({ learningRate: RATE, ema: 0.9 }), 'none'],
  ['SGD, bf16 and a moving average', sgd({ learningRate: RATE, ema: 0.95 }), 'bf16'],
  ['SGD with momentum', sgd({ learningRate: RATE, momentum: 0.9, nesterov: true }), 'none'],
  ['AdamW and int4', adamw({ learningRate: RATE }), 'int4'],
  ['AdamW and bf16', adamw({ learningRate: RATE }), 'bf16'],
  ['SGD with momentum and int8', sgd({ learningRate: RATE, momentum: 0.9, nesterov: true }), 'int8'],
];

describe.each(CASES)('rounds of local updates with %s', (_name, settings, compress) => {
  let reference: Course;
  beforeAll(async () => {
    reference = await byReference(await start(1, 'wasm'), settings, compress);
  });

  it.each<[string, readonly LeafRange[], Backend]>([
    ['one thread', [{ from: 0, to: 1 }], 'wasm'],
    ['three threads that share each replica', [{ from: 0, to: 3 }], 'wasm'],
    [
      'three workers and one elsewhere, where every replica moves in every round',
      [
        { from: 0, to: 1 },
        { from: 1, to: 3 },
        { from: 3, to: 4 },
      ],
      'auto' as Backend,
    ],
  ])('have the bits of a plain reference on %s', async (what, takers, backend) => {
    const course = await byRounds(settings, compress, takers, backend, what.includes('elsewhere'));
    expect(course.metrics).toEqual(reference.metrics);
    expect(course.vectors).toHaveLength(reference.vectors.length);
    for (const [i, vector] of course.vectors.entries()) expect(vector).toEqual(reference.vectors[i]);
  });
});

describe.each(CODECS.filter((codec) => codec !== 'none'))('with %s', (compress) => {
  it('results and updates have the stated size', async () => {
    const { plan, rule } = await machine(adamw(), compress, 1, 'wasm');
    const trained = plan.parameters.filter(({ momentum }) => momentum === undefined);
    const averages = 4 * (plan.gradientFloats - plan.trainedFloats);
    const coded = 3 * encodedBytes(compress, trained) + averages;
    expect(4 * resultLayout(plan, rule).floats).toBe(coded + 4 * (plan.vectorFloats - plan.gradientFloats));
    const scalars = createOptimizer(adamw()).update({ beta1Power: 1, beta2Power: 1 }, 1).scalars.length;
    expect(rule.codec?.updateBytes).toBe(coded + 4 * scalars * LOCAL.steps);
  });

  it('a replica that is not finite ends the round without any change', async () => {
    const { memory, threadPool, plan, rule, round, runMemory } = await machine(adamw(), compress, 1, 'wasm');
    const vectors = allocateOuterVectors(memory, plan, rule);
    const outer = new OuterStep(threadPool, runMemory, round, rule, vectors);
    const [scalars] = scalarsOf(adamw()) as [number[][]];
    outer.begin(scalars);
    const replicas = new ReplicaExecutor(threadPool, runMemory, round, rule);
    const results: PartialSum[] = [];
    for (let r = 0; r < LOCAL.replicas; r++) results.push(...((await replicas.compute(0, r)) ?? []));
    const before = memory.u8(round.weights, round.bytes).slice();
    const { codeWords = 0 } = resultLayout(plan, rule);
    // The last vector of the last replica: its codes as a replica leaves them whose sums are not finite.
    const words = codeWords / 3;
    memory.u32((results[4] as PartialSum).buffer + 4 * (codeWords - words), words).fill(0xffffffff);
    expect((await outer.finish(results)).isBroken).toBe(true);
    expect(memory.u8(round.weights, round.bytes)).toEqual(before);
    expect(memory.f32(vectors.residual as number, plan.parameterFloats).every((x) => x === 0)).toBe(true);
  });
});
