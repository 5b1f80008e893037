/*
 * Parses numbers in the notations of people and programs.
 */
import type { CellFormat } from './preprocessing.js';

/** A number with its signs. */
export interface WrittenNumber {
  /** A percentage counts hundredths: 0.12 for "12 %". */
  readonly value: number;
  readonly percent: boolean;
  /** A currency sign, or '()' for a negative number in brackets, as in accounting; null: neither. */
  readonly currency: string | null;
}

/** The separators within numbers. */
export type NumberFormat = Pick<CellFormat, 'decimal' | 'thousands'>;

/** Longest text that is parsed. */
const LENGTH_MAX = 512;
const PLAIN = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
/** Signs and codes of currencies. Any three letters would also match the start of a name. */
const CURRENCY =
  '(?:[A-Z]{0,3}\\p{Sc}|USD|EUR|GBP|JPY|CHF|CNY|INR|RUB|BRL|CAD|AUD|NZD|SEK|NOK|DKK|ISK|PLN|CZK|HUF|RON|BGN|MXN|ZAR|KRW|TRY|' +
  'SGD|HKD|THB|ILS|UAH|ARS|CLP|COP|Rs\\.?|kr\\.?|zł|Kč|Ft|lei)';
const BEFORE = new RegExp(`^([+-]?)\\s*(${CURRENCY})\\s*(?=[+-]?[\\d.,])`, 'u');
const BEHIND = new RegExp(`(?<=[\\d.,])\\s*(${CURRENCY})$`, 'u');
/** Characters that are accepted for each group separator. */
const GROUPS: Readonly<Record<NonNullable<NumberFormat['thousands']>, string>> = {
  ',': ',',
  '.': '\\.',
  ' ': '[ \\u00a0\\u2009\\u202f]',
  "'": "['\\u2019]",
  _: '_',
};

/**
 * Returns a parser for numbers in a format; it returns undefined for other texts.
 */
export function numberReader({
  decimal,
  thousands,
}: NumberFormat): (text: string) => WrittenNumber | undefined {
  const isUsual = decimal === '.' && thousands === null;
  const group = thousands === null ? undefined : GROUPS[thousands];
  // Groups of three digits; in India groups of two and a last one of three.
  const whole =
    group === undefined
      ? '\\d+'
      : `(?:\\d{1,3}(?:${group}\\d{3})+|\\d{1,2}(?:${group}\\d{2})+${group}\\d{3}|\\d+)`;
  const point = decimal === '.' ? '\\.' : ',';
  const pattern = new RegExp(`^[+-]?(?:${whole}(?:${point}\\d*)?|${point}\\d+)(?:e[+-]?\\d+)?$`, 'i');
  const separators = group === undefined ? undefined : new RegExp(group, 'g');
  const digits = (text: string): number | undefined => {
    if (!pattern.test(text)) return undefined;
    const joined = separators === undefined ? text : text.replace(separators, '');
    return Number(decimal === ',' ? joined.replace(',', '.') : joined);
  };
  return (cell) => {
    if (cell.length > LENGTH_MAX) return undefined;
    if (isUsual && PLAIN.test(cell)) return { value: Number(cell), percent: false, currency: null };
    // Rejects most words at once.
    return /\d/.test(cell) ? readDressed(cell, digits) : undefined;
  };
}

function readDressed(cell: string, digits: (text: string) => number | undefined): WrittenNumber | undefined {
  // U+2212 is the typographic minus.
  let text = cell.trim().replace(/^\u2212/, '-');
  let currency: string | null = null;
  let isNegative = false;
  const brackets = /^\((.*)\)$/.exec(text);
  if (brackets !== null) {
    text = (brackets[1] as string).trim();
    isNegative = true;
    currency = '()';
  }
  const percent = /\s*[%\uff05]$/.exec(text);
  if (percent !== null) text = text.slice(0, percent.index);
  const before = BEFORE.exec(text);
  if (before !== null) {
    currency = before[2] as string;
    text = `${before[1]}${text.slice(before[0].length)}`;
  } else {
    const behind = BEHIND.exec(text);
    if (behind !== null) {
      currency = behind[1] as string;
      text = text.slice(0, behind.index);
    }
  }
  const number = digits(text.replace(/^([+-])\s+/, '$1').replace(/^\u2212/, '-'));
  if (number === undefined || (isNegative && number < 0)) return undefined;
  const signed = isNegative ? -number : number;
  return { value: percent === null ? signed : signed / 100, percent: percent !== null, currency };
}

/** All number formats, the default first. */
export const NUMBER_FORMATS: readonly NumberFormat[] = (['.', ','] as const).flatMap((decimal) =>
  ([null, ',', '.', ' ', "'", '_'] as const)
    .filter((thousands) => thousands !== decimal)
    .map((thousands) => ({ decimal, thousands })),
);

/** The options that select a format. @param from the format that is selected already */
export function describeFormat(
  { decimal, thousands }: NumberFormat,
  from: NumberFormat = { decimal: '.', thousands: null },
): string {
  const parts = [
    ...(decimal === from.decimal ? [] : [`decimal: '${decimal}'`]),
    ...(thousands === from.thousands || thousands === null
      ? []
      : [`thousands: ${thousands === "'" ? '"\'"' : `'${thousands}'`}`]),
  ];
  return parts.join(', ');
}

/** A number that has a digit of another script, such as Arabic or full-width ones. */
export const OTHER_DIGITS = /^(?=.*(?![0-9])\p{Nd})[-+\u2212]?[\p{Nd}.,\u066b\u066c\uff0e\uff0c\s]+$/u;

/** The unit after a number, as in "12 kg"; undefined without one. */
export function unitOf(text: string): string | undefined {
  return /^[+-]?[\d.,]*\d\s*([\p{L}°µ²³/]{1,8})$/u.exec(text.slice(0, LENGTH_MAX))?.[1];
}
