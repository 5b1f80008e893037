import * as v from 'valibot';

/** Characters from outside that must not reach a terminal: control and formatting characters, lone surrogates, line breaks. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;

/** Longest text that is accepted at all, in UTF-16 code units. */
const RAW_CHARACTERS_MAX = 4096;

/**
 * Schema of a text that people read. It is made safe on arrival (toPlainText), so that no later code has to do so.
 * @param charactersMax UTF-16 code units that are kept
 */
export const plainText = (charactersMax: number) =>
  v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(RAW_CHARACTERS_MAX),
    v.transform((text) => toPlainText(text, charactersMax)),
  );

/**
 * Makes a text from outside safe to show: one line, without control sequences, of bounded length.
 * @returns at least one and at most `charactersMax` UTF-16 code units, none of them unprintable
 */
export function toPlainText(text: string, charactersMax: number): string {
  // The cut comes first: it may split a surrogate pair, and half of a pair is unprintable.
  const plain = text.slice(0, charactersMax).replace(UNPRINTABLE, ' ').trim();
  return plain === '' ? '?' : plain;
}
