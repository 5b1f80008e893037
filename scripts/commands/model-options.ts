import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import type { Recipe } from '../../coordinator/recipe.js';
import { UserError } from '../../shared/errors.js';
import { exists } from '../../shared/files/read-file.js';
import { whileSaying } from '../terminal/passing-note.js';
import type { Terminal } from '../terminal/terminal.js';
import { loadParameters, TrainedModel } from '../training/trained-model.js';
import { addBackendOption, parseBackend } from './node-options.js';
import { findRecipe } from './recipes.js';
import { recipeOfRun } from './run-recipe.js';

/** Options of all commands that ask a trained model. */
export interface ModelOptions {
  backend: string;
  recipe?: string;
  data?: string;
  json?: true;
}

/** Declares the model and the options of ModelOptions on a command. */
export function addModelOptions(command: Command): Command {
  return addBackendOption(
    command
      .argument('<model>', "a run's folder, or a file of weights (with --recipe)")
      .option('--recipe <name>', 'the recipe that the weights are of (default: that of the run)')
      .option('--data <PATH>', "a local copy of the recipe's data (default: as in the run)"),
  ).option('--json', 'print the result as one JSON object on the last line of stdout');
}

/** What a trained model is made of. */
interface ModelSource {
  readonly recipe: Recipe;
  readonly leaf: number;
  /** Where its data are; undefined: where the recipe finds them. */
  readonly data: string | undefined;
}

/** @throws UserError (wrong usage) when nothing tells what the weights are of */
async function sourceOf(path: string, options: ModelOptions): Promise<ModelSource> {
  if ((await exists(path)) && (await stat(path)).isDirectory() && options.recipe === undefined) {
    const { recipe, settings } = await recipeOfRun(path);
    return { recipe, leaf: settings.leaf, data: options.data ?? settings.data };
  }
  if (!(await exists(path)))
    throw new UserError(`there is no ${path}; name a run's folder or a file of weights`, 2);
  if (options.recipe === undefined)
    throw new UserError(`--recipe NAME must say of which network the weights in ${path} are`, 2);
  const recipe = await findRecipe(options.recipe).load();
  return { recipe, leaf: recipe.leaf, data: options.data };
}

/** A model to be asked, with its data; to be stopped in the end. */
export async function openModel(path: string, options: ModelOptions, { stderr }: Terminal) {
  const { recipe, leaf, data: place } = await sourceOf(path, options);
  const data = await whileSaying('reading data', stderr, () => recipe.data(place));
  const backend = parseBackend(options.backend);
  const parameters = await loadParameters(path);
  const model = await TrainedModel.load(
    { recipe, data, leaf, backend, threads: availableParallelism() },
    parameters,
  );
  return { model, data, parameters };
}
