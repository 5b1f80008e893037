/*
 * Rows of numbers in a JSON file, for programs that have no other format at hand.
 */
import { UserError } from '../errors.js';
import { parseJsonText } from '../files/json.js';
import { didYouMean } from '../nearest.js';
import { readTextFile } from './texts/text-file.js';

/** Largest file. */
const JSON_BYTES_MAX = 2 ** 28;

/** The value of a JSON file. @throws UserError that names the file */
export async function readJsonFile(path: string): Promise<unknown> {
  const { text } = await readTextFile(path, JSON_BYTES_MAX);
  return parseJsonText(text, path);
}

/**
 * The numbers of each field, row after row, of `{"name": [[...], ...]}`.
 * @param value of the file
 * @param names all fields, each of which is needed
 * @throws UserError that names the file and the field
 */
export function jsonRows(
  path: string,
  value: unknown,
  names: readonly string[],
): Readonly<Record<string, readonly number[]>> {
  const wrong = (what: string) =>
    new UserError(`${path} ${what}; write {${names.map((name) => `"${name}": [[...], ...]`).join(', ')}}`, 2);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong('is not a JSON object with the rows of each field');
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new UserError(`${path} has ${JSON.stringify(unknown)}; ${didYouMean(unknown, names, 'fields')}`, 2);
  const missing = names.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) throw wrong(`lacks ${missing}`);
  return Object.fromEntries(
    names.map((name) => {
      const rows: unknown = (value as Readonly<Record<string, unknown>>)[name];
      const numbers = numbersIn(rows);
      if (numbers === undefined) throw wrong(`has something else than numbers in ${name}`);
      return [name, numbers];
    }),
  );
}

/**
 * The numbers of nested arrays in order, however deep; undefined when something else is among them. Without recursion, whose depth is
 * limited.
 */
export function numbersIn(value: unknown): number[] | undefined {
  const numbers: number[] = [];
  const open: { readonly values: readonly unknown[]; next: number }[] = [{ values: [value], next: 0 }];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    if (top.next === top.values.length) {
      open.pop();
      continue;
    }
    const one = top.values[top.next++];
    if (Array.isArray(one)) open.push({ values: one, next: 0 });
    else if (typeof one === 'number') numbers.push(one);
    else return undefined;
  }
  return numbers;
}
