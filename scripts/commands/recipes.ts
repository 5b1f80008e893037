import { existsSync } from 'node:fs';
import { UserError } from '../../shared/errors.js';
import { nearest } from '../../shared/nearest.js';
import { isRecipeFile, type Recipe } from '../../trainer/recipe.js';
import { loadRecipeFile } from './recipe-file.js';

/** A recipe by name. Its file is loaded only when it is used. */
export interface RecipeEntry {
  readonly name: string;
  /** One line of `--help`. */
  readonly summary: string;
  load(): Promise<Recipe>;
}

/** The recipe of `unisum train` without a name. */
export const DEFAULT_RECIPE = 'mnist-mlp';

/** The built-in recipes, which are in examples/. */
export const RECIPES: readonly RecipeEntry[] = [
  {
    name: 'mnist-mlp',
    summary: 'handwritten digits with a small dense network: 784-10-10, Adam, cross-entropy',
    load: async () => (await import('../../examples/mnist-mlp.js')).recipe,
  },
  {
    name: 'mnist-cnn',
    summary:
      'handwritten digits with a convolutional network: 32c3-pool-64c3-pool-128-10, Adam, cross-entropy',
    load: async () => (await import('../../examples/mnist-cnn.js')).recipe,
  },
  {
    name: 'fashion-cnn',
    summary:
      'ten kinds of clothing with a convolutional network: 32c3-pool-64c3-pool-128-10, Adam, cross-entropy',
    load: async () => (await import('../../examples/fashion-cnn.js')).recipe,
  },
  {
    name: 'detect-digits',
    summary: 'detection of 1 to 3 handwritten digits on a canvas with a single-shot convolutional network',
    load: async () => (await import('../../examples/detect-digits.js')).recipe,
  },
  {
    name: 'mnist-vae',
    summary: 'handwritten digits with a variational autoencoder: 784-256-8-256-784, Adam, composed loss',
    load: async () => (await import('../../examples/mnist-vae.js')).recipe,
  },
  {
    name: 'mnist-siamese',
    summary: 'whether two handwritten digits are equal, with a siamese network: 784-128-32, contrastive loss',
    load: async () => (await import('../../examples/mnist-siamese.js')).recipe,
  },
  {
    name: 'mnist-diffusion',
    summary:
      'handwritten digits out of noise with a diffusion model: dense layers of 384 units, Adam, average of weights',
    load: async () => (await import('../../examples/mnist-diffusion.js')).recipe,
  },
  {
    name: 'first-digits',
    summary:
      'handwritten digits 0 to 4, whose trunk other-digits takes: 16c3-pool-32c3-pool-64-10, Adam, cross-entropy',
    load: async () => (await import('../../examples/other-digits.js')).firstDigits,
  },
  {
    name: 'other-digits',
    summary:
      'handwritten digits 5 to 9, from a tenth of their images: 16c3-pool-32c3-pool-64-10, Adam, cross-entropy',
    load: async () => (await import('../../examples/other-digits.js')).otherDigits,
  },
  {
    name: 'iris',
    summary: 'three species of iris flowers from a table, or from --data FILE.csv with a column "species"',
    load: async () => (await import('../../examples/iris.js')).recipe,
  },
  {
    name: 'vanishing',
    summary: 'handwritten digits with ten sigmoid layers: error terms vanish, as --inspect-gradients shows',
    load: async () => (await import('../../examples/deep-digits.js')).vanishing,
  },
  {
    name: 'exploding',
    summary: 'the same with relu and weights of 1: values and error terms explode',
    load: async () => (await import('../../examples/deep-digits.js')).exploding,
  },
  {
    name: 'cured',
    summary: 'the same with relu and He initialization: error terms keep their size',
    load: async () => (await import('../../examples/deep-digits.js')).cured,
  },
  {
    name: 'residual',
    summary: 'the same with sigmoid and skip connections: error terms reach the first layer',
    load: async () => (await import('../../examples/deep-digits.js')).residual,
  },
  {
    name: 'overfitting',
    summary: 'a thousand handwritten digits, overfitted: 784-256-256-10, Adam, cross-entropy',
    load: async () => (await import('../../examples/few-digits.js')).overfitting,
  },
  {
    name: 'overfitting-dropout',
    summary: 'the same with dropout',
    load: async () => (await import('../../examples/few-digits.js')).droppedOut,
  },
  {
    name: 'overfitting-l2',
    summary: 'the same with L2 regularisation',
    load: async () => (await import('../../examples/few-digits.js')).penalised,
  },
  {
    name: 'overfitting-batchnorm',
    summary: 'the same with batch normalisation',
    load: async () => (await import('../../examples/few-digits.js')).normalised,
  },
  {
    name: 'overfitting-moved',
    summary: 'the same with random translation',
    load: async () => (await import('../../examples/few-digits.js')).moved,
  },
  {
    name: 'char-gpt',
    summary:
      'text, character by character, with a small GPT (--text FILE): 4 layers, 4 heads, width 128, context 64',
    load: async () => (await import('../../examples/char-gpt.js')).recipe,
  },
  {
    name: 'char-lstm',
    summary: 'text, character by character, with 2 LSTM layers (--text FILE): 256 units each, context 64',
    load: async () => (await import('../../examples/char-lstm.js')).recipe,
  },
  {
    name: 'translate-dates',
    summary:
      'dates in words and numbers to ISO 8601 with a Transformer: encoder and decoder of 2 layers, width 64',
    load: async () => (await import('../../examples/translate-dates.js')).recipe,
  },
  {
    name: 'translate-dates-lstm',
    summary: 'dates in words and numbers to ISO 8601 with LSTM encoder and decoder, 64 units, and attention',
    load: async () => (await import('../../examples/translate-dates-lstm.js')).recipe,
  },
  {
    name: 'translate',
    summary:
      'English to Spanish with a Transformer: Bible verses, or your own two files of lines (--data FOLDER)',
    load: async () => (await import('../../examples/translate.js')).recipe,
  },
  {
    name: 'summarise',
    summary: 'long to short descriptions of Debian packages with a Transformer, or your own (--data FILE)',
    load: async () => (await import('../../examples/summarise.js')).recipe,
  },
  {
    name: 'speech-digits',
    summary: 'spoken digits with a convolutional network on log-mel spectrograms (--data FSDD)',
    load: async () => (await import('../../examples/speech-digits.js')).recipe,
  },
  {
    name: 'speech-digits-newcomer',
    summary: 'the same, tested on a speaker who is not in the training data',
    load: async () => (await import('../../examples/speech-digits.js')).newcomer,
  },
  {
    name: 'speech-strings',
    summary: 'strings of 3 to 7 spoken digits with convolutions, GRUs and CTC (--data FSDD)',
    load: async () => (await import('../../examples/speech-strings.js')).recipe,
  },
  {
    name: 'speech-strings-newcomer',
    summary: 'the same, tested on a speaker who is not in the training data',
    load: async () => (await import('../../examples/speech-strings.js')).newcomer,
  },
];

/**
 * Finds a recipe.
 * @param name of a built-in recipe, or path of a recipe file
 * @throws {UserError} (wrong usage) when there is no such recipe, with the nearest name or the whole list
 */
export function findRecipe(name: string, recipes: readonly RecipeEntry[] = RECIPES): RecipeEntry {
  if (isRecipeFile(name)) return { name, summary: 'your own recipe', load: () => loadRecipeFile(name) };
  const found = recipes.find((entry) => entry.name === name);
  if (found) return found;
  const names = recipes.map((entry) => entry.name);
  const file = ['.ts', '.mts', '.js', '.mjs']
    .map((ending) => `${name}${ending}`)
    .find((path) => existsSync(path));
  if (file !== undefined)
    throw new UserError(`there is no recipe "${name}"; the file of this name is ${file}`, 2);
  const near = nearest(name, names);
  const fix = near ? `did you mean ${near}?` : `the recipes are: ${names.join(', ')}`;
  throw new UserError(`there is no recipe "${name}"; ${fix}`, 2);
}

/**
 * Finds the recipe that a run directory or an export names. A folder of somebody else must not choose which code is run here.
 * @param path the folder
 * @param name the recipe that it names
 * @param isTrusted whether the user has allowed to run a file
 * @param allow how the user allows it, for the message
 * @throws UserError when the recipe is a file that is gone, or that the user has not allowed to run
 */
export function findRecordedRecipe(
  path: string,
  name: string,
  isTrusted: boolean,
  allow: string,
): RecipeEntry {
  if (!isRecipeFile(name) || isTrusted) return findRecipe(name);
  if (!existsSync(name))
    throw new UserError(
      `${path} was trained with the recipe file ${JSON.stringify(name)}, which does not exist here; ` +
        'put it back, or change to the folder that the run was started in',
      2,
    );
  throw new UserError(
    `${path} was trained with the recipe ${JSON.stringify(name)}, which is a file with code; if you trust it, ${allow}`,
    2,
  );
}
