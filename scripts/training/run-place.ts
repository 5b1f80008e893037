import { BestWeights } from '../../coordinator/best-weights.js';
import type { Dataset } from '../../shared/data/dataset.js';
import { DataStore } from '../../shared/engine/data-store.js';
import type { Machine } from '../../shared/engine/machine.js';
import { guardFloats, type RunPlace, type Updater } from '../../shared/engine/step-compiler.js';
import { tensorsAt } from '../../shared/engine/tensors-at.js';
import type { Tensor } from '../../shared/files/tensors.js';
import type { Plan } from '../../shared/graph/plan.js';
import { type Clipping, checkClipping } from '../../shared/optim/clipping.js';
import { createOptimizer, type OptimizerSettings } from '../../shared/optim/settings.js';

/** What decides a run's numbers, apart from its batch. */
interface RunOrigin {
  readonly plan: Plan;
  readonly data: Dataset;
  readonly leaf: number;
  readonly seed: number;
}

/** Lays a run out in a machine's memory: its data, and the first weights, drawn from the seed. */
export function layOutRun(machine: Machine, { plan, data, leaf, seed }: RunOrigin): RunPlace {
  const { memory } = machine;
  const bytes = plan.parameterFloats * 4;
  const weights = memory.allocate(bytes, 'parameters');
  const scratch = memory.allocate(bytes, 'parameters');
  machine.runOnce((tape) => plan.emitInitialisation(tape, { weights, scratch, seed }));
  return { memory, plan, leafSize: leaf, weights, data: layDown(machine, data, seed) };
}

/** An optimizer and its state in a machine's memory. */
export function layOutOptimizer(
  { memory }: Machine,
  plan: Plan,
  settings: OptimizerSettings,
  { clipping, noise }: { readonly clipping?: Clipping | undefined; readonly noise?: Updater['noise'] } = {},
): Updater {
  const optimizer = createOptimizer(settings);
  const bytes = plan.parameterFloats * 4;
  const state = Array.from({ length: optimizer.slots }, () => memory.allocate(bytes, 'optimizer states'));
  const norms = memory.allocate(2 * guardFloats(plan) * 4, 'norms of gradients');
  return {
    optimizer,
    state,
    norms,
    ...(clipping && { clipping: checkClipping(clipping) }),
    ...(noise && { noise }),
  };
}

/** Room for the best weights beside those of a run. */
export function layOutBest(place: RunPlace): BestWeights {
  const { memory, plan } = place;
  return new BestWeights(place, memory.allocate(plan.parameterFloats * 4, 'best weights'));
}

/** All of a data set in a machine's memory. */
export function layDown({ memory }: Machine, dataset: Dataset, seed: number): DataStore {
  const store = new DataStore(memory, dataset.manifest, seed);
  for (const index of store.missing()) store.put(index, dataset.chunk(index));
  return store;
}

/** The parameters as they are now; views, not copies. */
export function parametersOf(place: RunPlace): Tensor[] {
  return tensorsAt(place, place.weights);
}
