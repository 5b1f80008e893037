import * as v from 'valibot';

/** What must not reach a terminal from outside: control and formatting characters, lone surrogates, line breaks. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;

/** Longest text that is taken in at all, in UTF-16 code units. */
const RAW_CHARACTERS_MAX = 4096;

/**
 * A text that people read. It is made harmless where it comes in, so that no sender can forget to: see toPlainText.
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
 * Makes a text from outside fit to be shown: on one line, without control sequences, of bounded length.
 * @returns at least one and at most `charactersMax` UTF-16 code units, none of them unprintable
 */
export function toPlainText(text: string, charactersMax: number): string {
  // Cut first: the cut may halve a surrogate pair, and half a pair is unprintable.
  const plain = text.slice(0, charactersMax).replace(UNPRINTABLE, ' ').trim();
  return plain === '' ? '?' : plain;
}
