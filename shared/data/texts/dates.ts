/*
 * Dates as people write them, and as ISO 8601 does: a translation that can be generated, and whose every answer can be
 * checked. Days come before months in figures; a year of two figures lies between 1950 and 2049.
 */
import { sha256Hex } from '../../files/sha256.js';
import { type Dataset, packDataset } from '../dataset.js';
import { sampleOrder } from '../order.js';
import { philox, type Words } from '../philox.js';

const DAY_MS = 86_400_000;
const FIRST_DAY = Date.UTC(1950, 0, 1) / DAY_MS;
const DAYS = Date.UTC(2050, 0, 1) / DAY_MS - FIRST_DAY;
/** Days that are never learned. */
const HELD_OUT = 512;
/** Times that each day to learn from is written, in forms drawn at random. */
const WRITINGS = 2;
const SEED = 20;

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July'],
  ...['August', 'September', 'October', 'November', 'December'],
];
/** Characters that are read, by number; 0 is padding. */
const READ = ['', ...' ,./-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'];
/** Characters that are written, by number. */
const WRITTEN = [...'0123456789-'];

/** Numbers of characters and longest texts. */
export const DATE_SIZES = {
  /** Characters that are read, padding among them. */
  read: READ.length,
  /** Characters of the longest date. */
  readLength: 'Wednesday, 30 September 1998'.length,
  written: WRITTEN.length,
  writtenLength: 'yyyy-mm-dd'.length,
  /** What stands before the first character that is written. */
  start: WRITTEN.length,
} as const;

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

/** One day in every form that is known, and in ISO 8601. @param day from 0, which is 1 January 1950, to 36,524 */
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

/** The ISO date that some characters stand for. */
export function spellDate(written: ArrayLike<number>): string {
  return Array.from(written, (number) => WRITTEN[number] ?? '?').join('');
}

/**
 * Every day from 1950 to 2049, twice, in forms drawn at random; 512 days, once each, are to be tested on alone. Always the
 * same. Fields, all u8: `read` and `present` [28], a date's characters and 1 for each that is no padding; `before` [10],
 * the start and all but the last of `written` [10].
 */
export function loadDates(): { train: Dataset; test: Dataset } {
  const pairs = Array.from(sampleOrder(SEED, 0, DAYS)).flatMap((day, i) => {
    const { forms, iso } = writeDate(day);
    const random: Words = [day, 0, 0, 0];
    philox(random, SEED, 0);
    return random
      .slice(0, i < HELD_OUT ? 1 : WRITINGS)
      .map((word) => ({ text: forms[word % forms.length] as string, iso }));
  });
  return {
    train: pack('dates-train', pairs.slice(HELD_OUT)),
    test: pack('dates-test', pairs.slice(0, HELD_OUT)),
  };
}

function pack(name: string, pairs: readonly { text: string; iso: string }[]): Dataset {
  const { readLength, writtenLength, start } = DATE_SIZES;
  const bytes = (length: number) => new Uint8Array(pairs.length * length);
  const read = bytes(readLength);
  const present = bytes(readLength);
  const before = bytes(writtenLength);
  const written = bytes(writtenLength);
  pairs.forEach(({ text, iso }, row) => {
    read.set(
      Array.from(text, (character) => READ.indexOf(character)),
      row * readLength,
    );
    present.fill(1, row * readLength, row * readLength + text.length);
    const numbers = Array.from(iso, (character) => WRITTEN.indexOf(character));
    written.set(numbers, row * writtenLength);
    before.set([start, ...numbers.slice(0, -1)], row * writtenLength);
  });
  const column = (values: Uint8Array, length: number) =>
    ({ dtype: 'u8', shape: [length], bytes: values, scale: 1, shift: 0 }) as const;
  const columns = {
    read: column(read, readLength),
    present: column(present, readLength),
    before: column(before, writtenLength),
    written: column(written, writtenLength),
  };
  return packDataset(name, pairs.length, columns, sha256Hex);
}
