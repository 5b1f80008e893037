import type { Allowed } from './dead-exports.js';
import type { LongFiles } from './file-shape.js';

/** Files longer than the rule: path and reason. Keep it short. */
export const LONG_FILES: LongFiles = {};

/** Exports that are alive though no file of the product imports them: "path name" or "folder/", and the reason. */
export const LIVE_EXPORTS: Allowed = {
  'shared/graph/layers/': 'the vocabulary of models: no single recipe uses every word of it',
  'shared/graph/losses/': 'the same',
};
