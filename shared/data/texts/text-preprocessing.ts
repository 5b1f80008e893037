/*
 * What turns the characters of a text into the numbers of a network: decided when a text is learned, and applied to every other
 * text as it is. Plain JSON, so that a run can keep it and a prediction needs neither recipe nor training data.
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { listed } from '../tables/problems.js';

/** Characters are numbered in one byte. */
export const SYMBOLS_MAX = 256;
/** Most characters of a window. */
const CONTEXT_MAX = 2 ** 20;

const TextPreprocessingSchema = v.pipe(
  v.strictObject({
    kind: v.literal('text'),
    version: v.literal(1),
    /** Characters of a window. */
    context: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(CONTEXT_MAX)),
    /** Character by number. */
    alphabet: v.pipe(
      v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(2))),
      v.minLength(1),
      v.maxLength(SYMBOLS_MAX),
    ),
  }),
  v.check(({ alphabet }) => new Set(alphabet).size === alphabet.length, 'a character occurs twice'),
);

/** What was decided about the characters of a text. */
export type TextPreprocessing = v.InferOutput<typeof TextPreprocessingSchema>;

/**
 * Preprocessing of a text from a file.
 * @param source what to name in the error
 * @throws UserError that names the malformed part
 */
export function parseTextPreprocessing(value: unknown, source: string): TextPreprocessing {
  const { success, output, issues } = v.safeParse(TextPreprocessingSchema, value);
  if (success) return output;
  const path = v.getDotPath(issues[0]);
  throw new UserError(
    `${source} holds no valid preprocessing of a text: ${path === null ? '' : `${path}: `}${issues[0].message}; ` +
      'take it from an undamaged run',
  );
}

/**
 * The numbers of the characters of a text.
 * @param path what to name in the error
 * @throws UserError that lists the characters that are not in the alphabet
 */
export function numbersOfText(
  text: readonly string[],
  alphabet: readonly string[],
  path: string,
): Uint8Array {
  const numbers = new Map(alphabet.map((character, number) => [character, number]));
  const unknown = new Set(text.filter((character) => !numbers.has(character)));
  if (unknown.size > 0)
    throw new UserError(
      `${path} has characters that the model has not learned: ${listed([...unknown].map((character) => JSON.stringify(character)))}; ` +
        'replace them, or train on a text that has them',
    );
  return Uint8Array.from(text, (character) => numbers.get(character) as number);
}
