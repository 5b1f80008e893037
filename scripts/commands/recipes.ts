import type { Recipe } from '../../coordinator/recipe.js';
import { UserError } from '../../shared/errors.js';
import { nearest } from '../terminal/nearest.js';
import { isRecipeFile, loadRecipeFile } from './recipe-file.js';

/** A recipe by name; its file is loaded only when it is used. */
export interface RecipeEntry {
  readonly name: string;
  /** One line for `--help`. */
  readonly summary: string;
  load(): Promise<Recipe>;
}

/** Recipe of `unisum train` without a name. */
export const DEFAULT_RECIPE = 'mnist-mlp';

/** Every recipe; each is a file in examples/. */
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
    summary: '1 to 3 handwritten digits on a canvas, found by a convolutional network in a single shot',
    load: async () => (await import('../../examples/detect-digits.js')).recipe,
  },
  {
    name: 'iris',
    summary: 'three kinds of iris flowers out of a table, or any --data FILE.csv with a column species',
    load: async () => (await import('../../examples/iris.js')).recipe,
  },
  {
    name: 'vanishing',
    summary:
      'handwritten digits through ten layers of sigmoid; see its error terms vanish with --watch-gradients',
    load: async () => (await import('../../examples/deep-digits.js')).vanishing,
  },
  {
    name: 'exploding',
    summary: 'the same with relu and weights of 1: values and error terms explode',
    load: async () => (await import('../../examples/deep-digits.js')).exploding,
  },
  {
    name: 'cured',
    summary: 'the same with relu and weights drawn after He: error terms keep their size',
    load: async () => (await import('../../examples/deep-digits.js')).cured,
  },
  {
    name: 'residual',
    summary: 'the same with sigmoid and a way around each layer: error terms come through',
    load: async () => (await import('../../examples/deep-digits.js')).residual,
  },
  {
    name: 'overfitting',
    summary: 'a thousand handwritten digits, learned by heart: 784-256-256-10, Adam, cross-entropy',
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
    summary: 'the same with digits moved at random',
    load: async () => (await import('../../examples/few-digits.js')).moved,
  },
  {
    name: 'char-gpt',
    summary:
      'a text, character by character, with a small GPT (--text FILE): 4 layers, 4 heads, width 128, context 64',
    load: async () => (await import('../../examples/char-gpt.js')).recipe,
  },
  {
    name: 'char-lstm',
    summary:
      'a text, character by character, with 2 layers of LSTM (--text FILE): 256 units each, context 64',
    load: async () => (await import('../../examples/char-lstm.js')).recipe,
  },
  {
    name: 'translate-dates',
    summary:
      'dates as people write them to ISO 8601 with a Transformer: encoder and decoder of 2 layers, width 64',
    load: async () => (await import('../../examples/translate-dates.js')).recipe,
  },
  {
    name: 'translate-dates-lstm',
    summary: 'dates as people write them to ISO 8601 with LSTM encoder and decoder, 64 units, and attention',
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
    summary:
      'long descriptions of Debian packages to short ones with a Transformer, or your own (--data FILE)',
    load: async () => (await import('../../examples/summarise.js')).recipe,
  },
  {
    name: 'speech-digits',
    summary: 'spoken digits by a convolutional network on log-mel spectrograms (--data FSDD)',
    load: async () => (await import('../../examples/speech-digits.js')).recipe,
  },
  {
    name: 'speech-digits-newcomer',
    summary: 'the same, asked about a speaker whom it has never heard',
    load: async () => (await import('../../examples/speech-digits.js')).newcomer,
  },
  {
    name: 'speech-strings',
    summary: 'strings of 3 to 7 spoken digits by convolutions and GRUs with CTC (--data FSDD)',
    load: async () => (await import('../../examples/speech-strings.js')).recipe,
  },
  {
    name: 'speech-strings-newcomer',
    summary: 'the same, asked about a speaker whom it has never heard',
    load: async () => (await import('../../examples/speech-strings.js')).newcomer,
  },
];

/**
 * @param name of one of ours, or the path of a file that exports one
 * @throws {UserError} (wrong usage) when there is no such recipe, with the nearest one or the whole list
 */
export function findRecipe(name: string, recipes: readonly RecipeEntry[] = RECIPES): RecipeEntry {
  if (isRecipeFile(name)) return { name, summary: 'your own', load: () => loadRecipeFile(name) };
  const found = recipes.find((entry) => entry.name === name);
  if (found) return found;
  const names = recipes.map((entry) => entry.name);
  const near = nearest(name, names);
  const mend = near ? `did you mean ${near}?` : `the recipes are: ${names.join(', ')}`;
  throw new UserError(`there is no recipe "${name}"; ${mend}`, 2);
}
