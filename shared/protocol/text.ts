import * as v from 'valibot';

/** What must not reach a terminal from outside: control and formatting characters, lone surrogates, line breaks. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const UNPRINTABLES = new RegExp(`${UNPRINTABLE.source}+`, 'gu');

/** A text that people read: not empty, at most so many UTF-16 code units, nothing unprintable. */
export const plainText = (charactersMax: number) =>
  v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(charactersMax),
    v.check((text) => !UNPRINTABLE.test(text), 'holds unprintable characters'),
  );

/**
 * Makes any text fit to be sent as one that people read.
 * @returns at least one and at most `charactersMax` UTF-16 code units, none of them unprintable
 */
export function toPlainText(text: string, charactersMax: number): string {
  // Cut first: the cut may halve a surrogate pair, and half a pair is unprintable.
  const plain = text.slice(0, charactersMax).replace(UNPRINTABLES, ' ').trim();
  return plain === '' ? '?' : plain;
}
