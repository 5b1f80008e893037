/*
 * The kinds of fitted preprocessing that a run keeps in its model.json. Each kind applies what was fitted in training to other
 * files and fits nothing.
 */
import {
  type AudioPreprocessing,
  parseAudioPreprocessing,
} from '../shared/data/audio/audio-preprocessing.js';
import { type FieldsPreprocessing, parseFieldsPreprocessing } from '../shared/data/fields-preprocessing.js';
import {
  type ImagePreprocessing,
  parseImagePreprocessing,
} from '../shared/data/images/image-preprocessing.js';
import { parseTablePreprocessing, type TablePreprocessing } from '../shared/data/tables/preprocessing.js';
import { type PairPreprocessing, parsePairPreprocessing } from '../shared/data/texts/pair-preprocessing.js';
import { parseTextPreprocessing, type TextPreprocessing } from '../shared/data/texts/text-preprocessing.js';
import { UserError } from '../shared/errors.js';

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
