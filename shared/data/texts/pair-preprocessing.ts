/*
 * What turns texts into the numbers of an encoder and a decoder: decided in training, and applied to every other text as it is.
 * Plain JSON, so that a run can keep it and a prediction needs neither recipe nor training data.
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';

/** Most symbols, and most symbols of a text. */
const [SYMBOLS_MAX, LENGTH_MAX] = [2 ** 20, 2 ** 16];

/** Numbers with a special meaning; they precede the pieces. */
export const PAIR_SIGNS = { end: 0, start: 1 } as const;

/** Lengths of both sides, including an end. */
export interface PairLengths {
  readonly read: number;
  readonly written: number;
}

const length = v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(LENGTH_MAX));
const alphabet = v.pipe(
  v.array(v.pipe(v.string(), v.maxLength(1024))),
  v.minLength(1),
  v.maxLength(SYMBOLS_MAX),
);

const PairPreprocessingSchema = v.strictObject({
  kind: v.literal('pairs'),
  version: v.literal(1),
  /**
   * sentences: a sentence and its translation, in pieces of words. summaries: a text, with its name before it, and its summary, in
   * pieces. characters: texts of characters, written in a fixed length.
   */
  form: v.picklist(['sentences', 'summaries', 'characters']),
  /** What is read, and what is written: symbol by number. */
  read: v.strictObject({ alphabet, length }),
  /** alphabet null: that of what is read. */
  written: v.strictObject({ alphabet: v.nullable(alphabet), length }),
});

/** What was decided about pairs of texts. */
export type PairPreprocessing = v.InferOutput<typeof PairPreprocessingSchema>;

/**
 * Preprocessing of pairs from a file.
 * @param source what to name in the error
 * @throws UserError that names the malformed part
 */
export function parsePairPreprocessing(value: unknown, source: string): PairPreprocessing {
  const { success, output, issues } = v.safeParse(PairPreprocessingSchema, value);
  if (success) return output;
  const path = v.getDotPath(issues[0]);
  throw new UserError(
    `${source} holds no valid preprocessing of pairs of texts: ${path === null ? '' : `${path}: `}${issues[0].message}; ` +
      'take it from an undamaged run',
  );
}

/** The symbols that are written, by number. */
export function writtenAlphabet({ read, written }: PairPreprocessing): readonly string[] {
  return written.alphabet ?? read.alphabet;
}
