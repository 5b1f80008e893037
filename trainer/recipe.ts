import { normalize } from 'node:path';
import type { Codec } from '../shared/codec/codec.js';
import type { Dataset } from '../shared/data/dataset.js';
import type { Predictor } from '../shared/engine/passes/prediction.js';
import type { Model } from '../shared/graph/model.js';
import type { Metric } from '../shared/metrics/metric.js';
import type { Clipping } from '../shared/optim/clipping.js';
import type { EarlyStopping } from '../shared/optim/early-stopping.js';
import type { GradientNoise } from '../shared/optim/gradient-noise.js';
import type { LocalUpdates } from '../shared/optim/local-updates.js';
import type { ScheduleSettings } from '../shared/optim/schedule.js';
import type { OptimizerSettings } from '../shared/optim/settings.js';

/** The data of a recipe. */
export interface RecipeData {
  /** Samples that the network learns from. */
  readonly train: Dataset;
  /**
   * Samples that choices rest on: evaluations, early stopping and reduceOnPlateau use them, and the test samples are measured
   * once, at the end. Left out: evaluations use the test samples.
   */
  readonly validation?: Dataset;
  /** Samples that it is measured on; left out, and `validation` too: nothing but the training loss is measured. */
  readonly test?: Dataset;
  /** Texts: the characters or pieces by number. */
  readonly alphabet?: readonly string[];
  /** Classification: the class names by number. */
  readonly classes?: readonly string[];
  /** What was found and decided in reading, one line each; printed before training. */
  readonly notes?: readonly string[];
  /** What was fitted on the data, as plain JSON: enough to bring other samples to the same form. */
  readonly preprocessing?: { readonly kind: string; readonly version: number };
  /**
   * Reads unlabelled samples for `predict` from a file, such as an image: the values of each input of the network.
   * @throws UserError that names the file and the remedy
   */
  readonly inputs?: (path: string) => Promise<Readonly<Record<string, Float32Array>>>;
}

/** Data with samples to evaluate on. */
export type MeasuredData = RecipeData & { readonly test: Dataset };

/** A bound on one of a run's metrics, such as testAccuracy. */
export type Goal =
  | { readonly metric: string; readonly atLeast: number }
  | { readonly metric: string; readonly atMost: number };

/**
 * Everything that decides what is trained: a network, its data and how it learns. Each built-in recipe is one file in
 * examples/. Options of `train` override the numbers.
 */
export interface Recipe {
  /** One line for `--help`. */
  readonly summary: string;
  /**
   * Builds the network.
   * @param data without the test data; its shapes may decide the width of layers
   */
  readonly model: (data: Omit<RecipeData, 'test'>) => Model;
  /**
   * Loads the data.
   * @param directory a local copy: a folder or a file; undefined: the recipe's own source
   * @throws UserError that says how to get the data
   */
  readonly data: (directory: string | undefined) => Promise<RecipeData>;
  readonly optimizer: OptimizerSettings;
  /** How the learning rate changes over the run; left out: it is constant. */
  readonly schedule?: ScheduleSettings;
  /** Gradient clipping; left out: none. */
  readonly clipping?: Clipping;
  /** Random noise that is added to gradients; left out: none. */
  readonly gradientNoise?: GradientNoise;
  /** How gradients are rounded before they are exchanged: none, bf16, int8 or int4; left out: none. */
  readonly compress?: Codec;
  /** When a run ends before its last step; left out: never. */
  readonly earlyStopping?: EarlyStopping;
  /** Steps between two evaluations; left out: one epoch. */
  readonly evaluateEvery?: number;
  /** Local updates, for slow links; left out: an exchange at every step. `steps` and `evaluateEvery` stay optimizer steps. */
  readonly sync?: LocalUpdates;
  /** Samples per step, over all workers and replicas. */
  readonly batch: number;
  /** Samples per leaf of the canonical sum. */
  readonly leafSize: number;
  readonly epochs: number;
  /** Steps of a run, in place of `epochs`. */
  readonly steps?: number;
  /** The result on test data that a full run must reach; `unisum recipes` checks it. */
  readonly goal?: Goal;
  /**
   * Metrics of every evaluation beside the loss and what it counts, such as f1() or one of your own (defineMetric). They are
   * stored and printed with it.
   */
  readonly evaluationMetrics?: readonly Metric[];
  /**
   * Metrics that need predictions, such as the share of decoded sentences that are right. Computed once, after the last
   * step, with the final weights, if there are samples to evaluate on. They are added to the result and to metrics.jsonl, and printed.
   * @param evaluated metrics of the latest evaluation, such as testLoss
   */
  readonly metrics?: (
    predictor: Predictor,
    data: MeasuredData,
    evaluated: Readonly<Record<string, number>>,
  ) => Promise<Readonly<Record<string, number>>>;
}

/** Whether a name is the path of a recipe file, and not the name of a built-in recipe. */
export function isRecipeFile(name: string): boolean {
  return /[/\\]|\.[cm]?[jt]s$/.test(name);
}

/** What names a recipe where two are compared: one file may have been typed as x.ts and as ./x.ts. */
export function recipeKey(name: string): string {
  return isRecipeFile(name) ? normalize(name) : name;
}
