/* Schemas of fields that several kinds of messages have. */
import * as v from 'valibot';
import { NAME_CHARACTERS_MAX, REASON_CHARACTERS_MAX, STEP_MAX } from './limits.js';
import { plainText } from './text.js';

export const integer = (min: number, max: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));

export const identifier = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/));
export const nonce = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22,64}$/));
export const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
/** So many characters of base64url. */
export const base64url = (characters: number) =>
  v.pipe(v.string(), v.regex(/^[\w-]*$/), v.length(characters));
export const name = plainText(NAME_CHARACTERS_MAX);
export const reason = plainText(REASON_CHARACTERS_MAX);
export const version = integer(1, 2 ** 16);
export const step = integer(0, STEP_MAX);
/** A count of anything, and the id of a ping. */
export const count = integer(0, Number.MAX_SAFE_INTEGER);
