import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { checkOptionNames, didYouMean } from '../../nearest.js';
import type { HeldOut } from '../held-out.js';
import type { ColumnRules } from './column-types.js';
import { type MissingValues, missingValueList } from './missing-values.js';
import {
  type CellFormat,
  DATE_ORDERS,
  DATE_PARTS,
  type DateOrder,
  type DatePart,
  MISSING_MODES,
  type MissingMode,
} from './preprocessing.js';

/** How a table is converted to samples. */
export interface TableOptions {
  /** Heading of the target column. */
  readonly target: string;
  /** Headings of numeric columns that are categories, such as classes 1, 2 and 3. Text columns always are. */
  readonly categories?: readonly string[];
  /** Headings of columns to leave out. */
  readonly ignore?: readonly string[];
  /**
   * Headings of date columns. Their features are year, month, day of the week (1 is Monday) and, where times are given, hour;
   * an object selects parts: `{ signup: ['year', 'month'] }`.
   */
  readonly dates?: readonly string[] | Readonly<Record<string, readonly DatePart[]>>;
  /** Order in dates like 3/4/2024. Default: inferred from the whole column. */
  readonly dateOrder?: DateOrder;
  /** Decimal separator. Default: a point. */
  readonly decimal?: CellFormat['decimal'];
  /** Separator between groups of three digits. Default: none. */
  readonly thousands?: NonNullable<CellFormat['thousands']>;
  /** Whether numbers may have a currency sign, or brackets instead of a minus. Default: false. */
  readonly currency?: boolean;
  /** Whether numbers may have a percent sign; 12% becomes 0.12. Default: false. */
  readonly percent?: boolean;
  /** Spellings that count as missing. Default: the list in missing-values.ts. */
  readonly missingValues?: MissingValues;
  /**
   * Handling of missing values: an error, leave such rows out, or fill in the mean, the median or the most frequent value of
   * the training rows (for categories always the most frequent). `category` adds a feature that marks missing values. Rows
   * without a target are left out in all modes but refuse. Default: refuse.
   */
  readonly missing?: MissingMode;
  /** Held-out rows: a share by a keyed hash of the row, or those with "test" in a column. Default: a fifth. */
  readonly split?: HeldOut | { readonly column: string };
  /** Whether numeric columns are scaled to mean 0 and deviation 1. Default: true. */
  readonly standardize?: boolean;
  /**
   * Whether a numeric target is scaled to mean 0 and deviation 1 for training. Predictions are converted back to the units of
   * the table; the loss is not. Default: false.
   */
  readonly standardizeTarget?: boolean;
}

/** The names of all options. */
const TABLE_OPTION_NAMES: readonly (keyof TableOptions)[] = [
  'target',
  'categories',
  'ignore',
  'dates',
  'dateOrder',
  'decimal',
  'thousands',
  'currency',
  'percent',
  'missingValues',
  'missing',
  'split',
  'standardize',
  'standardizeTarget',
];

/** Validated options with all defaults. */
export interface TableSettings {
  readonly target: string;
  readonly categories: ReadonlySet<string>;
  readonly ignore: ReadonlySet<string>;
  /** Selected parts of each date column; undefined: the default parts. */
  readonly dates: ReadonlyMap<string, readonly DatePart[] | undefined>;
  readonly rules: ColumnRules;
  readonly missing: MissingMode;
  readonly split: HeldOut | { readonly column: string };
  readonly standardize: boolean;
  readonly standardizeTarget: boolean;
}

const headings = v.array(v.string());
const ValuesSchema = v.looseObject({
  target: v.string(),
  categories: v.optional(headings),
  ignore: v.optional(headings),
  dates: v.optional(v.union([headings, v.record(v.string(), v.array(v.picklist(DATE_PARTS)))])),
  dateOrder: v.optional(v.picklist(DATE_ORDERS)),
  decimal: v.optional(v.picklist(['.', ','])),
  thousands: v.optional(v.picklist([',', '.', ' ', "'", '_'])),
  currency: v.optional(v.boolean()),
  percent: v.optional(v.boolean()),
  missingValues: v.optional(
    v.union([headings, v.strictObject({ keep: v.optional(headings), also: v.optional(headings) })]),
  ),
  split: v.optional(
    v.union([
      v.strictObject({ share: v.optional(v.number()), seed: v.optional(v.number()) }),
      v.strictObject({ column: v.string() }),
    ]),
  ),
  standardize: v.optional(v.boolean()),
  standardizeTarget: v.optional(v.boolean()),
});

/**
 * Validates options.
 * @param what named in errors, such as "csv()"
 * @param more names of further options that the caller validates
 * @throws UserError (wrong usage) that names the option and the remedy
 */
export function tableSettings(
  what: string,
  options: TableOptions,
  more: readonly string[] = [],
): TableSettings {
  checkOptionNames(what, options, [...TABLE_OPTION_NAMES, ...more]);
  checkInnerNames(what, options);
  const { success, issues } = v.safeParse(ValuesSchema, options);
  if (!success) {
    const [name] = (v.getDotPath(issues[0]) ?? 'target').split('.') as [keyof typeof FORMS];
    const given = options[name];
    const written = given === undefined ? 'missing' : `${JSON.stringify(given)?.slice(0, 60)}`;
    throw new UserError(`${what}: ${name} is ${written}; write ${FORMS[name]}`, 2);
  }
  const { missing = 'refuse', decimal = '.', thousands = null, dates = [], split = {} } = options;
  if (!MISSING_MODES.includes(missing))
    throw new UserError(
      `${what}: missing: '${String(missing).slice(0, 40)}' is not a mode; ${didYouMean(String(missing).slice(0, 40), MISSING_MODES, 'modes')}`,
      2,
    );
  if (thousands === decimal)
    throw new UserError(
      `${what}: decimal and thousands are both '${decimal}'; set two different separators`,
      2,
    );
  return {
    target: options.target,
    categories: new Set(options.categories),
    ignore: new Set(options.ignore),
    dates: isList(dates)
      ? new Map(dates.map((heading) => [heading, undefined]))
      : new Map(Object.entries(dates)),
    rules: {
      format: { decimal, thousands, missingValues: [...missingValueList(options.missingValues)] },
      currency: options.currency ?? false,
      percent: options.percent ?? false,
      dateOrder: options.dateOrder,
      target: options.target,
    },
    missing,
    split,
    standardize: options.standardize ?? true,
    standardizeTarget: options.standardizeTarget ?? false,
  };
}

/** How options are written, for messages. */
const FORMS: Readonly<Record<Exclude<keyof TableOptions, 'missing'>, string>> = {
  target: "the heading of the target column, such as target: 'price'",
  categories: "a list of headings, such as categories: ['floor']",
  ignore: "a list of headings, such as ignore: ['id']",
  dates: "a list of headings, such as dates: ['built'], or dates: { built: ['year', 'month'] }",
  dateOrder: "dateOrder: 'ymd', 'dmy' or 'mdy'",
  decimal: "decimal: '.' or ','",
  thousands: "thousands: ',', '.', ' ', '_' or \"'\"",
  currency: 'currency: true or false',
  percent: 'percent: true or false',
  missingValues:
    "a list, such as missingValues: ['', 'NA'], or missingValues: { keep: ['NA'], also: ['-999'] }",
  split: "split: { share: 0.2, seed: 1 } or split: { column: 'part' }",
  standardize: 'standardize: true or false',
  standardizeTarget: 'standardizeTarget: true or false',
};

/** Refuses unknown names within options. */
function checkInnerNames(what: string, { split, missingValues, dates }: TableOptions): void {
  const isObject = (value: unknown): value is object =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isObject(split)) checkOptionNames(`${what}: split`, split, ['share', 'seed', 'column']);
  if (isObject(missingValues)) checkOptionNames(`${what}: missingValues`, missingValues, ['keep', 'also']);
  if (!isObject(dates)) return;
  for (const [heading, parts] of Object.entries(dates as Readonly<Record<string, unknown>>))
    for (const part of Array.isArray(parts) ? parts : [])
      if (!DATE_PARTS.includes(part))
        throw new UserError(
          `${what}: dates: ${heading} has no part "${part}"; ${didYouMean(String(part), DATE_PARTS, 'parts')}`,
          2,
        );
}

function isList(dates: NonNullable<TableOptions['dates']>): dates is readonly string[] {
  return Array.isArray(dates);
}
