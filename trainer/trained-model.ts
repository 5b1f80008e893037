import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { metricMeans } from '../coordinator/compute/metric-means.js';
import { checkpointsIn, WEIGHTS_FILE } from '../coordinator/storage/run-directory.js';
import { createPlan } from '../shared/compiler/plan.js';
import { type Dataset, packDataset } from '../shared/data/dataset.js';
import { Device } from '../shared/engine/device.js';
import { nodePlatform } from '../shared/engine/node-platform.js';
import { Evaluation } from '../shared/engine/passes/evaluation.js';
import { Predictor } from '../shared/engine/passes/prediction.js';
import { putTensors, type RunMemory } from '../shared/engine/run-memory.js';
import { UserError } from '../shared/errors.js';
import { exists } from '../shared/files/read-file.js';
import { loadSafetensors } from '../shared/files/safetensors.js';
import { sha256Hex } from '../shared/files/sha256.js';
import type { Tensor } from '../shared/files/tensors.js';
import type { Model } from '../shared/graph/model.js';
import { elementsOf } from '../shared/graph/shape.js';
import type { Backend } from '../shared/kernels/kernels.js';
import type { Metric } from '../shared/metrics/metric.js';
import { checkData } from './check-data.js';
import { EvaluationMetrics } from './evaluation-metrics.js';
import { namedMetrics } from './evaluation-set.js';
import { EXPORTED_WEIGHTS } from './stored-model.js';
import { allocateRun } from './training-memory.js';

/** What a trained model is built from. */
interface ModelRequest {
  readonly network: Model;
  /** Samples to evaluate on; left out: the model only predicts. */
  readonly data?: Dataset;
  /** Samples per leaf: it decides the order in which means are summed. */
  readonly leafSize: number;
  readonly threads: number;
  readonly backend: 'auto' | Backend;
}

/** Files of weights in a run directory and in an export. */
const WEIGHTS_FILES = [WEIGHTS_FILE, EXPORTED_WEIGHTS];

/**
 * Loads parameters from a file of weights, or from a run directory: its final weights, or else its newest undamaged
 * checkpoint.
 * @param bytesMax how large the file can be, by the network that they are for: see file-bounds.ts
 * @throws UserError when there are none
 */
export async function loadParameters(path: string, bytesMax: number): Promise<readonly Tensor[]> {
  if (!(await exists(path)))
    throw new UserError(`${path} does not exist; name a run directory or a file of weights`, 2);
  if (!(await stat(path)).isDirectory()) {
    const { tensors } = await loadSafetensors(path, bytesMax);
    // A checkpoint also holds the state of the optimizer, under names with a tilde.
    return tensors.filter(({ name }) => !name.startsWith('~'));
  }
  for (const name of WEIGHTS_FILES) {
    const weights = join(path, name);
    if (await exists(weights)) return (await loadSafetensors(weights, bytesMax)).tensors;
  }
  const { checkpoint } = await checkpointsIn(path, { bytesMax }).newest();
  if (checkpoint !== undefined) return checkpoint.parameters;
  throw new UserError(`${path} holds no weights yet; name another run directory or a file of weights`, 2);
}

/** A network with its weights, for evaluation and prediction. */
export class TrainedModel {
  private constructor(
    private readonly device: Device,
    private readonly runMemory: RunMemory,
    readonly predictor: Predictor,
    /** Undefined: the model only predicts. */
    private readonly data: Dataset | undefined,
  ) {}

  /** @throws UserError when data, network and weights do not fit together */
  static async load(request: ModelRequest, parameters: readonly Tensor[]): Promise<TrainedModel> {
    const { network, data, leafSize, threads, backend } = request;
    const plan = createPlan(network);
    if (data !== undefined) checkData(plan, data);
    const device = await Device.start(threads, backend, nodePlatform());
    try {
      const runMemory = allocateRun(device, { plan, data: data ?? noData(network), leafSize, seed: 0 });
      putTensors(runMemory, runMemory.weights, parameters);
      return new TrainedModel(device, runMemory, new Predictor(device.threadPool, runMemory), data);
    } catch (error) {
      await device.stop();
      throw error;
    }
  }

  /** The network. */
  get model(): Model {
    return this.runMemory.plan.model;
  }

  /**
   * Computes another network with the same parameters.
   * @param rowsMax most rows that are computed at a time
   */
  predictorOf(network: Model, rowsMax?: number): Predictor {
    return new Predictor(this.device.threadPool, { ...this.runMemory, plan: createPlan(network) }, rowsMax);
  }

  /** Elements of one row of outputs. */
  get outputFloats(): number {
    return elementsOf(this.runMemory.plan.output);
  }

  /**
   * The metrics of the network on its data, under the names that results use.
   * @param metrics beyond those that the loss counts
   * @throws UserError when one does not fit network and data
   */
  async evaluate(metrics: readonly Metric[] = []): Promise<Readonly<Record<string, number>>> {
    const { threadPool } = this.device;
    const evaluation = new Evaluation(threadPool, this.runMemory);
    const sums = await evaluation.run();
    const means = metricMeans(this.runMemory.plan, sums, evaluation.samples);
    if (this.data === undefined || metrics.length === 0) return namedMetrics('test', means);
    const others = new EvaluationMetrics(threadPool, this.runMemory, this.data, metrics);
    return namedMetrics('test', { ...means, ...(await others.measure(means)) });
  }

  /** Stops the threads. */
  stop(): Promise<void> {
    return this.device.stop();
  }
}

/** One sample of zeros: a device's memory has room for a data set, and predictions bring their own. */
function noData({ inputs }: Model): Dataset {
  const columns = inputs.map(({ name, shape }) => {
    const bytes = new Uint8Array(elementsOf(shape) * 4);
    return [name, { dtype: 'f32', shape, bytes, scale: 1, shift: 0 }] as const;
  });
  return packDataset('none', 1, Object.fromEntries(columns), sha256Hex);
}
