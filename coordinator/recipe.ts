import type { Dataset } from '../shared/data/dataset.js';
import type { Model } from '../shared/graph/model.js';
import type { OptimizerSettings } from '../shared/optim/settings.js';

/** The data of a recipe: what it learns from, and what it is measured on. */
export interface RecipeData {
  readonly train: Dataset;
  readonly test: Dataset;
}

/**
 * Everything that decides what is trained: a network, its data, and how it learns. One readable file in examples/.
 * Whatever is a number here can be set on the command line instead.
 */
export interface Recipe {
  /** One line for `--help`. */
  readonly summary: string;
  readonly model: () => Model;
  /**
   * @param directory a local copy of the data; undefined: wherever the recipe finds it by itself
   * @throws UserError that says how to get the data
   */
  readonly data: (directory: string | undefined) => Promise<RecipeData>;
  readonly optimizer: OptimizerSettings;
  /** Samples of a step, over all workers. */
  readonly batch: number;
  /** Samples of one leaf of the canonical sum. */
  readonly leaf: number;
  readonly epochs: number;
}
