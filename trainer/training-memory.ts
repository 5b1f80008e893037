import { AveragedWeights } from '../coordinator/compute/averaged-weights.js';
import { BestWeights } from '../coordinator/compute/best-weights.js';
import type { Plan } from '../shared/compiler/plan.js';
import type { Dataset } from '../shared/data/dataset.js';
import { ordersInUse } from '../shared/data/step-shape.js';
import { DataStore } from '../shared/engine/data-store.js';
import type { Device } from '../shared/engine/device.js';
import {
  allocateOuterVectors,
  allocateRound,
  type OuterVectors,
  type RoundMemory,
} from '../shared/engine/local/round-memory.js';
import { type RunMemory, tensorsAt } from '../shared/engine/run-memory.js';
import type { Updater } from '../shared/engine/step/updater.js';
import { allocateOptimizer } from '../shared/engine/update-memory.js';
import type { Tensor } from '../shared/files/tensors.js';
import { evaluationSet } from './evaluation-set.js';
import { roundDecay } from './local-run.js';
import type { RunPlan } from './run-plan.js';

/** Everything of a run that lies in this device's memory. */
export interface TrainingMemory {
  /** Weights and training data. */
  readonly train: RunMemory;
  /** The same weights, with the data of evaluations; undefined when there are none. */
  readonly evaluated: RunMemory | undefined;
  /** The same weights, with test data that are measured once, at the end; undefined when evaluations use them. */
  readonly test: RunMemory | undefined;
  /** Of runs whose steps are batches. */
  readonly updater: Updater | undefined;
  /** Of runs whose steps are rounds of local updates. */
  readonly local: { readonly round: RoundMemory; readonly outer: OuterVectors } | undefined;
  /** Byte offsets of the vectors that a run has to remember beside its weights, `plan.parameterFloats` floats each. */
  readonly state: readonly number[];
  /** That of what a codec's rounding has taken so far, where it is kept. */
  readonly residual: number | undefined;
  /** The average of the weights, in a run that keeps one. */
  readonly averaged: AveragedWeights | undefined;
  /** A second vector of weights, in a run that ends with its best ones. */
  readonly best: BestWeights | undefined;
}

/** Allocates the memory of a run. Its weights are the initial ones that the seed gives. */
export function allocateTraining(device: Device, run: RunPlan): TrainingMemory {
  const { data, leafSize, seed } = run.request;
  const { plan, rule, shape } = run;
  const { memory } = device;
  const round = rule && allocateRound(memory, plan, rule);
  const place = { weights: round?.weights, orders: Math.max(2, ordersInUse(shape)) };
  const train = allocateRun(device, { plan, data: data.train, leafSize, seed }, place);
  const updater =
    round === undefined ? allocateOptimizer(device, plan, run.updateRule, run.codec) : undefined;
  const outer = rule && allocateOuterVectors(memory, plan, rule);
  const own = [outer?.velocity, outer?.average].filter((at) => at !== undefined);
  const averaged = averagedWeights(run, train, outer === undefined ? updater?.state.at(-1) : outer.average);
  const held = (dataset: Dataset | undefined): RunMemory | undefined =>
    dataset && { ...train, data: storeDataset(device, dataset, seed) };
  const evaluated = held(evaluationSet(data));
  return {
    train,
    evaluated: evaluated && { ...evaluated, weights: averaged?.at ?? train.weights },
    test: data.validation && held(data.test),
    updater,
    local: round && outer && { round, outer },
    state: updater?.state ?? [...(round?.state ?? []), ...own],
    residual: updater?.residual?.now ?? outer?.residual,
    averaged,
    best: run.earlyStopping?.restoreBest ? allocateBestWeights(train, averaged?.at) : undefined,
  };
}

/**
 * Allocates a network with its initial weights, drawn from the seed, and stores its data.
 * @param place where its weights lie, if memory is allocated for them already, and the epoch orders in use at a time
 */
export function allocateRun(
  device: Device,
  {
    plan,
    data,
    leafSize,
    seed,
  }: { readonly plan: Plan; readonly data: Dataset; readonly leafSize: number; readonly seed: number },
  place: { readonly weights?: number | undefined; readonly orders?: number } = {},
): RunMemory {
  const { memory } = device;
  const bytes = plan.parameterFloats * 4;
  const weights = place.weights ?? memory.allocate(bytes, 'parameters');
  // What follows takes the place of what is needed for the draw only.
  const mark = memory.mark();
  const scratch = memory.allocate(bytes, 'parameters');
  device.runOnce((commandBuffer) => plan.emitInitialisation(commandBuffer, { weights, scratch, seed }));
  memory.rewind(mark);
  return { memory, plan, leafSize, weights, data: storeDataset(device, data, seed, place.orders) };
}

/** The parameters as they are now: views, not copies. */
export function parametersOf(runMemory: RunMemory): Tensor[] {
  return tensorsAt(runMemory, runMemory.weights);
}

/** The average of the weights. @param sums byte offset of the vector that it is computed from, if there is one */
function averagedWeights(
  { request }: RunPlan,
  runMemory: RunMemory,
  sums: number | undefined,
): AveragedWeights | undefined {
  const { memory, plan } = runMemory;
  const decay = roundDecay(request);
  if (decay === undefined || sums === undefined) return undefined;
  return new AveragedWeights(
    runMemory,
    sums,
    memory.allocate(plan.parameterFloats * 4, 'averaged weights'),
    decay,
  );
}

function allocateBestWeights(runMemory: RunMemory, evaluated: number | undefined): BestWeights {
  const { memory, plan } = runMemory;
  return new BestWeights(runMemory, memory.allocate(plan.parameterFloats * 4, 'best weights'), evaluated);
}

function storeDataset({ memory }: Device, dataset: Dataset, seed: number, orders?: number): DataStore {
  const store = new DataStore(memory, dataset.manifest, seed, orders);
  for (const index of store.missing()) store.put(index, dataset.chunk(index));
  return store;
}
