import type { Dataset } from '../shared/data/dataset.js';
import { fieldValues } from '../shared/data/field-values.js';
import type { Predictor } from '../shared/engine/passes/prediction.js';
import { UserError } from '../shared/errors.js';
import type { Model } from '../shared/graph/model.js';
import { TEXT_CHARACTERS_MAX, type TextNews } from '../shared/protocol/example-news.js';
import { toPlainText } from '../shared/protocol/text.js';
import { TextGenerator } from './generation/generator.js';
import { parsePreprocessing } from './preprocessing.js';
import type { RecipeData } from './recipe.js';

/** Characters of the prompt, which is the beginning of the text that evaluations use, and of what follows. */
const PROMPT_CHARACTERS = 24;
const WRITTEN_CHARACTERS = TEXT_CHARACTERS_MAX - PROMPT_CHARACTERS;
/** Always the same draws, so that texts of different steps can be compared. */
const SAMPLING = { temperature: 0.7, topK: undefined, topP: 0.95, seed: 0 };

/**
 * Has a language model go on from a prompt, with the weights as they are at the time of the call.
 * @param data what evaluations use
 * @param predictorOf makes what computes a network with these weights, when it is needed first
 * @param onProblem told once, if there is no memory for it: then nothing is written
 * @returns undefined for a model that writes no texts. Where nobody sees it, nothing is written: it takes as long as some steps
 */
export function textSamples(
  model: Model,
  data: Dataset,
  { preprocessing }: Pick<RecipeData, 'preprocessing'>,
  predictorOf: (network: Model, rowsMax?: number) => Predictor,
  onProblem: (text: string) => void,
): ((step: number, isSeen: boolean) => Promise<TextNews | undefined>) | undefined {
  const [input] = model.inputs;
  if (preprocessing?.kind !== 'text' || input === undefined) return undefined;
  const fitted = parsePreprocessing(preprocessing, 'the recipe');
  if (fitted.kind !== 'text') return undefined;
  const ids = fieldValues(data, input.name, { from: 0, to: 1 }).subarray(0, PROMPT_CHARACTERS);
  const prompt = Array.from(ids, (id) => fitted.alphabet[id] ?? '').join('');
  let generator: TextGenerator | 'none' | undefined;
  return async (step, isSeen) => {
    if (!isSeen) return undefined;
    try {
      generator ??= new TextGenerator(model, { preprocessing: fitted }, { predictorOf });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      generator = 'none';
      onProblem(`the page shows no texts: ${error.message}`);
    }
    if (generator === 'none') return undefined;
    let text = '';
    // Without what earlier positions have left, one network is enough.
    for await (const symbol of generator.write({
      ...SAMPLING,
      ...{ prompt, length: WRITTEN_CHARACTERS, cache: false },
    }))
      text += symbol;
    // Between marks, as spaces at the ends belong to the text.
    const plain = (characters: string): string =>
      toPlainText(`|${characters}|`, 2 * TEXT_CHARACTERS_MAX).slice(1, -1);
    return { kind: 'text', step, prompt: plain(prompt), text: plain(text) };
  };
}
