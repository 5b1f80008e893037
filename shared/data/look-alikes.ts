/*
 * Categories that look alike but are different texts: "Yes" and "yes", an accent that is stored in two ways, or a Cyrillic letter
 * among Latin ones.
 */
import { shortened } from './tables/problems.js';

/** Most values of a group that are listed. */
const LISTED_MAX = 4;
/** Cyrillic and Greek letters by the Latin ones that look the same in most fonts. */
const LATIN = new Map(
  [
    ['АВЕКМНОРСТУХІЈЅԚԜаеорсухіјѕԁһԛԝ', 'ABEKMHOPCTYXIJSQWaeopcyxijsdhqw'],
    ['ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοϲϳ', 'ABEZHIKMNOPTYXocj'],
  ].flatMap(([others = '', latin = '']) =>
    [...others].map((letter, i) => [letter, latin[i] as string] as const),
  ),
);

/** A note about categories that look alike. @param subject such as "kind has categories" */
export function lookAlikeNotes(subject: string, values: Iterable<string>): string[] {
  const groups = new Map<string, string[]>();
  for (const value of values) {
    const key = skeleton(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  const [first, ...others] = [...groups.values()].filter(({ length }) => length > 1);
  if (first === undefined) return [];
  const rest =
    others.length === 0 ? '' : `, and ${others.length} more such ${others.length === 1 ? 'group' : 'groups'}`;
  const { difference, show } = differenceOf(first);
  const shown = first.slice(0, LISTED_MAX).map(show);
  return [
    `${subject} that differ only in ${difference}: ${shown.join(', ')}${rest}; write them alike if they mean the same`,
  ];
}

/** What distinguishes a group, and how its values are shown so that the difference is seen. */
function differenceOf(group: readonly string[]) {
  const quoted = (value: string): string => JSON.stringify(shortened(value));
  if (new Set(group.map(plain)).size < group.length)
    return { difference: 'invisible characters', show: escaped };
  if (new Set(group.map((value) => plain(value).toLowerCase())).size === 1)
    return { difference: 'case', show: quoted };
  return {
    difference: 'letters that look alike',
    show: (value: string) => `${quoted(value)}${formOf(value)}`,
  };
}

/** The form of unusual letters. */
function formOf(value: string): string {
  if (/\p{Script=Cyrillic}/u.test(value)) return ' (with Cyrillic)';
  if (/\p{Script=Greek}/u.test(value)) return ' (with Greek)';
  return value.normalize('NFKC') === value.normalize('NFC') ? '' : ' (wide or other forms)';
}

/**
 * A note about categories that are the same number, written in several ways: "1" and "1.0".
 * @param read the number of a text; undefined: it is none
 */
export function sameNumberNotes(
  subject: string,
  values: Iterable<string>,
  read: (text: string) => { readonly value: number } | undefined,
): string[] {
  const groups = new Map<number, string[]>();
  for (const text of values) {
    const number = read(text)?.value;
    if (number !== undefined) groups.set(number, [...(groups.get(number) ?? []), text]);
  }
  const same = [...groups.values()].filter(({ length }) => length > 1);
  const [first] = same;
  if (first === undefined) return [];
  const shown = first.slice(0, LISTED_MAX).map((text) => JSON.stringify(shortened(text)));
  const rest =
    same.length === 1 ? '' : `, and ${same.length - 1} more such ${same.length === 2 ? 'group' : 'groups'}`;
  return [
    `${subject} that are the same number: ${shown.join(', ')}${rest}; write them alike if they mean the same`,
  ];
}

/** What texts that look alike have in common. */
function skeleton(text: string): string {
  const letters = [...plain(text).normalize('NFKC')].map((letter) => LATIN.get(letter) ?? letter);
  return letters.join('').toLowerCase();
}

/** Without what cannot be seen: kinds of blanks, characters without a width, and ways to store the same letter. */
function plain(text: string): string {
  return text
    .normalize('NFC')
    .replace(/\p{Cf}/gu, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Quoted, with everything beyond ASCII as an escape. */
function escaped(text: string): string {
  return JSON.stringify(text.slice(0, 40)).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
