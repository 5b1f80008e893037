/*
 * Dates in common notations and in ISO 8601: a translation task that can be generated, and whose answers can be checked. In numeric
 * dates, days precede months. A two-digit year is between 1950 and 2049.
 */
import type { Dataset } from '../dataset.js';
import { sampleOrder } from '../order.js';
import { philox, type Words } from '../philox.js';
import { packCharacters } from './character-pairs.js';
import type { PairPreprocessing } from './pair-preprocessing.js';

const DAY_MS = 86_400_000;
const FIRST_DAY = Date.UTC(1950, 0, 1) / DAY_MS;
const DAYS = Date.UTC(2050, 0, 1) / DAY_MS - FIRST_DAY;
/** Held-out days. */
const HELD_OUT = 512;
/** Samples per training day, in randomly chosen notations. */
const WRITINGS = 2;
const SEED = 20;

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July'],
  ...['August', 'September', 'October', 'November', 'December'],
];
/** Source characters by number; 0 is padding. */
const READ = ['', ...' ,./-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'];
/** Target characters by number. */
const WRITTEN = [...'0123456789-'];

/** Sizes of alphabets and texts. */
export const DATE_SIZES = {
  /** Source characters, including padding. */
  read: READ.length,
  /** Length of the longest date. */
  readLength: 'Wednesday, 30 September 1998'.length,
  written: WRITTEN.length,
  writtenLength: 'yyyy-mm-dd'.length,
  /** The start sign before the first target character. */
  start: WRITTEN.length,
} as const;

/** How dates become numbers. */
export const DATES: PairPreprocessing = {
  ...{ kind: 'pairs', version: 1, form: 'characters' },
  read: { alphabet: READ, length: DATE_SIZES.readLength },
  written: { alphabet: WRITTEN, length: DATE_SIZES.writtenLength },
};

interface DateParts {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  readonly weekday: string;
}

const two = (number: number): string => String(number % 100).padStart(2, '0');
const monthOf = ({ month }: DateParts): string => MONTHS[month - 1] as string;

const FORMS: readonly ((date: DateParts) => string)[] = [
  (date) => `${date.weekday}, ${date.day} ${monthOf(date)} ${date.year}`,
  (date) => `${date.day} ${monthOf(date)} ${date.year}`,
  (date) => `${monthOf(date)} ${date.day}, ${date.year}`,
  (date) => `${date.day} ${monthOf(date).slice(0, 3)} ${two(date.year)}`,
  (date) => `${date.weekday.slice(0, 3)} ${monthOf(date).slice(0, 3)} ${date.day} ${date.year}`,
  (date) => `${monthOf(date).toUpperCase()} ${date.day} ${date.year}`,
  (date) => `${date.day}/${date.month}/${two(date.year)}`,
  (date) => `${two(date.day)}/${two(date.month)}/${date.year}`,
  (date) => `${date.day}.${date.month}.${date.year}`,
  (date) => `${date.day}-${monthOf(date).slice(0, 3).toLowerCase()}-${date.year}`,
];

/** A day in every notation, and in ISO 8601. @param day from 0, which is 1 January 1950, to 36,524 */
export function writeDate(day: number): { forms: string[]; iso: string } {
  const date = new Date((FIRST_DAY + day) * DAY_MS);
  const parts: DateParts = {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: WEEKDAYS[date.getUTCDay()] as string,
  };
  const { year, month } = parts;
  return { forms: FORMS.map((form) => form(parts)), iso: `${year}-${two(month)}-${two(parts.day)}` };
}

/**
 * Every day from 1950 to 2049, twice, in randomly chosen notations; 512 days are held out, once each. The result is always the
 * same. Fields, all u8: `read` and `present` [28], the date's characters and 1 for each that is not padding; `before` [10], the
 * start sign and all but the last of `written` [10].
 */
export function loadDates(): {
  readonly train: Dataset;
  readonly test: Dataset;
  readonly preprocessing: PairPreprocessing;
} {
  const pairs = Array.from(sampleOrder(SEED, 0, DAYS)).flatMap((day, i) => {
    const { forms, iso } = writeDate(day);
    const random: Words = [day, 0, 0, 0];
    philox(random, SEED, 0);
    return random
      .slice(0, i < HELD_OUT ? 1 : WRITINGS)
      .map((word) => ({ source: forms[word % forms.length] as string, target: iso }));
  });
  return {
    train: packCharacters('dates-train', pairs.slice(HELD_OUT), DATES),
    test: packCharacters('dates-test', pairs.slice(0, HELD_OUT), DATES),
    preprocessing: DATES,
  };
}
