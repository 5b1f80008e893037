import { recordingsToMeasure } from '../shared/data/audio/audio-folder.js';
import type { Dataset } from '../shared/data/dataset.js';
import { fieldsToMeasure } from '../shared/data/fields-to-measure.js';
import { imagesToMeasure } from '../shared/data/images/image-folder.js';
import { tableToMeasure } from '../shared/data/tables/csv.js';
import { pairsToMeasure } from '../shared/data/texts/pairs-to-measure.js';
import { textToMeasure } from '../shared/data/texts/text.js';
import { UserError } from '../shared/errors.js';
import { exists } from '../shared/files/read-file.js';
import type { Preprocessing } from './preprocessing.js';

/**
 * Reads labelled samples to measure a trained model on: every row of a table, every file of a folder, all of a text.
 * @throws UserError that names the file and the remedy
 */
export async function readToMeasure(
  path: string,
  preprocessing: Preprocessing,
): Promise<{ readonly test: Dataset; readonly notes: readonly string[] }> {
  if (!(await exists(path))) throw new UserError(`${path} does not exist; check the path`, 2);
  switch (preprocessing.kind) {
    case 'table':
      return tableToMeasure(path, preprocessing);
    case 'images':
      return imagesToMeasure(path, preprocessing);
    case 'recordings':
      return recordingsToMeasure(path, preprocessing);
    case 'text':
      return textToMeasure(path, preprocessing);
    case 'pairs':
      return pairsToMeasure(path, preprocessing);
    case 'fields':
      return fieldsToMeasure(path, preprocessing);
  }
}
