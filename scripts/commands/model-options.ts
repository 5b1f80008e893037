import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { commandLine } from '../../shared/command-line.js';
import type { Dataset } from '../../shared/data/dataset.js';
import { UserError } from '../../shared/errors.js';
import { exists } from '../../shared/files/read-file.js';
import type { Tensor } from '../../shared/files/tensors.js';
import type { Model } from '../../shared/graph/model.js';
import { shellWord } from '../../shared/shell-word.js';
import { checkpointBytesMax } from '../../trainer/file-bounds.js';
import type { StoredModel } from '../../trainer/model-text.js';
import { availableCores } from '../../trainer/options/available-cores.js';
import { parseBackend } from '../../trainer/options/compute-options.js';
import type { MeasuredData, Recipe, RecipeData } from '../../trainer/recipe.js';
import { loadStoredModel, manifestHash, storedModelOf } from '../../trainer/stored-model.js';
import { loadParameters, TrainedModel } from '../../trainer/trained-model.js';
import type { Terminal } from '../terminal/terminal.js';
import { showWhile } from '../terminal/transient-note.js';
import { addBackendOption, addJsonOption } from './compute-options.js';
import { findRecipe } from './recipes.js';
import { recipeOfRun } from './run-recipe.js';

/** Options of all commands that use a trained model. */
export interface ModelOptions {
  backend: string;
  recipe?: string;
  data?: string;
  trustRecipe?: true;
  json?: true;
}

/** Declares the model and the options of ModelOptions on a command. @param data what `--data` does */
export function addModelOptions(command: Command, data: string): Command {
  return addBackendOption(
    command
      .argument('<model>', 'a run directory, an export, or a file of weights in one of them')
      .option(
        '--recipe <name>',
        'for weights without a model.json: build network and preprocessing from this recipe and its data as they are now',
      )
      .option('--data <PATH>', data)
      .option(
        '--trust-recipe',
        'run the recipe file that the model names; files are code and run only if trusted',
      ),
  );
}

/** The same with `--json`, for commands that print one result. */
export function addModelAndJsonOptions(command: Command, data: string): Command {
  return addJsonOption(addModelOptions(command, data));
}

/** A recipe and the data that it has read. */
export interface RecipeSource {
  readonly recipe: Recipe;
  readonly data: RecipeData;
}

/** The same with samples to measure. */
export interface MeasuredSource extends RecipeSource {
  readonly data: MeasuredData;
}

/** A trained model as it is stored. */
export interface OpenedModel {
  /** Where it is, as it was typed. */
  readonly path: string;
  readonly stored: StoredModel;
  readonly parameters: readonly Tensor[];
  /** What it was built from with `--recipe`. */
  readonly builtFrom: RecipeSource | undefined;
  /** Whether its recipe may be a file, which is code. */
  readonly trustRecipe: boolean;
}

/** Reads a trained model; with `--recipe`, it is built anew. */
export async function openModel(
  path: string,
  { recipe: name, data: copy, trustRecipe: isTrusted }: ModelOptions,
  terminal: Terminal,
): Promise<OpenedModel> {
  const trustRecipe = isTrusted === true;
  if (name === undefined) {
    const stored = await loadStoredModel(path);
    return {
      path,
      stored,
      parameters: await loadParameters(path, checkpointBytesMax(stored.network)),
      builtFrom: undefined,
      trustRecipe,
    };
  }
  const recipe = await findRecipe(name).load();
  const data = await showWhile('reading data', terminal.stderr, () => recipe.data(copy));
  terminal.say(`network and preprocessing are built from ${name} and its data as they are now`);
  const stored = storedModelOf(name, recipe, data, recipe.model(data), recipe.leafSize);
  const parameters = await loadParameters(path, checkpointBytesMax(stored.network));
  return { path, stored, parameters, builtFrom: { recipe, data }, trustRecipe };
}

/**
 * The recipe of a run, and its data with held-out samples.
 * @throws UserError when they are gone, or are not those that the run was trained with
 */
export async function recipeDataOf(
  { path, stored, builtFrom, trustRecipe }: OpenedModel,
  terminal: Terminal,
): Promise<MeasuredSource> {
  if (builtFrom !== undefined) {
    const { recipe, data } = builtFrom;
    if (data.test !== undefined) return { recipe, data: { ...data, test: data.test } };
    throw new UserError(
      `${stored.recipe} has no held-out samples; leave out --recipe, and give some with --data PATH`,
    );
  }
  if (!(await isFolder(path)) || !(await exists(`${path}/config.json`)))
    throw new UserError(
      `${path} is no run directory and has no data of its own; give some with --data PATH`,
      2,
    );
  const { recipe, data } = await showWhile('reading data', terminal.stderr, () =>
    recipeOfRun(path, trustRecipe),
  ).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `the data that ${path} was trained with cannot be read (${error.message}); give other data with --data PATH`,
    );
  });
  const { test } = data;
  if (test === undefined)
    throw new UserError(`${path} was trained without held-out samples; give some with --data PATH`);
  if (manifestHash(test) !== stored.testData)
    throw new UserError(
      `the test data of ${stored.recipe} have changed since ${path} was trained; measure all of a file as the run would have: ` +
        commandLine(`eval ${shellWord(path)} --data PATH`),
    );
  return { recipe, data: { ...withStoredNames(data, stored), test } };
}

function withStoredNames(data: RecipeData, { classes, alphabet }: StoredModel): RecipeData {
  return { ...data, ...(classes !== null && { classes }), ...(alphabet !== null && { alphabet }) };
}

/** Loads a network and its weights into a device. The caller stops the model. */
export function loadModel(
  { stored, parameters }: OpenedModel,
  { backend }: ModelOptions,
  network: Model,
  data?: Dataset,
): Promise<TrainedModel> {
  const request = { network, leafSize: stored.leafSize, threads: availableCores() };
  return TrainedModel.load({ ...request, backend: parseBackend(backend), ...(data && { data }) }, parameters);
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path)).isDirectory();
}
