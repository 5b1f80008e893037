/*
 * Parses dates. Only the text counts, not the time zone of the machine.
 */
import type { DateOrder, DatePart } from './preprocessing.js';

/** The parts of a date. */
export type DateParts = Readonly<Record<DatePart, number>> & {
  /** Whether a time of day is given; without one the hour is 0. */
  readonly hasTime: boolean;
};

/** More characters than any date needs. */
const LENGTH_MAX = 64;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const TIME =
  '(?:[T\\s,]\\s*(?<hour>\\d{1,2}):(?<minute>\\d{2})(?::(?<second>\\d{2})(?:[.,]\\d{1,9})?)?\\s*(?<half>[AaPp]\\.?[Mm]\\.?)?' +
  '\\s*(?:Z|UTC|GMT|[+-]\\d{2}:?(?:\\d{2})?)?)?';
const MONTH_NAME = '(?<name>[A-Za-z]{3,9})\\.?';
const WEEKDAY = '(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,?\\s+)?';

const PATTERNS: Readonly<Record<DateOrder, readonly RegExp[]>> = {
  ymd: [new RegExp(`^(?<year>\\d{4})(?<mark>[-/.])(?<month>\\d{1,2})\\k<mark>(?<day>\\d{1,2})${TIME}$`)],
  dmy: [
    new RegExp(`^(?<day>\\d{1,2})(?<mark>[-/.])(?<month>\\d{1,2})\\k<mark>(?<year>\\d{4})${TIME}$`),
    new RegExp(`^${WEEKDAY}(?<day>\\d{1,2})[\\s-]${MONTH_NAME}[\\s,-]\\s*(?<year>\\d{4})${TIME}$`),
  ],
  mdy: [
    new RegExp(`^(?<month>\\d{1,2})(?<mark>[-/.])(?<day>\\d{1,2})\\k<mark>(?<year>\\d{4})${TIME}$`),
    new RegExp(`^${WEEKDAY}${MONTH_NAME}\\s+(?<day>\\d{1,2}),?\\s+(?<year>\\d{4})${TIME}$`),
  ],
};
/** Accepted only when an option says that the column holds dates: it looks like any number. */
const COMPACT = /^(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})$/;

/**
 * @param isSaidToBe whether eight digits are a date, too
 * @returns undefined when the text is not a date in this order
 */
export function readDate(text: string, order: DateOrder, isSaidToBe = false): DateParts | undefined {
  if (text.length > LENGTH_MAX) return undefined;
  for (const pattern of PATTERNS[order]) {
    const groups = pattern.exec(text)?.groups;
    if (groups !== undefined) return partsOf(groups);
  }
  const compact = isSaidToBe && order === 'ymd' ? COMPACT.exec(text)?.groups : undefined;
  return compact === undefined ? undefined : partsOf(compact);
}

/** The UTC offset that a date with a time names, such as "+02:00"; undefined without a time, "none" where it names none. */
export function utcOffsetOf(text: string): string | undefined {
  const [, time] =
    /\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?\s*(?:[AaPp]\.?[Mm]\.?)?\s*(.*)$/.exec(
      text.slice(0, LENGTH_MAX),
    ) ?? [];
  if (time === undefined) return undefined;
  const [, sign, hours, minutes = '00'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(time) ?? [];
  if (sign === undefined) return time === '' ? 'none' : 'UTC';
  return hours === '00' && minutes === '00' ? 'UTC' : `${sign}${hours}:${minutes}`;
}

/** Whether a text is a date in any order, or a date with a two-digit year. */
export function looksLikeDate(text: string): boolean {
  return (
    (['ymd', 'dmy', 'mdy'] as const).some((order) => readDate(text, order) !== undefined) ||
    hasShortYear(text)
  );
}

/** Whether a text is a date with a time and the name of a time zone, such as CEST or Europe/Berlin, which is not read. */
export function hasZoneName(text: string): boolean {
  const [, before] =
    /^(.*\d(?:\s*[AaPp]\.?[Mm]\.?)?)\s*\[?(?:[A-Z]{2,5}|[A-Z]\w+\/[\w/+-]+)\]?$/.exec(
      text.slice(0, LENGTH_MAX),
    ) ?? [];
  return before !== undefined && !looksLikeDate(text) && looksLikeDate(before);
}

/** Whether a text is a date with a two-digit year. */
export function hasShortYear(text: string): boolean {
  return text.length <= LENGTH_MAX && new RegExp(`^\\d{1,2}([-/.])\\d{1,2}\\1\\d{2}${TIME}$`).test(text);
}

function partsOf(groups: Readonly<Record<string, string | undefined>>): DateParts | undefined {
  const { name } = groups;
  const month = name === undefined ? Number(groups.month) : monthOf(name);
  const year = Number(groups.year);
  const day = Number(groups.day);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  const dayOfWeek = weekday(year, month, day);
  if (groups.hour === undefined) return { year, month, dayOfWeek, hour: 0, hasTime: false };
  const hour = hourOf(Number(groups.hour), groups.half);
  if (hour === undefined || Number(groups.minute) > 59 || Number(groups.second ?? 0) > 60) return undefined;
  return { year, month, dayOfWeek, hour, hasTime: true };
}

/** Number of a month from its name or the start of it; 0 for other words. */
function monthOf(name: string): number {
  const lower = name.toLowerCase();
  const at = MONTHS.indexOf(lower.slice(0, 3));
  const full = ['january', 'february', 'march', 'april', 'may', 'june', 'july'].concat([
    'august',
    'september',
    'october',
    'november',
    'december',
  ])[at];
  return full?.startsWith(lower) || lower === 'sept' ? at + 1 : 0;
}

function hourOf(hour: number, half: string | undefined): number | undefined {
  if (half === undefined) return hour <= 23 ? hour : undefined;
  if (hour < 1 || hour > 12) return undefined;
  return (hour % 12) + (half.toLowerCase().startsWith('p') ? 12 : 0);
}

function daysIn(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] as number;
}

/** Day of the week, 1 (Monday) to 7 (Sunday), counted in days from 1 March of the year 0, a Wednesday. */
function weekday(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const months = (month + 9) % 12;
  const days =
    shifted * 365 +
    Math.floor(shifted / 4) -
    Math.floor(shifted / 100) +
    Math.floor(shifted / 400) +
    Math.floor((months * 153 + 2) / 5) +
    day -
    1;
  return ((days + 2) % 7) + 1;
}
