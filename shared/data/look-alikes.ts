/*
 * Categories that look alike but are different texts: "Yes" and "yes", or an accent that is stored in two ways.
 */
import { shortened } from './tables/problems.js';

/** Most values of a group that are listed. */
const LISTED_MAX = 4;

/** A note about categories that look alike. @param subject such as "kind has categories" */
export function lookAlikeNotes(subject: string, values: Iterable<string>): string[] {
  const groups = new Map<string, string[]>();
  for (const value of values) {
    const key = plain(value).toLowerCase();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  const [first, ...others] = [...groups.values()].filter(({ length }) => length > 1);
  if (first === undefined) return [];
  const isInvisible = new Set(first.map(plain)).size < first.length;
  const shown = first
    .slice(0, LISTED_MAX)
    .map((value) => (isInvisible ? escaped(value) : JSON.stringify(shortened(value))));
  const rest =
    others.length === 0 ? '' : `, and ${others.length} more such ${others.length === 1 ? 'group' : 'groups'}`;
  return [
    `${subject} that differ only in ${isInvisible ? 'invisible characters' : 'case'}: ${shown.join(', ')}${rest}; ` +
      'write them alike if they mean the same',
  ];
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
