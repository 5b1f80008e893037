/*
 * Numbers that may mean something else: codes, thousands, and placeholders for missing values. They are read as numbers, with a note.
 */
import type { NumberFormat } from './number-text.js';
import { literal, shortened } from './problems.js';

/** Fewer numbers than this say nothing about how all of them are written. */
const NUMBERS_MIN = 5;
/** A placeholder occurs at least so many times. */
const PLACEHOLDERS_MIN = 2;

/** Years of dates that people's tables hold. */
const [FIRST_YEAR, LAST_YEAR] = [1990, 2050];
const DAY_MS = 86_400_000;
/** Ways of writing a time as a number, with the time of the number 0. The days of spreadsheets look like many other numbers. */
const CLOCKS = [
  { what: 'days of a spreadsheet', unitMs: DAY_MS, from: Date.UTC(1899, 11, 30), isUsual: true },
  { what: 'Unix times in seconds', unitMs: 1000, from: 0, isUsual: false },
  { what: 'Unix times in milliseconds', unitMs: 1, from: 0, isUsual: false },
  { what: 'Unix times in microseconds', unitMs: 1e-3, from: 0, isUsual: false },
];
const TIME_HEADING =
  /date|day|time|when|since|until|stamp|created|updated|modified|expir|birth|born|[a-z](At|On)$|[_ ](at|on)$/i;

/** A date such as 20241231. */
const COMPACT_DATE = /^(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$/;

/** Spellings of a column that are kept to find two of one number. */
const SPELLINGS_MAX = 4096;

/** Collects how the numbers of a column are written. */
export class SuspectNumbers {
  readonly #decimal: string;
  /** Numbers like 12.345: the point may separate thousands. Only without another separator of thousands. */
  readonly #grouped: RegExp | undefined;
  #count = 0;
  #first = '';
  /** A whole number with a leading zero, as codes have. */
  leadingZero: string | undefined;
  /** A whole number with more digits than a float64 holds. */
  inexact: string | undefined;
  #areExponents = true;
  #areGrouped = true;
  #areCompactDates = true;
  /** Placeholders by spelling: numbers made of nines, such as -999, and -1. */
  readonly #placeholders = new Map<string, { readonly value: number; rows: number }>();
  /** Spellings like 1.1, and spellings like 1.10 without their zeros: versions have both. */
  readonly #short = new Set<string>();
  readonly #padded = new Set<string>();
  /** The range of all other numbers. */
  #least = Number.POSITIVE_INFINITY;
  #most = Number.NEGATIVE_INFINITY;

  constructor({ decimal, thousands }: NumberFormat) {
    this.#decimal = decimal;
    this.#grouped = thousands === null ? new RegExp(`^-?[1-9]\\d{0,2}\\${decimal}\\d{3}$`) : undefined;
  }

  add(text: string, value: number): void {
    this.#count += 1;
    if (this.#count === 1) this.#first = text;
    this.#areExponents &&= /^\d+e\d+$/i.test(text);
    this.#areGrouped &&= this.#grouped?.test(text) === true;
    this.#areCompactDates &&= COMPACT_DATE.test(text);
    if (this.leadingZero === undefined && /^0\d+$/.test(text)) this.leadingZero = text;
    if (this.inexact === undefined && isInexact(text, value)) this.inexact = text;
    this.#addSpelling(text);
    if (value === -1 || /^-?99+$/.test(String(value))) {
      const placeholder = this.#placeholders.get(text);
      if (placeholder === undefined) this.#placeholders.set(text, { value, rows: 1 });
      else placeholder.rows += 1;
    } else {
      this.#least = Math.min(this.#least, value);
      this.#most = Math.max(this.#most, value);
    }
  }

  /** One note for each suspicion. @param name heading of the column */
  notes(name: string): string[] {
    const [shown, categories] = [shortened(name), `categories: [${literal(name)}]`];
    const notes: string[] = [];
    if (this.leadingZero !== undefined)
      notes.push(
        `${shown} is numeric, with leading zeros such as ${this.leadingZero}; if these are codes, set ${categories}`,
      );
    if (this.inexact !== undefined)
      notes.push(
        `${shown} has more digits than a float64 holds, such as ${this.inexact}; if it is an id, set ignore: [${literal(name)}]`,
      );
    const twice = [...this.#padded].find((text) => this.#short.has(text));
    if (twice !== undefined)
      notes.push(
        `${shown} has ${twice} and ${twice}0, which are the same number; if these are versions or codes, set ${categories}`,
      );
    if (this.#count < NUMBERS_MIN) return notes;
    if (this.#areExponents)
      notes.push(
        `${shown} is numeric, with exponents such as ${this.#first} (${Number(this.#first)}); if these are codes, set ${categories}`,
      );
    if (this.#areGrouped)
      notes.push(
        `${shown} has three decimals in every value, such as ${this.#first}; if "${this.#decimal}" separates thousands, set ` +
          (this.#decimal === '.' ? "decimal: ',', thousands: '.'" : "decimal: '.', thousands: ','"),
      );
    notes.push(...this.#timeNotes(name));
    for (const [text, { value, rows }] of this.#placeholders)
      if (rows >= PLACEHOLDERS_MIN && this.#isFar(value))
        notes.push(
          `${shown} is ${text.trim()} in ${rows} rows and ${this.#least} to ${this.#most} in all others; if it stands for a missing ` +
            `value, set missingValues: { also: [${literal(text.trim())}] }`,
        );
    return notes;
  }

  /** A note about numbers that are all in the range of one way of writing times, and not all the same. */
  #timeNotes(name: string): string[] {
    if (this.#least >= this.#most) return [];
    if (this.#areCompactDates)
      return [
        `${shortened(name)} is numeric; if numbers such as ${this.#first} are dates, set dates: [${literal(name)}]`,
      ];
    for (const { what, unitMs, from, isUsual } of CLOCKS) {
      if (isUsual && !TIME_HEADING.test(name)) continue;
      const timeOf = (value: number): Date => new Date(from + value * unitMs);
      const [first, last] = [timeOf(this.#least), timeOf(this.#most)];
      if (!isWithinYears(first) || !isWithinYears(last)) continue;
      const [start, end] = [first, last].map((date) => date.toISOString().slice(0, 10));
      return [
        `${shortened(name)} is numeric; if its numbers are ${what} (${start} to ${end}), write them as dates like 2024-12-31 and set ` +
          `dates: [${literal(name)}]`,
      ];
    }
    return [];
  }

  #addSpelling(text: string): void {
    const [, start, zeros] = /^(\d{1,4}[.,]\d{0,3}[1-9])(0?)$/.exec(text) ?? [];
    if (start === undefined) return;
    const spellings = zeros === '' ? this.#short : this.#padded;
    if (spellings.size < SPELLINGS_MAX) spellings.add(start);
  }

  /** Whether a placeholder is not just another value: the only negative one, or far from all others. */
  #isFar(value: number): boolean {
    const [least, most] = [this.#least, this.#most];
    const range = most - least;
    // -1, 0 and 1 are usual values.
    if (value < 0 && least >= 0 && most > 1) return true;
    return value !== -1 && (value < least - range || value > most + range);
  }
}

function isWithinYears(date: Date | undefined): date is Date {
  const year = date?.getUTCFullYear() ?? Number.NaN;
  return year >= FIRST_YEAR && year < LAST_YEAR;
}

/** Whether a text is a whole number with more digits than a float64 holds. */
function isInexact(text: string, value: number): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(text);
}
