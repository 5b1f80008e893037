import * as v from 'valibot';
import { messageOf, UserError } from '../errors.js';

/**
 * The value of a JSON text.
 * @param source what it is, for the error: "data/rows.json"
 * @throws UserError when it is not JSON, or an object of it has a name twice
 */
export function parseJsonText(text: string, source: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = messageOf(error).split('\n')[0];
    throw new UserError(`${source} is not JSON (${why}); correct it`, 2);
  }
  const twice = doubledName(text);
  if (twice === undefined) return value;
  throw new UserError(
    `${source} has ${JSON.stringify(twice.slice(0, 80))} twice in one object; remove one of them`,
    2,
  );
}

/** The value of a JSON text whose objects have each name once, as the first part of a schema. */
export const jsonText = v.pipe(
  v.string(),
  v.rawTransform<string, unknown>(({ dataset, addIssue, NEVER }) => {
    const refuse = (message: string): typeof NEVER => {
      addIssue({ message });
      return NEVER;
    };
    let value: unknown;
    try {
      value = JSON.parse(dataset.value);
    } catch {
      return refuse('it is not JSON');
    }
    const twice = doubledName(dataset.value);
    return twice === undefined ? value : refuse(`an object has ${JSON.stringify(twice.slice(0, 80))} twice`);
  }),
);

/**
 * The first name that an object of a valid JSON text has twice; undefined when there is none. JSON.parse keeps the last of such
 * values, and other readers keep the first, so that two readers would read different files.
 */
export function doubledName(text: string): string | undefined {
  const objects: Set<string>[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '{' || character === '[') objects.push(new Set());
    else if (character === '}' || character === ']') objects.pop();
    else if (character === '"') {
      const begin = i++;
      while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
      let next = i + 1;
      while (/\s/.test(text[next] ?? '')) next++;
      if (text[next] !== ':') continue;
      const name = JSON.parse(text.slice(begin, i + 1)) as string;
      const names = objects.at(-1);
      if (names?.has(name)) return name;
      names?.add(name);
    }
  }
  return undefined;
}
