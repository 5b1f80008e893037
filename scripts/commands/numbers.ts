import { UserError } from '../../shared/errors.js';

/** Smallest and largest value that an option takes. */
export interface Bounds {
  readonly least: number;
  readonly most: number;
}

/**
 * Reads a whole number in decimal digits: no sign, point or exponent, so that nothing is silently cut off.
 * @param option as the user wrote it, such as "--batch"
 * @throws {UserError} (wrong usage) when `text` is no such number or out of bounds
 */
export function wholeNumber(option: string, text: string, { least, most }: Bounds): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UserError(`${option} takes a whole number from ${least} to ${most}, not "${text}"`, 2);
}

/**
 * Reads a number above zero, such as "0.001" or "1e-3".
 * @throws {UserError} (wrong usage) when `text` is no such number
 */
export function positiveNumber(option: string, text: string): number {
  const value = /^[\d.]+(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && Number.isFinite(value)) return value;
  throw new UserError(`${option} takes a number above 0, such as 0.001, not "${text}"`, 2);
}

/**
 * Reads a number from 0 to 1, such as "0.1".
 * @throws {UserError} (wrong usage) when `text` is no such number
 */
export function fraction(option: string, text: string): number {
  const value = /^\d*\.?\d+(e-?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= 1) return value;
  throw new UserError(`${option} takes a number from 0 to 1, such as 0.1, not "${text}"`, 2);
}

/**
 * Reads one of a few words.
 * @throws {UserError} (wrong usage) when `text` is none of them
 */
export function oneOf<Word extends string>(option: string, text: string, words: readonly Word[]): Word {
  const word = words.find((candidate) => candidate === text);
  if (word !== undefined) return word;
  throw new UserError(
    `${option} takes ${words.join(', ').replace(/, ([^,]*)$/, ' or $1')}, not "${text}"`,
    2,
  );
}
