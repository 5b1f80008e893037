import type { RecipeDraft } from './inspection.js';

/** Formats a recipe as a TypeScript module. Wherever it lies, the program that loads it resolves imports of `unisum`. */
export function recipeText({ imports, summary, body }: RecipeDraft): string {
  const lines = Object.entries(imports)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([module, names]) => `import { ${[...names].sort().join(', ')} } from 'unisum/${module}';`);
  return [
    ...lines,
    "import type { Recipe } from 'unisum/recipe';",
    '',
    'export const recipe: Recipe = {',
    `  summary: ${quote(summary)},`,
    body.trimEnd(),
    '};',
    '',
  ].join('\n');
}

/** A text as a string literal. */
export function quote(text: string): string {
  const escaped = text
    .replace(/[\\']/g, '\\$&')
    .replace(/\n/g, '\\n')
    .replace(/\r/g, '\\r')
    .replace(/\u2028/g, '\\u2028');
  return `'${escaped.replace(/\u2029/g, '\\u2029').replace(/\t/g, '\\t')}'`;
}
