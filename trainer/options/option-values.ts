import { UserError } from '../../shared/errors.js';

/*
 * Values of options. Every function takes the option as the user wrote it, such as "--batch", and throws a UserError
 * (wrong usage) that names the option and what it takes.
 */

/** Smallest and largest value that an option takes. */
export interface Bounds {
  readonly least: number;
  readonly most: number;
}

/** A whole number in decimal digits: without sign, point or exponent, so that nothing is silently truncated. */
export function wholeNumber(option: string, text: string, { least, most }: Bounds): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UserError(`${option} takes a whole number from ${least} to ${most}, not "${text}"`, 2);
}

/** A number above zero, such as "0.001" or "1e-3". */
export function positiveNumber(option: string, text: string): number {
  const value = /^[\d.]+(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && Number.isFinite(value)) return value;
  throw new UserError(`${option} takes a number above 0, such as 0.001, not "${text}"`, 2);
}

/** A number from 0 to 1, such as "0.1". */
export function fraction(option: string, text: string): number {
  const value = /^\d*\.?\d+(e-?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= 1) return value;
  throw new UserError(`${option} takes a number from 0 to 1, such as 0.1, not "${text}"`, 2);
}

/** One of a few words. */
export function oneOf<Word extends string>(option: string, text: string, words: readonly Word[]): Word {
  const word = words.find((candidate) => candidate === text);
  if (word !== undefined) return word;
  throw new UserError(
    `${option} takes ${words.join(', ').replace(/, ([^,]*)$/, ' or $1')}, not "${text}"`,
    2,
  );
}

/** Several of a few words, separated by commas. */
export function someOf<Word extends string>(option: string, text: string, words: readonly Word[]): Word[] {
  return [...new Set(text.split(',').map((word) => oneOf(option, word.trim(), words)))];
}

/** Several whole numbers above zero, separated by commas. */
export function wholeNumbers(option: string, text: string, most: number): number[] {
  return [...new Set(text.split(',').map((part) => wholeNumber(option, part.trim(), { least: 1, most })))];
}

/** A word, and settings by name: HEAD or HEAD:KEY=VALUE,KEY=VALUE. */
interface HeadAndSettings {
  readonly head: string;
  readonly settings: Readonly<Record<string, number | boolean>>;
}

/** HEAD or HEAD:KEY=VALUE,KEY=VALUE, such as "cosine:warmup=100,floor=0.1"; values are numbers, true or false. */
export function headAndSettings(option: string, text: string): HeadAndSettings {
  const [, head, rest] = /^([^:]*)(?::(.*))?$/.exec(text) as unknown as [string, string, string | undefined];
  if (rest === undefined) return { head, settings: {} };
  const settings: Record<string, number | boolean> = {};
  for (const part of rest.split(',')) {
    const [, key, value] = /^([A-Za-z]\w*)=(.+)$/.exec(part) ?? [];
    const read = value === 'true' || value === 'false' ? value === 'true' : numberOf(value);
    if (key === undefined || read === undefined || Object.hasOwn(settings, key))
      throw new UserError(`${option} takes settings such as ${head}:KEY=0.5,KEY=2, not "${part}"`, 2);
    settings[key] = read;
  }
  return { head, settings };
}

function numberOf(text = ''): number | undefined {
  return /^-?\d*\.?\d+(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}
