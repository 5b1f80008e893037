import type { Dataset } from '../shared/data/dataset.js';
import type { Predictor } from '../shared/engine/prediction.js';
import type { Model } from '../shared/graph/model.js';
import type { Clipping } from '../shared/optim/clipping.js';
import type { EarlyStopping } from '../shared/optim/early-stopping.js';
import type { GradientNoise } from '../shared/optim/gradient-noise.js';
import type { ScheduleSettings } from '../shared/optim/schedule.js';
import type { OptimizerSettings } from '../shared/optim/settings.js';

/** The data of a recipe: what it learns from, and what it is measured on. */
export interface RecipeData {
  readonly train: Dataset;
  readonly test: Dataset;
  /** Of a text: its characters by number. */
  readonly alphabet?: readonly string[];
  /** Of samples in classes: their names by number. */
  readonly classes?: readonly string[];
  /**
   * Reads samples that nobody has judged yet, such as an image: for each input of the network its numbers.
   * @throws UserError that names the file and the mend
   */
  readonly inputs?: (path: string) => Promise<Readonly<Record<string, Float32Array>>>;
}

/** A bound on one of a run's metrics, such as testAccuracy. */
export type Goal =
  | { readonly metric: string; readonly atLeast: number }
  | { readonly metric: string; readonly atMost: number };

/**
 * Everything that decides what is trained: a network, its data, and how it learns. One readable file in examples/.
 * Whatever is a number here can be set on the command line instead.
 */
export interface Recipe {
  /** One line for `--help`. */
  readonly summary: string;
  /** @param data without what it is measured on: a network may be as wide as its samples */
  readonly model: (data: Omit<RecipeData, 'test'>) => Model;
  /**
   * @param directory a local copy of the data, or the file that holds it; undefined: wherever the recipe finds it by itself
   * @throws UserError that says how to get the data
   */
  readonly data: (directory: string | undefined) => Promise<RecipeData>;
  readonly optimizer: OptimizerSettings;
  /** How the optimizer's learning rate changes over the run; left out: not at all. */
  readonly schedule?: ScheduleSettings;
  /** How gradients that are too large are made smaller; left out: not at all. */
  readonly clipping?: Clipping;
  /** What is added to gradients by chance; left out: nothing. */
  readonly gradientNoise?: GradientNoise;
  /** When it ends before its last step; left out: not at all. */
  readonly earlyStopping?: EarlyStopping;
  /** Steps between two evaluations; left out: those of an epoch. */
  readonly evaluateEvery?: number;
  /** Samples of a step, over all workers. */
  readonly batch: number;
  /** Samples of one leaf of the canonical sum. */
  readonly leaf: number;
  readonly epochs: number;
  /** Steps of a run, where an epoch is no measure. */
  readonly steps?: number;
  /** What it is meant to reach on data that it has not learned; `npm run recipes` looks whether it does. */
  readonly goal?: Goal;
  /**
   * What the loss does not tell, such as how many decoded sentences are right: measured once, behind the last step, by
   * predictions from the final weights. Numbers by name, which join the result, metrics.jsonl and the terminal.
   * @param evaluated what the latest evaluation has measured, such as testLoss
   */
  readonly metrics?: (
    predictor: Predictor,
    data: RecipeData,
    evaluated: Readonly<Record<string, number>>,
  ) => Promise<Readonly<Record<string, number>>>;
}
