/*
 * The kinds of fitted preprocessing that a run keeps in its model.json. Each kind applies what was fitted in training to other
 * files and fits nothing.
 */
import { recordingsToMeasure } from '../shared/data/audio/audio-folder.js';
import {
  type AudioPreprocessing,
  parseAudioPreprocessing,
} from '../shared/data/audio/audio-preprocessing.js';
import type { Dataset } from '../shared/data/dataset.js';
import { type FieldsPreprocessing, parseFieldsPreprocessing } from '../shared/data/fields-preprocessing.js';
import { fieldsToMeasure } from '../shared/data/fields-to-measure.js';
import { imagesToMeasure } from '../shared/data/images/image-folder.js';
import {
  type ImagePreprocessing,
  parseImagePreprocessing,
} from '../shared/data/images/image-preprocessing.js';
import { tableToMeasure } from '../shared/data/tables/csv.js';
import { parseTablePreprocessing, type TablePreprocessing } from '../shared/data/tables/preprocessing.js';
import { type PairPreprocessing, parsePairPreprocessing } from '../shared/data/texts/pair-preprocessing.js';
import { pairsToMeasure } from '../shared/data/texts/pairs-to-measure.js';
import { textToMeasure } from '../shared/data/texts/text.js';
import { parseTextPreprocessing, type TextPreprocessing } from '../shared/data/texts/text-preprocessing.js';
import { UserError } from '../shared/errors.js';
import { exists } from '../shared/files/read-file.js';

/** Fitted preprocessing of any kind: plain JSON. */
export type Preprocessing =
  | TablePreprocessing
  | ImagePreprocessing
  | AudioPreprocessing
  | TextPreprocessing
  | PairPreprocessing
  | FieldsPreprocessing;

type Kinds = { readonly [P in Preprocessing as P['kind']]: (value: unknown, source: string) => P };

const PARSERS: Kinds = {
  table: parseTablePreprocessing,
  images: parseImagePreprocessing,
  recordings: parseAudioPreprocessing,
  text: parseTextPreprocessing,
  pairs: parsePairPreprocessing,
  fields: parseFieldsPreprocessing,
};

/** Whether preprocessing is of a kind that can be applied without its recipe. */
export function isKnownKind(kind: string): kind is Preprocessing['kind'] {
  return Object.hasOwn(PARSERS, kind);
}

/**
 * Preprocessing from a file.
 * @param source what to name in errors
 * @throws UserError that names the malformed part
 */
export function parsePreprocessing(value: unknown, source: string): Preprocessing {
  const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
  if (typeof kind === 'string' && isKnownKind(kind)) return PARSERS[kind](value, source);
  throw new UserError(
    `${source} has preprocessing of an unknown kind, ${JSON.stringify(kind)?.slice(0, 40)}; use the version of unisum that trained it`,
  );
}

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
