import { UserError } from '../../errors.js';

/** Words for no value, each accepted in lower case, in upper case and capitalised. */
const WORDS = ['nan', 'null', 'nil', 'none', 'inf', 'infinity'];
const SIGNED = ['nan', 'inf', 'infinity'];

/**
 * Spellings that count as missing, besides an empty cell: those of spreadsheets, databases and programs. `Na` is not among
 * them: it is sodium. Infinite values count as missing.
 */
export const MISSING_VALUES: readonly string[] = [
  ...WORDS.flatMap(spellings),
  ...SIGNED.flatMap(spellings).flatMap((word) => [`-${word}`, `+${word}`]),
  ...['NaN', '-NaN', '+NaN', 'NaT', 'NA', 'na', 'N/A', 'n/a', 'N/a', 'N.A.', 'n.a.', '<NA>', '<na>', '<N/A>'],
  ...['(null)', '(NULL)', '<null>', '<NULL>', '\\N', '?', '-', '--', '---', '.', '..', '∞', '-∞'],
  ...['#N/A', '#n/a', '#NA', '#N/A N/A', '#NULL!', '#DIV/0!', '#VALUE!', '#REF!', '#NAME?', '#NUM!'],
  ...['1.#IND', '-1.#IND', '1.#QNAN', '-1.#QNAN', '1.#INF', '-1.#INF'],
];

function spellings(word: string): string[] {
  return [word, word.toUpperCase(), `${word[0]?.toUpperCase()}${word.slice(1)}`];
}

/** Which values count as missing: another list, or changes to the default list. */
export type MissingValues =
  | readonly string[]
  | {
      /** Spellings of the default list that are values: `{ keep: ['NA'] }` for Namibia. */
      readonly keep?: readonly string[];
      /** Further spellings: `{ also: ['-999'] }`. */
      readonly also?: readonly string[];
    };

/**
 * The list that an option describes.
 * @throws UserError (wrong usage) when `keep` names a value that is not on the list
 */
export function missingValueList(option: MissingValues = {}): readonly string[] {
  if (isList(option)) return [...new Set(option)];
  const { keep = [], also = [] } = option;
  const unknown = keep.find((value) => !MISSING_VALUES.includes(value));
  if (unknown !== undefined)
    throw new UserError(
      `missingValues: ${JSON.stringify(unknown)} does not count as missing; remove it from keep`,
      2,
    );
  return [...new Set([...MISSING_VALUES.filter((value) => !keep.includes(value)), ...also])];
}

function isList(option: MissingValues): option is readonly string[] {
  return Array.isArray(option);
}
