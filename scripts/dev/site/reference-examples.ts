/*
 * Examples of the reference: the first call of a function in the guides and in the recipes that come with the program. So each is
 * code that tests run.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReferenceFunction } from './reference-modules.js';

/** Of functions in the package. */
const GROUPS = '(?:ops|layers|losses|metrics|optimizers|schedules|settings|regularizers|data)';

/** Longer calls are no examples to be read beside a description. */
const LINES_MAX = 12;

/** What only tests do. */
const NOT_PLAIN = / as \w|\w![,.)]|\bany\(|temporaryFolder/;

/** Where examples are looked for, in this order. */
const PLACES: readonly (readonly [folder: string, ending: string])[] = [
  ['docs/guide', '.md'],
  ['docs', '.md'],
  ['examples', '.ts'],
  ['test/trainer', '.ts'],
  ['test/graph', '.ts'],
  ['test/optim', '.ts'],
  ['test/metrics', '.ts'],
  ['test/data', '.ts'],
  ['test', '.ts'],
];

/** A piece of code, and whether it is a file of the repository, which imports what it uses. */
interface Code {
  readonly text: string;
  readonly isFile: boolean;
}

/** Code of guides, recipes and tests. @param root folder of package.json */
export function exampleCode(root: string): readonly Code[] {
  return PLACES.flatMap(([folder, ending]) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith(ending))
      .sort()
      .flatMap((name) => codeOf(readFileSync(join(root, folder, name), 'utf8'), ending)),
  );
}

function codeOf(text: string, ending: string): Code[] {
  if (ending !== '.md') return [{ text, isFile: true }];
  const blocks = [...text.matchAll(/^```(?:js|ts)\n([\s\S]*?)^```/gm)];
  return blocks.map(([, code = '']) => ({ text: code, isFile: false }));
}

/**
 * The first call of a function, with what it is called on.
 * @param module what exports it, by the name of its file: another function of that name is no example
 * @returns undefined when there is none that is short and plain
 */
export function exampleOf({ name, module }: ReferenceFunction, code: readonly Code[]): string | undefined {
  const imported = new RegExp(`import \\{[^}]*\\b${name}\\b[^}]*\\} from '[^']*\\b${module}(?:\\.js)?'`);
  for (const { text, isFile } of code) {
    const isBare = !isFile || imported.test(text);
    const call = new RegExp(`(?<![\\w.])${isBare ? `(?:${GROUPS}\\.)?` : `${GROUPS}\\.`}${name}\\(`, 'g');
    for (const { index } of text.matchAll(call)) {
      if (/(?:function|import)\s+(?:\w+\.)?$|[*/`].*$/.test(lineBefore(text, index))) continue;
      const end = endOfCall(text, text.indexOf('(', index));
      const example = text.slice(index, end);
      if (end > 0 && example.split('\n').length <= LINES_MAX && !NOT_PLAIN.test(example))
        return unindented(example, lineBefore(text, index));
    }
  }
  return undefined;
}

const lineBefore = (text: string, at: number): string => text.slice(text.lastIndexOf('\n', at - 1) + 1, at);

/** Behind the bracket that closes the one at a position; 0: none does. */
function endOfCall(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if ('([{'.includes(text[at] as string)) depth += 1;
    if (')]}'.includes(text[at] as string) && --depth === 0) return at + 1;
  }
  return 0;
}

/** A call as if its line began with it. */
function unindented(call: string, before: string): string {
  const indent = /^ */.exec(before)?.[0] ?? '';
  return call.replaceAll(`\n${indent}`, '\n');
}

/**
 * Puts examples into a page of TypeDoc, above the parameters.
 * @returns the page, and the functions without one
 */
export function withExamples(
  page: string,
  functions: readonly ReferenceFunction[],
  code: readonly Code[],
): { readonly text: string; readonly without: readonly string[] } {
  const without: string[] = [];
  const text = page.replace(
    /^### (\w+)\(\)\n[\s\S]*?(?=^### |^## |(?![\s\S]))/gm,
    (section, name: string) => {
      const described = functions.find((one) => one.name === name);
      if (described === undefined) return section;
      const example = exampleOf(described, code);
      if (example === undefined) {
        without.push(name);
        return section;
      }
      const block = `#### Example\n\n\`\`\`ts\n${example}\n\`\`\`\n\n`;
      return section.replace(
        /^#### (?:Parameters|Returns|Call Signature)$/m,
        (heading) => `${block}${heading}`,
      );
    },
  );
  return { text, without };
}
