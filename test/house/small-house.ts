import type { Source } from './source.js';

/** A small house to try a rule on: text by path. */
export function house(files: Record<string, string>): Source[] {
  return Object.entries(files).map(([path, text]) => ({ path, text }));
}
