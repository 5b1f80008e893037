/*
 * Metrics of a trained model beyond the means of its loss, as far as they follow from what its run has stored.
 */
import type { Dataset } from '../../shared/data/dataset.js';
import type { Predictor } from '../../shared/engine/passes/prediction.js';
import { perplexity } from '../../shared/metrics/perplexity.js';
import type { StoredModel } from '../model-text.js';
import { measureCharacters } from './characters.js';
import { measureSentences } from './sentences.js';
import { measureSequences } from './sequences.js';
import { measureSummaries } from './summaries.js';

/**
 * Perplexity of a text; of texts that are written, how well they agree with the references; of sequences of labels, edits.
 * @param test data that was read with the stored preprocessing
 * @param evaluated means over the data, such as testLoss
 */
export async function storedMeasures(
  { preprocessing }: Pick<StoredModel, 'preprocessing'>,
  predictor: Predictor,
  test: Dataset,
  evaluated: Readonly<Record<string, number>>,
): Promise<Readonly<Record<string, number>>> {
  switch (preprocessing.kind) {
    case 'text':
      return evaluated.testLoss === undefined ? {} : { testPerplexity: perplexity(evaluated.testLoss) };
    case 'pairs': {
      const { alphabet } = preprocessing.read;
      if (preprocessing.form === 'characters') return measureCharacters(predictor, test, preprocessing);
      if (preprocessing.form === 'sentences') return measureSentences(predictor, test, alphabet);
      return measureSummaries(predictor, { test, alphabet });
    }
    case 'recordings':
      return preprocessing.sequence === undefined
        ? {}
        : measureSequences(predictor, test, preprocessing.classes.length + 1);
    default:
      return {};
  }
}
