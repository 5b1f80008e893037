import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Recipe, RecipeData } from '../../coordinator/recipe.js';
import { checkpointsIn, WEIGHTS_FILE } from '../../coordinator/run-directory.js';
import { Workshop } from '../../coordinator/workshop.js';
import { Crew } from '../../shared/engine/crew.js';
import { Evaluation } from '../../shared/engine/evaluation.js';
import { granuleOf } from '../../shared/engine/granule.js';
import { Machine } from '../../shared/engine/machine.js';
import { Predictor } from '../../shared/engine/prediction.js';
import type { RunPlace } from '../../shared/engine/step-compiler.js';
import { putTensors } from '../../shared/engine/tensors-at.js';
import { UserError } from '../../shared/errors.js';
import { exists } from '../../shared/files/read-file.js';
import { loadSafetensors } from '../../shared/files/safetensors.js';
import type { Tensor } from '../../shared/files/tensors.js';
import type { Model } from '../../shared/graph/model.js';
import { createPlan } from '../../shared/graph/plan.js';
import { elementsOf } from '../../shared/graph/shape.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import { checkData } from './check-data.js';
import { layOutRun } from './run-place.js';
import { testMetrics } from './run-watch.js';

/** What a model is made of, and what it is looked at with. */
interface ModelRequest {
  readonly recipe: Recipe;
  readonly data: RecipeData;
  /** Samples of one leaf: it decides in which order means are added. */
  readonly leaf: number;
  readonly threads: number;
  readonly backend: 'auto' | Backend;
}

/**
 * The parameters in a file, or those that a run has come to: its weights, or its newest whole checkpoint.
 * @throws UserError when there are none
 */
export async function loadParameters(path: string): Promise<readonly Tensor[]> {
  if (!(await exists(path)))
    throw new UserError(`there is no ${path}; name a run's folder or a file of weights`, 2);
  if (!(await stat(path)).isDirectory()) {
    const { tensors } = await loadSafetensors(path);
    // What an optimizer remembers stands behind them in a checkpoint.
    return tensors.filter(({ name }) => !name.startsWith('~'));
  }
  const weights = join(path, WEIGHTS_FILE);
  if (await exists(weights)) return (await loadSafetensors(weights)).tensors;
  const { checkpoint } = await checkpointsIn(path).newest();
  if (checkpoint !== undefined) return checkpoint.parameters;
  throw new UserError(`${path} holds no weights yet; name another run, or a file of weights`, 2);
}

/** The parameters that a run was told to begin with; undefined when it draws them. */
export async function initialParameters({
  weights,
}: {
  readonly weights: string | undefined;
}): Promise<readonly Tensor[] | undefined> {
  return weights === undefined ? undefined : await loadParameters(weights);
}

/** A model with weights, to be asked. */
export class TrainedModel {
  private constructor(
    private readonly request: ModelRequest,
    private readonly machine: Machine,
    private readonly place: RunPlace,
    readonly predictor: Predictor,
  ) {}

  /** @throws UserError when data, model and weights do not fit together */
  static async load(request: ModelRequest, parameters: readonly Tensor[]): Promise<TrainedModel> {
    const { recipe, data, leaf, threads, backend } = request;
    const plan = createPlan(recipe.model(data));
    checkData(plan, data.test);
    const machine = await Machine.start(threads, backend);
    try {
      const place = layOutRun(machine, { plan, data: data.test, leaf, seed: 0 });
      putTensors(place, place.weights, parameters);
      return new TrainedModel(request, machine, place, new Predictor(machine.team, place));
    } catch (error) {
      await machine.stop();
      throw error;
    }
  }

  /** The network. */
  get model(): Model {
    return this.place.plan.model;
  }

  /** Numbers of one row of outputs. */
  get outputFloats(): number {
    return elementsOf(this.place.plan.output);
  }

  /** Metrics on the recipe's test data, as a run names them, and what else the recipe measures. */
  async evaluate(): Promise<Readonly<Record<string, number>>> {
    const { recipe, data, leaf } = this.request;
    const { machine, place } = this;
    const crew = new Crew(machine.team, place, { batch: leaf, granule: granuleOf(place.plan, leaf) });
    const means = await new Workshop(crew, new Evaluation(machine.team, place), place).evaluate();
    const evaluated = testMetrics(means);
    return { ...evaluated, ...(await recipe.metrics?.(this.predictor, data, evaluated)) };
  }

  /** Ends the threads. */
  stop(): Promise<void> {
    return this.machine.stop();
  }
}
