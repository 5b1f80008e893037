import { SeededRandom } from '../../../shared/actor/seeded-random.js';
import type { Codec } from '../../../shared/codec/codec.js';
import { createPlan } from '../../../shared/compiler/plan.js';
import { type Dataset, packDataset } from '../../../shared/data/dataset.js';
import { stepPlace } from '../../../shared/data/order.js';
import type { Device } from '../../../shared/engine/device.js';
import { StepExecutor } from '../../../shared/engine/step/step-executor.js';
import { allocateOptimizer } from '../../../shared/engine/update-memory.js';
import { fromBfloat16, toBfloat16 } from '../../../shared/files/half-floats.js';
import { sha256Hex } from '../../../shared/files/sha256.js';
import { Graph } from '../../../shared/graph/graph.js';
import { keyOf } from '../../../shared/graph/keys.js';
import { batchNormalization } from '../../../shared/graph/layers/batch-normalization.js';
import { dense } from '../../../shared/graph/layers/dense.js';
import { dropout } from '../../../shared/graph/layers/dropout.js';
import { sequential } from '../../../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../../shared/graph/model.js';
import { clipByGlobalNorm } from '../../../shared/optim/clipping.js';
import { outerRuleOf } from '../../../shared/optim/local-updates.js';
import { createOptimizer, type OptimizerSettings } from '../../../shared/optim/settings.js';
import { allocateRun } from '../../../trainer/training-memory.js';
import { dequantize, ditherOf, quantize } from '../../kernels/reference-block-quantization.js';

/*
 * A plain reference of rounds of local updates: replicas one after the other by single steps on one thread, and the outer step in
 * JavaScript, with a codec also its rounding. The model has dropout, moving averages, a ragged last batch and clipping. 103
 * samples in batches of 8 make 13 optimizer steps an epoch, of which a round takes 5 x 7.
 */
export const [SAMPLES, BATCH, LEAF] = [103, 40, 4];
const [ROUNDS, RATE] = [3, 0.01];
export const LOCAL = { replicas: 5, steps: 7 };
const INNER = BATCH / LOCAL.replicas;
export const SEED = 3;

export function data(): Dataset {
  const random = new SeededRandom(7);
  const bytes = (count: number, values: number): Uint8Array =>
    Uint8Array.from({ length: count }, () => random.below(values));
  const x = { dtype: 'u8', shape: [12], bytes: bytes(12 * SAMPLES, 256), scale: 1 / 256, shift: 0 } as const;
  const y = { dtype: 'u8', shape: [], bytes: bytes(SAMPLES, 4), scale: 1, shift: 0 } as const;
  return packDataset('rounds', SAMPLES, { x, y }, sha256Hex);
}

export function model(): Model {
  const x = new Graph().input('x', [12]);
  const network = sequential([
    dense(130),
    batchNormalization({ virtualBatchSize: 4 }),
    dropout(0.2),
    dense(4, { activation: 'softmax' }),
  ]);
  return x.graph.model(network(x), sparseCategoricalCrossentropy({ target: 'y' }));
}

/** Everything that a run remembers after its rounds: weights, averaged vectors, velocity; and the metrics of each round. */
export interface Course {
  readonly vectors: readonly Uint32Array[];
  readonly metrics: readonly (readonly number[])[];
}

export const clipping = clipByGlobalNorm(0.5);

/** The optimizer's scalars of the steps of each round: the schedule counts the steps of one replica. */
export function scalarsOf({ ema: _, ...settings }: OptimizerSettings): number[][][] {
  const optimizer = createOptimizer(settings);
  let state = optimizer.init();
  return Array.from({ length: ROUNDS }, (_, round) =>
    Array.from({ length: LOCAL.steps }, (_, j) => {
      const next = optimizer.update(state, RATE / (1 + round * LOCAL.steps + j));
      state = next.state;
      return [...next.scalars];
    }),
  );
}

const f32 = Math.fround;
/** A fused multiply-add of float32: the product is exact in float64, and the double rounding of the sum is checked. */
function fma(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  // The error of the float64 sum (Knuth): where the sum is a tie of float32, it decides.
  const shadow = sum - product;
  const error = product - (sum - shadow) + (c - shadow);
  const rounded = f32(sum);
  if (error === 0 || sum === rounded) return rounded;
  const other = f32(sum + (sum - rounded));
  const isTie = Math.abs(sum - rounded) === Math.abs(other - sum) && other !== rounded;
  if (!isTie) return rounded;
  return error > 0 === other > rounded ? other : rounded;
}

/** The aligned binary tree over five leaves. */
function treeSum(values: readonly Float32Array[]): Float32Array {
  if (values.length === 1) return values[0] as Float32Array;
  const pairs: Float32Array[] = [];
  for (let i = 0; i < values.length; i += 2) {
    const [left, right] = [values[i] as Float32Array, values[i + 1]];
    pairs.push(right === undefined ? left : left.map((value, j) => f32(value + (right[j] as number))));
  }
  return treeSum(pairs);
}

/** What a codec makes of a vector, tensor by tensor. */
function rounded(
  values: Float32Array,
  tensors: readonly { readonly offset: number; readonly size: number }[],
  codec: Codec,
  { isUnsigned = false, dither }: { isUnsigned?: boolean; dither?: (index: number) => number } = {},
): Float32Array {
  if (codec === 'none') return values;
  const result = values.slice();
  const bits = codec === 'int8' ? 8 : 4;
  for (const { offset, size } of tensors) {
    const part = values.subarray(offset, offset + size);
    const draw = dither && ((i: number) => dither(offset + i));
    const made =
      codec === 'bf16'
        ? part.map((x) => fromBfloat16(toBfloat16(x)))
        : dequantize(quantize(part, { bits, isUnsigned, dither: draw }), bits);
    result.set(made, offset);
  }
  return result;
}

const roots = (values: Float32Array): Float32Array => values.map(Math.sqrt);
const squares = (values: Float32Array): Float32Array => values.map((x) => f32(x * x));

/** The rounds by the definition. @param device with one thread */
export async function byReference(
  device: Device,
  { ema, ...settings }: OptimizerSettings,
  compress: Codec,
): Promise<Course> {
  const { memory, threadPool } = device;
  const plan = createPlan(model());
  const { parameterFloats, trainedFloats } = plan;
  const trained = plan.parameters.filter(({ momentum }) => momentum === undefined);
  /** A vector of a result, 0 for the change of the weights: what the codec makes of it. */
  const sent = (values: Float32Array, vector: number, counter?: number): Float32Array => {
    if (compress === 'none') return values;
    const { key0, key1 } = keyOf('localUpdates', SEED, String(vector));
    const isRandom = compress === 'int4' && counter !== undefined;
    const dither = isRandom ? { dither: ditherOf(counter, key0, key1) } : {};
    // Adam's second moment.
    if (vector === 2)
      return squares(rounded(roots(values), trained, compress, { isUnsigned: true, ...dither }));
    return rounded(values, trained, compress, dither);
  };
  const runMemory = allocateRun(device, { plan, data: data(), leafSize: LEAF, seed: SEED });
  const updater = allocateOptimizer(device, plan, { optimizer: createOptimizer(settings), clipping });
  const steps = new StepExecutor(threadPool, runMemory, { batch: INNER, leavesPerGroup: 1 }, updater);
  const { rate, momentum, averagesState } = outerRuleOf(settings);
  const weights = memory.f32(runMemory.weights, parameterFloats);
  const state = updater.state.map((at) => memory.f32(at, parameterFloats));
  const base: Float32Array[] = [weights, ...state].map((vector) => vector.slice());
  const velocity = new Float32Array(parameterFloats);
  const average = new Float32Array(parameterFloats);
  const decay = Array.from({ length: LOCAL.steps }).reduce<number>((power) => power * (ema ?? 1), 1);
  const residual = new Float32Array(parameterFloats);
  const metrics: number[][] = [];
  for (const [k, scalars] of scalarsOf(settings).entries()) {
    const changes: Float32Array[] = [];
    const states: Float32Array[][] = state.map(() => []);
    const sums: Float32Array[] = [];
    for (let r = 0; r < LOCAL.replicas; r++) {
      weights.set(base[0] as Float32Array);
      for (const [i, vector] of state.entries())
        if (averagesState) vector.set(base[i + 1] as Float32Array);
        else vector.fill(0);
      const own = new Float32Array(plan.metrics.length);
      for (let j = 0; j < LOCAL.steps; j++) {
        const step = (k * LOCAL.replicas + r) * LOCAL.steps + j;
        const leaves = { from: 0, to: Math.ceil(stepPlace(step, SAMPLES, INNER).size / LEAF) };
        const partialSums = await steps.compute(step, { threads: { from: 0, to: 1 }, leaves });
        const done = await steps.finish(step, partialSums, scalars[j] as number[]);
        for (const [i, value] of done.metrics.entries()) own[i] = (own[i] as number) + value;
      }
      sums.push(own);
      const counter = k * LOCAL.replicas + r;
      const change = weights.map((value, i) => f32((base[0]?.[i] as number) - value));
      changes.push(sent(change, 0, counter));
      for (const [i, vector] of state.entries()) states[i]?.push(sent(vector.slice(), 1 + i, counter));
    }
    const share = f32(1 / LOCAL.replicas);
    const mean = treeSum(changes).map((value) => f32(value * share));
    // With a codec, the change is added to what earlier ones have lost, and then to the weights.
    const before = compress === 'none' ? (base[0] as Float32Array) : residual;
    const after = Float32Array.from(before, (w, i) => {
      const d = mean[i] as number;
      if (i >= trainedFloats) return compress === 'none' ? f32(w - d) : -d;
      if (momentum === 0) return f32(w - d);
      const v = fma(f32(momentum), velocity[i] as number, d);
      velocity[i] = v;
      return fma(f32(-rate), fma(f32(momentum), v, d), w);
    });
    if (compress === 'none') base[0] = after;
    else {
      const change = sent(after, 0);
      base[0] = Float32Array.from(base[0] as Float32Array, (w, i) => f32(w + (change[i] as number)));
      for (let i = 0; i < trainedFloats; i++) residual[i] = f32((after[i] as number) - (change[i] as number));
    }
    if (averagesState)
      for (const [i, all] of states.entries())
        base[i + 1] = sent(
          treeSum(all).map((value) => f32(value * share)),
          1 + i,
        );
    for (let i = 0; i < trainedFloats; i++) {
      const before = average[i] as number;
      average[i] = fma(f32(1 - decay), f32((base[0]?.[i] as number) - before), before);
    }
    metrics.push([...treeSum(sums)]);
  }
  const kept = [
    ...(averagesState ? [...base, velocity] : base.slice(0, 1)),
    ...(compress === 'none' ? [] : [residual]),
    ...(ema === undefined ? [] : [average]),
  ];
  return { vectors: kept.map((vector) => new Uint32Array(vector.buffer)), metrics };
}
