/*
 * Suggests how to use a column of a table that has no options yet.
 */
import { type ColumnSurvey, DIFFERENT_NUMBERS_MAX, missingTest, TEXTS_MAX } from './column-survey.js';
import { hasShortYear, looksLikeDate, readDate } from './date-text.js';
import { unitOf } from './number-text.js';
import { CATEGORY_VALUES_MAX, type CellFormat, DATE_ORDERS, type DateOrder } from './preprocessing.js';
import { quoted } from './problems.js';
import type { RawTable } from './raw-table.js';

/** The suggested use of a column. */
export type ColumnUse =
  | { readonly use: 'number'; readonly survey: ColumnSurvey }
  | { readonly use: 'category'; readonly isSaid: boolean }
  | { readonly use: 'date'; readonly order: DateOrder | undefined }
  | { readonly use: 'ignore'; readonly why: string }
  /** No row has a value. */
  | { readonly use: 'nothing' };

/** Limits for words among numbers that are taken for missing values: distinct words, and their share of the rows. */
const WORDS_MAX = 5;
const WORDS_SHARE_MAX = 0.5;
/** A text column is no category when it has at least this many distinct values and more than half as many as rows. */
const NEARLY_UNIQUE_MIN = 10;
const ID_NAME = /^(id|ids|index|idx|nr|no|number|key|row|uuid|guid|#)$|[_\s-](id|key|nr|no)$|[a-z]Id$/;

/**
 * Suggests the use of a column from all of its values.
 * @param words receives the words among numbers that are taken for missing values
 */
export function columnUse(
  table: RawTable,
  at: number,
  survey: ColumnSurvey,
  format: CellFormat,
  words: Set<string>,
): ColumnUse {
  const { heading, present, numbers, texts } = survey;
  if (present === 0) return { use: 'nothing' };
  if (table.unnamed.has(at)) return { use: 'ignore', why: 'it has no heading' };
  if (numbers === present) {
    const signs = [...survey.currencies].filter((sign) => sign !== '()');
    if (signs.length > 1)
      return { use: 'ignore', why: `it has amounts in ${signs.slice(0, 5).join(' and ')}` };
    if (survey.percents > 0 && survey.percents < present)
      return { use: 'ignore', why: 'only some of its numbers have a percent sign' };
    if (survey.suspects.inexact !== undefined)
      return {
        use: 'ignore',
        why: `its numbers have more digits than a float64 holds, such as ${survey.suspects.inexact}`,
      };
    const distinct = differentTexts(table, at, format);
    if (survey.areWhole && distinct.size === present && (ID_NAME.test(heading) || isCount(distinct)))
      return { use: 'ignore', why: 'it numbers the rows' };
    if (
      survey.suspects.leadingZero !== undefined &&
      distinct.size <= CATEGORY_VALUES_MAX &&
      distinct.size * 2 <= present
    )
      return { use: 'category', isSaid: true };
    return { use: 'number', survey };
  }
  const values = differentTexts(table, at, format);
  const all = [...values];
  if (numbers === 0 && all.every(looksLikeDate)) return dateUse(all);
  const unit = unitOf(all[0] ?? '');
  if (unit !== undefined && all.every((text) => unitOf(text) === unit))
    return { use: 'ignore', why: `its numbers have the unit ${unit}; remove the unit to use the column` };
  const strange = present - numbers;
  if (
    numbers > 0 &&
    texts.size <= WORDS_MAX &&
    strange <= present * WORDS_SHARE_MAX &&
    isSpread(survey, texts.size)
  ) {
    for (const text of texts.keys()) words.add(text);
    return { use: 'number', survey };
  }
  if (
    numbers * 2 >= present ||
    (numbers * 10 >= present && survey.differentNumbers.size > DIFFERENT_NUMBERS_MAX)
  )
    return {
      use: 'ignore',
      why: `it mixes ${numbers} numbers with texts, such as ${quoted([...texts.keys()][0] ?? '')}`,
    };
  if (values.size > CATEGORY_VALUES_MAX || (values.size >= NEARLY_UNIQUE_MIN && values.size * 2 > present))
    return { use: 'ignore', why: `it has ${values.size} distinct values in ${present} rows` };
  return { use: 'category', isSaid: false };
}

/** Whether there are more distinct numbers than words: otherwise it may be a column of codes. */
function isSpread({ differentNumbers }: ColumnSurvey, words: number): boolean {
  return differentNumbers.size > words;
}

function dateUse(all: readonly string[]): ColumnUse {
  if (all.some(hasShortYear)) return { use: 'ignore', why: 'its dates have two-digit years' };
  const orders = DATE_ORDERS.filter((order) => all.every((text) => readDate(text, order) !== undefined));
  if (orders.length === 0) return { use: 'ignore', why: 'its dates are in different notations' };
  const isAmbiguous = orders.length > 1 && !all.every((text) => text.includes('.'));
  return { use: 'date', order: isAmbiguous ? 'dmy' : undefined };
}

function differentTexts(table: RawTable, at: number, format: CellFormat): Set<string> {
  const isMissing = missingTest(format);
  const different = new Set<string>();
  for (let row = 0; row < table.rows && different.size < TEXTS_MAX; row++) {
    const text = table.cell(row, at);
    if (!isMissing(text)) different.add(text);
  }
  return different;
}

/** Whether the numbers are consecutive from 0 or 1, as row numbers are. */
function isCount(texts: ReadonlySet<string>): boolean {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const text of texts) {
    const number = Number(text);
    if (!Number.isInteger(number)) return false;
    least = Math.min(least, number);
    most = Math.max(most, number);
  }
  return texts.size > 2 && most - least === texts.size - 1 && least >= 0 && least <= 1;
}
